import { together } from '../../../concurrency.ts';
import type { Write } from '../../../ledger/ledger.ts';
import type { ObjectRef } from '../../../vault/vault.ts';
import type { KeysSlowed } from '../../api/esbpp.ts';
import type { Context } from '../../context.ts';
import { transactCounted } from '../../counts/transact.ts';
import { euiccRecord } from '../../records/euicc.ts';
import {
  type ChunkRecord,
  chunkProgress,
  chunkRecord,
  type JobRecord,
  jobRecord,
} from '../../records/job.ts';
import { ledgerKeys } from '../../records/keys.ts';
import { putCommitRecord } from '../../records/locked-records.ts';
import { drawRecord } from '../../records/order.ts';
import { endWrites, takeWrite } from '../../supply/lane.ts';
import type { JobChunk } from '../chunk-items.ts';
import { commitLine, lockedCommit, progressOf } from '../commit.ts';
import type { ReceivedRequest } from '../requests.ts';
import type { BoundInTime } from './bind-in-time.ts';
import type { Decision, Place, Wanted } from './plan.ts';
import type { SharedChains } from './shared-chains.ts';

/** A BPP with its part, which is written and sealed. */
export interface SealedInTime extends BoundInTime {
  readonly part: ObjectRef;
  readonly partKey: Uint8Array;
  readonly slowed: KeysSlowed;
}

type Chain = Awaited<ReturnType<SharedChains['of']>>;

/** What was committed. */
export interface CommittedInTime {
  readonly place: JobChunk;
  readonly record: ChunkRecord;
}

/**
 * The one transaction: the position leaves its lane, the one-time key and the EID's place in the order are claimed, job,
 * draw and commit come into being with their audit line; on condition that each of them is as the decision saw it, that
 * the order is open and that trust has not moved. Undefined if it is not: nothing was written.
 */
export async function commitInTime(
  context: Context,
  { received }: Wanted,
  { admission, trustEpoch, leansOn: { euicc, epoch, open } }: Decision,
  { lane, position }: Place,
  bound: SealedInTime,
  chain: Chain,
): Promise<CommittedInTime | undefined> {
  const { jobId, frame, body } = received;
  const { orderId, requestId } = frame;
  const { part, partKey, element, outcome, slowed } = bound;
  const at = context.now();
  const job = await jobOf(context, received, position, chain.name, at);
  const outcomes = [outcome];
  const record: ChunkRecord = {
    part,
    partKey,
    outcomes,
    offsets: [0, element.length],
    trustEpoch,
    committedAt: at,
  };
  const place: JobChunk = { jobId, job, chunk: 0 };
  const told = { request: requestId, body: body.sha256 };
  const draw = { jobId, index: 0, from: position, count: 1 };
  const writes: Write[] = [
    takeWrite(lane, position, jobId),
    { put: euicc, attributes: euiccRecord.to(admission.claim.euicc), when: { revision: euicc.revision } },
    { put: ledgerKeys.job(jobId), attributes: jobRecord.to(job), when: 'absent' },
    { put: ledgerKeys.orderDraw(orderId, position, jobId), attributes: drawRecord.to(draw), when: 'absent' },
    { put: ledgerKeys.chunk(jobId, 0), attributes: chunkRecord.to(record), when: 'absent' },
    { check: open, when: { revision: open.revision } },
    { check: epoch, when: { revision: epoch.revision } },
    commitLine(place, { part, outcomes, slowed }, { bound: 1, refused: 0 }, at, told),
  ];
  const { done } = await context.ledger.transact(writes);
  if (!done) return undefined;
  if (slowed.times > 0)
    context.log({
      event: 'job.slowed',
      job: jobId,
      chunk: 0,
      times: slowed.times,
      waitedMs: slowed.waitedMs,
    });
  return { place, record };
}

/** Of the job nothing is left to be bound, so that the request is not kept. */
async function jobOf(
  { settings }: Context,
  { caller, frame, body }: ReceivedRequest,
  position: number,
  chain: string,
  createdAt: number,
): Promise<JobRecord> {
  const { requestId, orderId, chunkOffsets } = frame;
  return {
    party: caller.identifier,
    requestId,
    bodyHash: body.sha256,
    orderId,
    items: 1,
    chunkSize: settings.chunkSize,
    chunkOffsets,
    chunkHashes: await body.hashes(chunkOffsets),
    runs: [[0, position, 1]],
    chain,
    refusedData: [],
    createdAt,
  };
}

/**
 * What follows a commit (`finishChunk` for who has not bound it): the locked record and the end of the PPK, then their
 * mark. With it goes a lane that is empty now, and its trace: where that stays, the reaper goes on here. False where another
 * came to the end of it first, so that the lane is the reaper's.
 */
export async function finishInTime(
  context: Context,
  { place, record }: CommittedInTime,
  { lane, pack, position }: Place,
  packSize: number,
  bound: SealedInTime,
  { chain }: Chain,
): Promise<boolean> {
  const { vault, ppks, ledger, now } = context;
  const at = now();
  const end = () => endWrites(ledger, lane, position, at);
  const [firstEnd] = await together(
    end(),
    together(
      putCommitRecord(vault, lockedCommit(place, record, [chain])),
      ppks.destroy(pack.ppks, [position % packSize]),
    ),
  );
  let planned: readonly Write[] | undefined = firstEnd;
  const progress = {
    ...progressOf({ ...bound, outcomes: record.outcomes }),
    finished: true,
    inTime: true,
    deliveredAt: at,
  };
  const mark: Write = {
    put: ledgerKeys.chunkProgress(place.jobId, 0),
    attributes: chunkProgress.to(progress),
    when: 'absent',
  };
  const { done } = await transactCounted(ledger, [mark], async () => {
    const writes = planned ?? (await end());
    planned = undefined;
    return writes;
  });
  return done;
}
