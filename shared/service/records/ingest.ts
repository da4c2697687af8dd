import type { SuiteName } from '../../crypto/suite.ts';
import type { StatusName } from '../../status-codes.ts';
import type { ObjectRef } from '../../vault/vault.ts';
import { recordOf } from './record.ts';

/** An EuiccDataBatch of path A that was taken on. All but the state is fixed then. */
export interface IngestRecord {
  readonly party: string;
  readonly batchId: string;
  /** The batch as received; its SHA-256 tells a repeat from another batch under the same batchId. */
  readonly batch: ObjectRef;
  /** Of its one-time keys. */
  readonly suite: SuiteName;
  readonly ciPkId: Uint8Array;
  /** Hash of the stored EUM chain, and BF22 of the entries that bring none of their own. */
  readonly eumChain: string;
  readonly euiccInfo2: Uint8Array;
  readonly deviceMakers: readonly string[];
  readonly entries: number;
  readonly sliceSize: number;
  /** Offset of the first entry of each slice, and of the end of the entries. */
  readonly sliceOffsets: readonly number[];
  /** Indexes of entries whose EID an earlier one has. */
  readonly duplicates: readonly number[];
  /** Milliseconds since 1970. */
  readonly takenAt: number;
  /** Present once all slices are done. */
  readonly done?: {
    readonly accepted: number;
    readonly rejected: number;
    /** All refusals, one JSON object on each line; where there are more than an answer lists. */
    readonly result?: ObjectRef;
  };
}

export const sliceCount = (ingest: IngestRecord) => ingest.sliceOffsets.length - 1;

/** The answer of a slice, for ever. */
export interface SliceRecord {
  readonly rejected: readonly RejectedEntry[];
}

export interface RejectedEntry {
  readonly index: number;
  /** As received; empty where it could not be read. */
  readonly eid: string;
  /** Where it is about one of the one-time keys. */
  readonly keyId?: string;
  readonly code: StatusName;
  readonly message: string;
}

/** The small companion of a slice, written with it: reading the progress reads no refusals. */
export interface SliceProgress {
  readonly accepted: number;
  readonly rejected: number;
}

export const ingestRecord = recordOf<IngestRecord>();
export const sliceRecord = recordOf<SliceRecord>();
export const sliceProgress = recordOf<SliceProgress>();
