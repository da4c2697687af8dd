import type { Bytes } from '../shared/codec/bytes.ts';
import type { FpaCause } from '../sim/index.ts';

/** How an attempt at one Bound Profile Package ended. */
export interface Outcome {
  readonly transactionId: Bytes;
  readonly eid: string;
  readonly at: Date;
  /** The BF37 that the eUICC signed, octet by octet: final. */
  readonly result?: Bytes;
  /** What the FPA says where no eUICC signed anything: proves nothing, and is tried again. */
  readonly fpaError?: { readonly cause: FpaCause; readonly statusWord?: Bytes; readonly detail?: string };
  /** How long the attempt took, in milliseconds. */
  readonly ms?: number;
}
