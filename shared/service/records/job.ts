import { objectRef, statusName, suiteName } from './common.ts';
import { ledgerKeys } from './keys.ts';
import { type RecordOf, recordOf } from './record.ts';
import {
  either,
  flag,
  integer,
  list,
  type Members,
  object,
  octets,
  oneOf,
  optional,
  type TypeOf,
  text,
  tuple,
  whole,
} from './schema.ts';

/** Where the chunks of a request lie, and what their items have drawn. */
const plan = {
  /** Octets from the start of the request to the first item of each chunk, and to the end of the items. */
  chunkOffsets: list(whole),
  /** Hashes of the items of each chunk, as received: vault/range-hash.ts. */
  chunkHashes: octets,
  /**
   * Which position of the order each item has, as runs of (index, from, count): item `index + n` has `from + n`. Items
   * in no run have none.
   */
  runs: list(tuple(whole, whole, whole)),
} as const;

/** Why a large request is none, as a repeat of its call is told. */
const requestRefusal = object({
  code: statusName,
  message: text,
  subjectIdentifier: optional(text),
  /** Into the request. */
  offset: optional(whole),
  /** Of what was trusted then: once that has changed, a repeat has the request read again. */
  trustEpoch: whole,
});

export const jobMembers = {
  party: text,
  requestId: text,
  /** SHA-256 of the request as received. */
  bodyHash: text,
  orderId: text,
  /** 0 of a large request that was not read yet. */
  items: whole,
  chunkSize: whole,
  /** The request as received; none of a job that was bound just in time, which is committed from the start. */
  request: optional(objectRef),
  ...plan,
  /** Of a large request, whose plan stands in slices beside this record: how many chunks it has, 0 until it was read, and a slice. */
  slices: optional(object({ chunks: whole, ofSlice: whole })),
  /** Of a large request that is no whole job yet, or never will be one: esbpp/large-requests.ts. */
  planning: optional(
    object({
      /** Whether any item names its ICCID; known once the request was read. */
      namesIccids: optional(flag),
      /** Of one with eUICC data inside: whether it is taken in, which is work of its own once the request was read. */
      forwarded: optional(flag),
      refused: optional(requestRefusal),
    }),
  ),
  /** Of a job that was bound just in time: SHA-256 of the chain that it shares with others. */
  chain: optional(text),
  /** EIDs whose forwarded eUICC data (path B) was refused: their items are refused for the same reason. */
  refusedData: list(object({ eid: text, refusal: statusName, message: text })),
  /** Milliseconds since 1970. */
  createdAt: whole,
} as const;

/** A BppRequest that was taken on; fixed when it is submitted, for good, but for a large one that is planned after that. */
export const jobRecord = recordOf('job', jobMembers);

export type JobRecord = Members<typeof jobMembers>;

/** What the number of a job's chunks is told by. */
export type Chunked = Pick<JobRecord, 'chunkOffsets' | 'slices'>;

export const chunkCount = ({ slices, chunkOffsets }: Chunked) => slices?.chunks ?? chunkOffsets.length - 1;

export type RequestRefusal = TypeOf<typeof requestRefusal>;

/** A plan: of a whole job, or of one slice of it. */
export type ChunkPlan = Pick<JobRecord, keyof typeof plan>;

/** What the items of a slice have drawn for: those that name their ICCIDs or have a replacement kept, and then all others. */
const DRAWN = ['none', 'named', 'all'] as const;

/** The plan of some thousand items of a large request, in whole chunks; indexes are those of the whole job. */
export const requestSlice = recordOf('request slice', { ...plan, drawn: oneOf(...DRAWN) });

export type RequestSlice = RecordOf<typeof requestSlice>;

export const sliceCountOf = ({ chunks, ofSlice }: NonNullable<JobRecord['slices']>) =>
  Math.ceil(chunks / ofSlice);

/** The order position of an item, fixed by its index. */
export function positionOf({ runs }: Pick<ChunkPlan, 'runs'>, index: number): number | undefined {
  let low = 0;
  let high = runs.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const [start, from, count] = runs[middle]!;
    if (index < start) high = middle - 1;
    else if (index >= start + count) low = middle + 1;
    else return from + index - start;
  }
  return undefined;
}

const boundItem = object({
  itemId: whole,
  eid: text,
  keyId: text,
  position: whole,
  iccid: text,
  /** Index into the job's chains. */
  chain: whole,
  /** SHA-256 of the EUM chain that was verified. */
  eumChain: text,
  /** The one-time key as it is known for ever: its suite, and its identity there. */
  suite: suiteName,
  otpk: text,
});

const refusedItem = object({
  itemId: whole,
  eid: text,
  refusal: statusName,
  message: text,
  /** Where its profile was found damaged: the profile is closed, and its position does not go back. */
  damaged: optional(object({ position: whole, iccid: text })),
});

export type BoundItem = TypeOf<typeof boundItem>;
export type RefusedItem = TypeOf<typeof refusedItem>;
export type ItemOutcome = BoundItem | RefusedItem;

export const isBound = (outcome: ItemOutcome): outcome is BoundItem => 'iccid' in outcome;

export const chunkMembers = {
  /** The chunk's BppItems, one after the other. */
  part: objectRef,
  /** Of a part that was bound just in time: the key that it is sealed under, which stands here alone. */
  partKey: optional(octets),
  outcomes: list(either('iccid', boundItem, refusedItem)),
  /** Octets from the start of the part to each item, and its end. */
  offsets: list(whole),
  /** Revision of the trust that the commit leaned on; below 0 where it was restored and leans on none. */
  trustEpoch: integer,
  /** Milliseconds since 1970. */
  committedAt: whole,
} as const;

/** The commit of a chunk: its answer, for ever. Only what this record names can be read. */
export const chunkRecord = recordOf('chunk', chunkMembers);

export type ChunkRecord = Members<typeof chunkMembers>;

/** The small companion of a chunk, for progress and delivery; written with it, changed after it. */
export const chunkProgress = recordOf('chunk progress', {
  /** Present where the attempt that was committed had to wait for keys: service/api/esbpp.ts. */
  keysSlowed: optional(object({ times: whole, waitedMs: whole })),
  bound: whole,
  refused: whole,
  /** What most of its refused items were refused for. */
  cause: optional(text),
  /** Octets of the part. */
  size: whole,
  /** The locked commit record is written and the chunk's PPKs are destroyed: it may be read. */
  finished: flag,
  /** Written with its delivery, of a job that was bound just in time; its lane counts it as delivered. */
  inTime: optional(flag),
  /** Profiles of it that had a result before it was delivered: they are counted as delivered no more. */
  settled: optional(whole),
  /** Milliseconds since 1970. */
  deliveredAt: optional(whole),
});

export type ChunkProgress = RecordOf<typeof chunkProgress>;

export const chainsMembers = {
  chains: list(object({ ciPkId: octets, certificates: list(octets), smdpOid: text })),
} as const;

/** The chains of this server that the items of a job were bound under. */
export const jobChains = recordOf('job chains', chainsMembers);

/** Where the chains of a job stand. */
export const chainsKey = (jobId: string, { chain }: Pick<JobRecord, 'chain'>) =>
  chain === undefined ? ledgerKeys.jobChains(jobId) : ledgerKeys.bindingChain(chain);

export type JobChains = Members<typeof chainsMembers>;

/** The answer in parts of a finished job, as it was counted last: esbpp/answer-record.ts. */
export const answerRecord = recordOf('job answer', {
  /** What it leans on: the trust epoch, and which keys that signed it were retired. */
  standing: text,
  keysSlowed: optional(object({ times: whole, waitedMs: whole })),
  failed: list(object({ itemId: whole, code: statusName, message: text })),
  manifest: objectRef,
  longTermSignature: optional(objectRef),
  parts: list(objectRef),
});
