import { objectRef, statusName, suiteName, warnings } from './common.ts';
import { type RecordOf, recordOf } from './record.ts';
import { list, object, octets, oneOf, optional, type TypeOf, text, whole } from './schema.ts';

/** Where everything of a batch lies, once it was read from its first octet to its last; fixed then. */
const batchFrame = object({
  deviceMakers: list(text),
  entries: whole,
  sliceSize: whole,
  /** Offset of the first entry of each slice, and of the end of the entries. */
  sliceOffsets: list(whole),
  /** Hashes of the slices, as received: vault/range-hash.ts. */
  sliceHashes: octets,
  /** Indexes of entries whose EID an earlier one has. */
  duplicates: list(whole),
  /** Of every answer about the batch. */
  warnings: optional(warnings),
});

export type BatchFrame = TypeOf<typeof batchFrame>;

/** Why a batch is no batch, as a repeat of its call is told. */
const batchRefusal = object({
  code: statusName,
  message: text,
  subjectIdentifier: optional(text),
  /** Into the batch. */
  offset: optional(whole),
  /** Of what was trusted then: once that has changed, a repeat has the batch read again. */
  trustEpoch: whole,
});

/** Of path B: whether the device manufacturer's word takes the place of what an eUICC's record says, as that of its EUM does. */
const forwardedData = object({ entitlement: oneOf('keep', 'replace') });

/**
 * An EuiccDataBatch of path A that was taken on, or of path B that came inside a large request: known by the identifier of its job
 * then. What its head says is fixed then.
 */
export const ingestRecord = recordOf('eUICC data batch', {
  party: text,
  batchId: text,
  /** The batch as received; its SHA-256 tells a repeat from another batch under the same batchId. Of path B the request around it. */
  batch: objectRef,
  /** Of its one-time keys. */
  suite: suiteName,
  ciPkId: octets,
  /** Hash of the stored EUM chain, and BF22 of the entries that bring none of their own. */
  eumChain: text,
  euiccInfo2: octets,
  /** Milliseconds since 1970. */
  takenAt: whole,
  forwarded: optional(forwardedData),
  /** Absent while the batch is being read, and where it was refused. */
  frame: optional(batchFrame),
  refused: optional(batchRefusal),
  /** Present once all slices are done. */
  done: optional(
    object({
      accepted: whole,
      rejected: whole,
      /** All refusals, one JSON object on each line; where there are more than an answer lists. */
      result: optional(objectRef),
    }),
  ),
});

export type IngestRecord = RecordOf<typeof ingestRecord>;

export const ingestSliceCount = (frame: Pick<BatchFrame, 'sliceOffsets'>) => frame.sliceOffsets.length - 1;

const rejectedEntry = object({
  index: whole,
  /** As received; empty where it could not be read. */
  eid: text,
  /** Where it is about one of the one-time keys. */
  keyId: optional(text),
  code: statusName,
  message: text,
});

export type RejectedEntry = TypeOf<typeof rejectedEntry>;

/** The answer of a slice, for ever. */
export const sliceRecord = recordOf('eUICC data slice', { rejected: list(rejectedEntry) });

/** The small companion of a slice, written with it: reading the progress reads no refusals. */
export const sliceProgress = recordOf('eUICC data progress', {
  accepted: whole,
  rejected: whole,
  /** What most of its refused entries were refused for. */
  cause: optional(text),
});

export type SliceProgress = RecordOf<typeof sliceProgress>;
