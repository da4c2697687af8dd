import type { Bytes } from '../../codec/bytes.ts';
import { present } from '../../present.ts';
import type { Who } from '../records/audit.ts';
import type { Actor } from './actor.ts';
import type { Caller } from './caller.ts';

/** What the taking in of a revocation list did. */
export interface CrlTaken {
  /** False where this list was held already. */
  readonly isNew: boolean;
  readonly issuerKeyId: string;
  readonly number: bigint;
  /** Certificates that it revokes. */
  readonly revoked: number;
  /** SubjectKeyIdentifiers of the EUM certificates known here that it revokes. */
  readonly revokedEums: readonly string[];
}

export interface Callbacks {
  /** Callbacks that were given up wait again: those of an order, or all. `more`: call again for the rest. */
  replayCallbacks(
    by: Actor,
    input: { orderId?: string; limit: number },
  ): Promise<{ replayed: number; more: boolean }>;
}

export interface Administration {
  /**
   * Takes in a DER revocation list of a CI, an EUM or a sub-CA. `issuerChain`: certificates of an issuer that this
   * server has not met, itself first, up to below a trusted CI.
   */
  addCrl(caller: Caller, input: { crl: Bytes; issuerChain: readonly Bytes[] }): Promise<CrlTaken>;
}

/** A line of the audit log as it stands in the chain. */
export interface ChainedLine {
  readonly sequence: number;
  /** ISO 8601. */
  readonly at: string;
  readonly event: string;
  readonly by: string;
  /** The person, where one acted. */
  readonly who?: Who;
  readonly about: Readonly<Record<string, string | number | boolean | undefined>>;
  /** Hash of the line before. */
  readonly previous: string;
  readonly hash: string;
}

/** The members of a line that others are told, and which its hash covers but for `hash` itself. */
export const toldLine = ({
  sequence,
  at,
  event,
  by,
  who,
  about,
  previous,
  hash,
}: ChainedLine): ChainedLine => ({
  sequence,
  at,
  event,
  by,
  ...present({ who }),
  about,
  previous,
  hash,
});

/** Sequence number and hash of the last line: what proves an export complete. */
export interface AuditHead {
  readonly sequence: number;
  readonly hash: string;
}

export interface AuditTrail {
  /** Lines from a sequence number on, in their order, and where the chain ends now. */
  getAuditLines(input: {
    from: number;
    limit: number;
  }): Promise<{ lines: readonly ChainedLine[]; head: AuditHead }>;
}
