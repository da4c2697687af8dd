import { createHash } from 'node:crypto';
import { canonicalJson } from '../../codec/canonical-json.ts';
import { invariant } from '../../errors.ts';
import { asRead, becomes, changeItem, unchanged } from '../../ledger/change.ts';
import type { ItemKey, Write } from '../../ledger/ledger.ts';
import { present } from '../../present.ts';
import type { ObjectRef } from '../../vault/vault.ts';
import type { KeysSlowed } from '../api/esbpp.ts';
import { auditWrite } from '../audit/line.ts';
import type { Context } from '../context.ts';
import { commonest } from '../counts/ends.ts';
import { failureWrites } from '../counts/failures.ts';
import { finishedCountWrites, isCounted, jobCountWrites } from '../counts/job-counts.ts';
import { orderCountWrites } from '../counts/order-counts.ts';
import { transactCounted } from '../counts/transact.ts';
import { type Attempt, abandonAttempt } from '../life/attempts.ts';
import {
  type ChunkProgress,
  type ChunkRecord,
  chainsKey,
  chunkCount,
  chunkProgress,
  chunkRecord,
  type ItemOutcome,
  isBound,
  type JobChains,
  jobChains,
} from '../records/job.ts';
import { ledgerKeys } from '../records/keys.ts';
import { type CommitRecord, putCommitRecord } from '../records/locked-records.ts';
import { returnedOfShare, returnedRecord } from '../records/order.ts';
import { profileRecord } from '../records/profile.ts';
import { PackReader } from '../supply/packs.ts';
import type { JobChunk } from './chunk-items.ts';

/** What an attempt proposes as the answer of a chunk, and what it leaned on. */
export interface ChunkAnswer {
  readonly part: ObjectRef;
  /** The attempt that wrote the part. */
  readonly written: Attempt;
  readonly outcomes: readonly ItemOutcome[];
  readonly offsets: readonly number[];
  readonly slowed: KeysSlowed;
  readonly trustEpoch: number;
  readonly orderState: { readonly key: ItemKey; readonly revision: number };
  /** Positions of refused items, which go back to the order with the commit. */
  readonly returned: readonly number[];
  /** How many of them counted against the maker's share. */
  readonly returnedOfShare: number;
}

/**
 * The one write that makes an answer the chunk's answer (I3, I4). The record of whoever committed first; undefined if
 * order or trust have changed since the checks, so that the chunk must be looked at again.
 */
export async function commitChunk(
  context: Context,
  place: JobChunk,
  answer: ChunkAnswer,
): Promise<ChunkRecord | undefined> {
  const { jobId, job, chunk } = place;
  const { part, written, outcomes, offsets, slowed, trustEpoch, orderState } = answer;
  const key = ledgerKeys.chunk(jobId, chunk);
  const record: ChunkRecord = { part, outcomes, offsets, trustEpoch, committedAt: context.now() };
  const progress = progressOf(answer);
  const writes: Write[] = [
    { put: key, attributes: chunkRecord.to(record), when: 'absent' },
    { put: ledgerKeys.chunkProgress(jobId, chunk), attributes: chunkProgress.to(progress), when: 'absent' },
    { check: ledgerKeys.trustEpoch, when: trustEpoch === 0 ? 'absent' : { revision: trustEpoch } },
    { check: orderState.key, when: { revision: orderState.revision } },
    written.settled,
    commitLine(place, answer, progress, record.committedAt),
    ...returnWrites(place, answer),
    ...refusalWrites(place, record),
  ];
  const { ledger } = context;
  const { done } = await transactCounted(ledger, writes, async () => [
    ...(await orderCountWrites(ledger, job.orderId, { Bound: progress.bound }, record.committedAt)),
    ...(await jobCountWrites(ledger, jobId, job, progress)),
  ]);
  if (done) {
    if (slowed.times > 0)
      context.log({ event: 'job.slowed', job: jobId, chunk, times: slowed.times, waitedMs: slowed.waitedMs });
    return record;
  }
  // a part that no commit names was read by nobody and never will be
  await abandonAttempt(context, written);
  const item = await context.ledger.get(key);
  return item && chunkRecord.from(item);
}

export function progressOf(answer: Pick<ChunkAnswer, 'part' | 'outcomes' | 'slowed'>): ChunkProgress {
  const { part, outcomes, slowed } = answer;
  const refusals = outcomes.flatMap((outcome) => (isBound(outcome) ? [] : [outcome.refusal]));
  return {
    bound: outcomes.length - refusals.length,
    refused: refusals.length,
    ...present({ cause: commonest(refusals) }),
    size: part.size,
    finished: false,
    ...(slowed.times !== 0 && { keysSlowed: slowed }),
  };
}

const justCommitted = (record: ChunkRecord) => progressOf({ ...record, slowed: { times: 0, waitedMs: 0 } });

/** `request`: of a job that came into being with its commit, whose line tells of both. */
export function commitLine(
  { jobId, job, chunk }: JobChunk,
  { part, outcomes, slowed }: Pick<ChunkAnswer, 'part' | 'outcomes' | 'slowed'>,
  { bound, refused }: Pick<ChunkProgress, 'bound' | 'refused'>,
  at: number,
  request?: { readonly request: string; readonly body: string },
): Write {
  const wasSlowed = slowed.times > 0;
  const about = {
    job: jobId,
    chunk,
    order: job.orderId,
    request: request?.request,
    body: request?.body,
    bound,
    refused,
    keysSlowed: wasSlowed ? slowed.times : undefined,
    keysWaitedMs: wasSlowed ? slowed.waitedMs : undefined,
    part: part.sha256,
    outcomes: createHash('sha256').update(canonicalJson(outcomes)).digest('hex'),
  };
  return auditWrite({ event: 'chunk.committed', by: job.party, about }, `chunk-${jobId}-${chunk}`, at);
}

/** What the inventory tells of refused items. */
const refusalWrites = ({ jobId, job, chunk }: JobChunk, { outcomes, committedAt }: ChunkRecord): Write[] =>
  failureWrites(
    { kind: 'item', party: job.party, orderId: job.orderId, jobId },
    outcomes.flatMap((outcome) =>
      isBound(outcome) ? [] : [{ code: outcome.refusal, eid: outcome.eid, detail: outcome.message }],
    ),
    { atMs: committedAt, id: `chunk-${jobId}-${chunk}` },
  );

/** What refused items give back: their positions to the order, and what of them counted to the maker's share. */
function returnWrites(
  { jobId, job: { orderId, party }, chunk }: JobChunk,
  { returned, returnedOfShare: count }: ChunkAnswer,
): Write[] {
  const writes: Write[] = [];
  if (returned.length > 0)
    writes.push({
      put: ledgerKeys.orderReturned(orderId, jobId, chunk),
      attributes: returnedRecord.to({ positions: returned }),
      when: 'absent',
    });
  if (count > 0)
    writes.push({
      put: ledgerKeys.shareReturned(orderId, party, jobId, chunk),
      attributes: returnedOfShare.to({ count }),
      when: 'absent',
    });
  return writes;
}

/**
 * What follows a commit, in any number of repeats: the commit record goes into a locked object outside the ledger
 * (I9), then the PPKs of bound profiles are destroyed (I5), then the chunk may be read.
 */
export async function finishChunk(
  context: Context,
  { jobId, job, chunk }: JobChunk,
  record: ChunkRecord,
): Promise<ChunkRecord> {
  const key = ledgerKeys.chunkProgress(jobId, chunk);
  const item = await context.ledger.get(key);
  // one that was bound just in time gets its progress with its end
  invariant(
    item !== undefined || record.partKey !== undefined,
    `chunk ${chunk} of job ${jobId} has no progress record`,
  );
  const progress = item === undefined ? justCommitted(record) : chunkProgress.from(item);
  if (progress.finished) return record;
  const chainsItem = await context.ledger.get(chainsKey(jobId, job));
  const { chains } = chainsItem === undefined ? { chains: [] } : jobChains.from(chainsItem);
  await putCommitRecord(context.vault, lockedCommit({ jobId, job, chunk }, record, chains));
  const positions = record.outcomes.filter(isBound).map(({ position }) => position);
  await new PackReader(context, job.orderId).destroyPpks(positions);
  await closeDamaged(context, job.orderId, record);
  const mark: Write = {
    put: key,
    attributes: chunkProgress.to({ ...progress, finished: true }),
    when: asRead(item),
  };
  // a repeat at the same time may have been faster: either way it is finished, and counted once
  if (isCounted(job))
    await transactCounted(context.ledger, [mark], () => finishedCountWrites(context.ledger, jobId, job));
  else await context.ledger.write(mark);
  return record;
}

/** What is kept of a commit outside the ledger. */
export function lockedCommit(
  { jobId, job, chunk }: JobChunk,
  record: ChunkRecord,
  chains: JobChains['chains'],
): CommitRecord {
  const { party, requestId, orderId } = job;
  return {
    ...record,
    jobId,
    chunk,
    party,
    requestId,
    orderId,
    ...(chunkCount(job) === 1 && { job }),
    chains,
  };
}

/** Profiles that were found damaged are closed: nobody can have them, and the Operator sees why. */
async function closeDamaged(
  { ledger }: Context,
  orderId: string,
  { outcomes, committedAt: at }: ChunkRecord,
): Promise<void> {
  const damaged = outcomes.flatMap((outcome) => (isBound(outcome) ? [] : (outcome.damaged ?? [])));
  if (damaged.length === 0) return;
  const detail = 'what is stored of it was damaged';
  for (const { position, iccid } of damaged)
    await changeItem(ledger, ledgerKeys.profile(orderId, position), async (item) => {
      if (item !== undefined) return unchanged();
      const counts = await orderCountWrites(ledger, orderId, { Closed: 1 }, at);
      return becomes(profileRecord.to({ state: 'Closed', iccid, at, detail }), undefined, counts);
    });
}
