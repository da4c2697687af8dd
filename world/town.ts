import type { Bytes } from '../shared/codec/bytes.ts';
import type { PersonalisedEuicc } from '../sim/index.ts';
import type { Maker, Party } from './cast.ts';
import type { Snapshot } from './stores/ledger.ts';

export interface TownOrder {
  readonly orderId: string;
  readonly operator: Party;
  readonly makers: readonly Party[];
  readonly quantity: number;
  iccids: readonly string[];
  /** The order as it was sent, to be repeated. */
  readonly input: Readonly<Record<string, unknown>>;
}

export interface TownRequest {
  readonly maker: Party;
  readonly requestId: string;
  readonly der: Bytes;
}

/** Something that went out bound. */
export interface TownProfile {
  readonly iccid: string;
  readonly eid: string;
  readonly transactionId: string;
  readonly orderId: string;
  readonly maker: Party;
}

export interface TownEuicc {
  readonly euicc: PersonalisedEuicc;
  readonly maker: Maker;
}

/** A part of an answer, or a link to it. */
export interface TownPart {
  readonly maker: Party;
  readonly requestId: string;
  readonly name: string;
}

/**
 * What somebody was told, by name, and after how many changes of the ledger: where these are still there, it must be told
 * again alike; what came later may have gone with the ledger.
 */
export class Remembered<V> {
  readonly #told = new Map<string, { readonly value: V; readonly after: number }>();

  get(name: string): V | undefined {
    return this.#told.get(name)?.value;
  }

  /** The first time counts. */
  note(name: string, value: V, after: number): void {
    if (!this.#told.has(name)) this.#told.set(name, { value, after });
  }

  forgetAfter(changes: number, isGone: (name: string) => boolean = () => true): void {
    for (const [name, { after }] of this.#told) if (after > changes && isGone(name)) this.#told.delete(name);
  }
}

/** What the parties remember of their own doings. */
export class Town {
  readonly orders: TownOrder[] = [];
  readonly requests: TownRequest[] = [];
  readonly profiles = new Map<string, TownProfile>();
  /** Batches of eUICC data that were sent, to be sent again. */
  readonly batches: { readonly party: Party; readonly der: Bytes }[] = [];
  readonly reports: { readonly maker: Party; readonly der: Bytes; readonly name: string }[] = [];
  /** Outcomes of reports by their names, replacements by the ICCID that they are for. */
  readonly outcomes = new Remembered<string>();
  readonly replacements = new Remembered<string>();
  /** EIDs of which something went out bound: they are registered. */
  readonly served = new Remembered<true>();
  /** Bindings keys in use by curve, wrapping keys used so far, revocation lists by issuer. */
  wrappingKeys = 1;
  deliveryKeys = 1;
  crlNumber = 1;
  readonly revokedSerials = new Map<string, string[]>();
  /** SHA-256 of binding certificates that were installed. */
  readonly bindingCertificates: string[] = [];
  /** How often trust in an EID came back or may have; NaN where nobody knows whether it did. */
  readonly regained = new Map<string, number>();
  /** Further certificates of parties; whether calls may still be taken with one. */
  readonly certificates: { readonly party: Party; state: 'registered' | 'maybe' | 'revoked' }[] = [];
  /** Parts of answers, and download links to parts that were given out. */
  readonly parts: TownPart[] = [];
  readonly links: TownPart[] = [];
  /** Output rows as an Operator read them first, by order and pack. */
  readonly rows = new Remembered<string>();
  /** The last backup of the ledger. */
  backup: Snapshot | undefined;
  numbered = 0;
}
