import type { Bytes } from '../shared/codec/bytes.ts';
import type { PersonalisedEuicc } from '../sim/index.ts';
import type { Maker, Party } from './cast.ts';

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

/** What the parties remember of their own doings. */
export class Town {
  readonly orders: TownOrder[] = [];
  readonly requests: TownRequest[] = [];
  readonly profiles = new Map<string, TownProfile>();
  /** Batches of eUICC data that were sent, to be sent again. */
  readonly batches: { readonly party: Party; readonly der: Bytes }[] = [];
  readonly reports: { readonly maker: Party; readonly der: Bytes; answer: string | undefined }[] = [];
  readonly replacements = new Map<string, string>();
  /** Bindings keys in use by curve, wrapping keys used so far, revocation lists by issuer. */
  wrappingKeys = 1;
  deliveryKeys = 1;
  crlNumber = 1;
  readonly revokedSerials = new Map<string, string[]>();
  numbered = 0;
}
