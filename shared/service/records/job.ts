import type { SuiteName } from '../../crypto/suite.ts';
import type { StatusName } from '../../status-codes.ts';
import type { ObjectRef } from '../../vault/vault.ts';
import type { KeysSlowed } from '../api/esbpp.ts';
import { recordOf } from './record.ts';

/** A BppRequest that was taken on; fixed when it is submitted, for good. */
export interface JobRecord {
  readonly party: string;
  readonly requestId: string;
  /** SHA-256 of the request as received. */
  readonly bodyHash: string;
  readonly orderId: string;
  readonly items: number;
  readonly chunkSize: number;
  /** The request as received. */
  readonly request: ObjectRef;
  /** Octets from the start of the request to the first item of each chunk, and to the end of the items. */
  readonly chunkOffsets: readonly number[];
  /** Which position of the order each item has: item `index + n` has `from + n`. Items in no run have none. */
  readonly runs: readonly (readonly [index: number, from: number, count: number])[];
  /** EIDs whose forwarded eUICC data (path B) was refused: their items are refused for the same reason. */
  readonly refusedData: readonly {
    readonly eid: string;
    readonly refusal: StatusName;
    readonly message: string;
  }[];
  /** Milliseconds since 1970. */
  readonly createdAt: number;
}

export const chunkCount = (job: JobRecord) => job.chunkOffsets.length - 1;

/** The order position of an item, fixed by its index. */
export function positionOf(job: JobRecord, index: number): number | undefined {
  let low = 0;
  let high = job.runs.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const [start, from, count] = job.runs[middle]!;
    if (index < start) high = middle - 1;
    else if (index >= start + count) low = middle + 1;
    else return from + index - start;
  }
  return undefined;
}

export interface BoundItem {
  readonly itemId: number;
  readonly eid: string;
  readonly keyId: string;
  readonly position: number;
  readonly iccid: string;
  /** Index into the job's chains. */
  readonly chain: number;
  /** SHA-256 of the EUM chain that was verified. */
  readonly eumChain: string;
  /** The one-time key as it is known for ever: its suite, and its identity there. */
  readonly suite: SuiteName;
  readonly otpk: string;
}

export interface RefusedItem {
  readonly itemId: number;
  readonly eid: string;
  readonly refusal: StatusName;
  readonly message: string;
}

export type ItemOutcome = BoundItem | RefusedItem;

export const isBound = (outcome: ItemOutcome): outcome is BoundItem => 'iccid' in outcome;

/** The commit of a chunk: its answer, for ever. Only what this record names can be read. */
export interface ChunkRecord {
  /** The chunk's BppItems, one after the other. */
  readonly part: ObjectRef;
  readonly outcomes: readonly ItemOutcome[];
  /** Octets from the start of the part to each item, and its end. */
  readonly offsets: readonly number[];
  /** Revision of the trust that the commit leaned on. */
  readonly trustEpoch: number;
  /** Milliseconds since 1970. */
  readonly committedAt: number;
}

/** The small companion of a chunk, for progress and delivery; written with it, changed after it. */
export interface ChunkProgress {
  /** Present where the attempt that was committed had to wait for keys. */
  readonly keysSlowed?: KeysSlowed;
  readonly bound: number;
  readonly refused: number;
  readonly size: number;
  /** The locked commit record is written and the chunk's PPKs are destroyed: it may be read. */
  readonly finished: boolean;
  readonly deliveredAt?: number;
}

export interface JobChains {
  readonly chains: readonly {
    readonly ciPkId: Uint8Array;
    readonly certificates: readonly Uint8Array[];
    readonly smdpOid: string;
  }[];
}

export const jobRecord = recordOf<JobRecord>();
export const chunkRecord = recordOf<ChunkRecord>();
export const chunkProgress = recordOf<ChunkProgress>();
export const jobChains = recordOf<JobChains>();
