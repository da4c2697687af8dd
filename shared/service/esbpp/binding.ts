import { randomUUID } from 'node:crypto';
import { type Bytes, concat, release } from '../../codec/bytes.ts';
import { together, untilDone } from '../../concurrency.ts';
import { Fault, invariant } from '../../errors.ts';
import { ownMember } from '../../own-member.ts';
import type { Context } from '../context.ts';
import { abandonAttempt, beginAttempt } from '../life/attempts.ts';
import {
  type ChunkRecord,
  chunkCount,
  chunkRecord,
  type JobRecord,
  jobRecord,
  positionOf,
} from '../records/job.ts';
import { ledgerKeys } from '../records/keys.ts';
import { objectNames } from '../records/object-names.ts';
import { orderRecord, orderStateRecord } from '../records/order.ts';
import { planOfChunk } from '../supply/job-plan.ts';
import { readTies } from '../supply/ties.ts';
import type { Trust, TrustView } from '../trust/trust.ts';
import { bindItems } from './bind-items.ts';
import { chunkItems, type JobChunk } from './chunk-items.ts';
import { claimItems, isClaimed } from './claim-items.ts';
import { type ChunkAnswer, commitChunk, finishChunk } from './commit.ts';
import { countKeysSlowed } from './keys-slowed.ts';

/**
 * Binds the chunk of a job: claims, binds, writes a part of its own, and commits it in one conditional write. The
 * order of steps is what makes it safe to stop anywhere and run again, also twice at once:
 *
 * 1. what each item gets (position, ICCID, transaction ID) is fixed by job and index;
 * 2. all checks come before anything is spent, and a claim names the item, so a repeat finds its own;
 * 3. the part is read by nobody until the commit names it, and only the first commit counts; a trace that was entered
 *    before it was written leads the reaper to one that no commit names (life/attempts.ts);
 * 4. the commit holds only if order and trust still are what the checks saw; otherwise the chunk starts over;
 * 5. destroying PPKs comes after the commit and may be repeated; only then can the chunk be read.
 */
export async function bindChunk(
  context: Context,
  trust: Trust,
  jobId: string,
  chunk: number,
): Promise<ChunkRecord> {
  const job = await loadJob(context, jobId);
  invariant(chunk >= 0 && chunk < chunkCount(job), `job ${jobId} has no chunk ${chunk}`);
  const place: JobChunk = { jobId, job, chunk };
  let lacking = 0;
  const attempt = async () => {
    const committed = await context.ledger.get(ledgerKeys.chunk(jobId, chunk));
    if (committed !== undefined) return { value: chunkRecord.from(committed) };
    const answer = await attemptChunk(context, place, await trust.current(), lacking >= LOOKS_FOR_PPKS);
    lacking = answer === undefined ? lacking + 1 : 0;
    const record = answer && (await commitChunk(context, place, answer));
    return record && { value: record };
  };
  // order and trust change seldom; a chunk that meets a change in every attempt has met a fault
  const record = await untilDone(attempt, () => {
    throw new Fault('ledger', `chunk ${chunk} of job ${jobId} found no quiet moment to commit`, {
      retryable: true,
    });
  });
  return await finishChunk(context, place, record);
}

/**
 * A PPK that is gone was destroyed by the commit of another attempt, or with its order, and the next look tells of it.
 * Where so many looks in a row find no commit and the order as it was, it is lost, and its profile with it.
 */
const LOOKS_FOR_PPKS = 6;

async function loadJob({ ledger }: Context, jobId: string): Promise<JobRecord> {
  const item = await ledger.get(ledgerKeys.job(jobId));
  invariant(item !== undefined, `there is no job ${jobId}`);
  return jobRecord.from(item);
}

/** The chunk's answer, ready to be committed; undefined if another attempt has moved on and this one must look again. */
async function attemptChunk(
  context: Context,
  place: JobChunk,
  view: TrustView,
  ppksAreLost: boolean,
): Promise<ChunkAnswer | undefined> {
  const { ledger, vault } = context;
  const { jobId, job, chunk } = place;
  const [orderItem, stateItem] = await ledger.getMany([
    ledgerKeys.order(job.orderId),
    ledgerKeys.orderState(job.orderId),
  ]);
  invariant(orderItem && stateItem, `order ${job.orderId} has no record`);
  const order = orderRecord.from(orderItem);
  const { state: orderState } = orderStateRecord.from(stateItem);
  const plan = await planOfChunk(context, jobId, job, chunk);
  const items = await chunkItems(context, place, plan);
  const tied = new Set((await readTies(ledger, job.orderId)).map(({ position }) => position));

  const attempt = randomUUID();
  const partName = objectNames.part(jobId, chunk, attempt);
  // side by side: in the embedded ledger trace and claims share one flush of the medium
  const [written, settled] = await together(
    beginAttempt(context, 'part', attempt, { objects: [partName], holder: ledgerKeys.chunk(jobId, chunk) }),
    claimItems(context, { place, plan, order, orderState, tied, view }, items),
  );
  // somebody waits for the answer of a job that is bound within its call
  const keyUse = countKeysSlowed(chunkCount(job) === 1 ? 'interactive' : 'bulk');
  const bound = await bindItems(context, place, settled, { ...keyUse.options, ppksAreLost });
  if (bound === undefined) {
    await abandonAttempt(context, written);
    return undefined;
  }

  const returned = settled
    .filter((one) => !isClaimed(one))
    .flatMap(({ index }) => positionOf(plan, index) ?? []);
  const hasShare = ownMember(order.shares, job.party) !== undefined;
  const offsets = offsetsOf(bound.elements);
  const body = concat(...bound.elements.flat());
  bound.release();
  const part = await vault.put(partName, body);
  release(body);
  return {
    part,
    written,
    outcomes: bound.outcomes,
    slowed: keyUse.slowed(),
    offsets,
    trustEpoch: view.epoch,
    orderState: { key: stateItem, revision: stateItem.revision },
    returned,
    // positions that are kept for one eUICC count against no share
    returnedOfShare: hasShare ? returned.filter((position) => !tied.has(position)).length : 0,
  };
}

/** Where each element starts when they stand one after the other, and where the last one ends. */
function offsetsOf(elements: readonly (readonly Bytes[])[]): number[] {
  const offsets = [0];
  for (const pieces of elements)
    offsets.push(pieces.reduce((at, { length }) => at + length, offsets.at(-1)!));
  return offsets;
}
