import { mapConcurrently } from '../../concurrency.ts';
import { scanAll, scanAllSpread } from '../../ledger/scan.ts';
import type { Context } from '../context.ts';
import {
  type BoundItem,
  chunkProgress,
  chunkRecord,
  isBound,
  type JobRecord,
  jobRecord,
} from '../records/job.ts';
import { BLOCK, blockOf, drawStripes, ledgerKeys, profilePartition } from '../records/keys.ts';
import { putJobRecord, putRequestSlice } from '../records/locked-records.ts';
import { drawRecord } from '../records/order.ts';
import { type ProfileRecord, profileRecord } from '../records/profile.ts';
import { slicesOf } from './job-plan.ts';

/**
 * What must stand before any chunk of a job is bound; may be repeated. Of a large request its slices are recorded before the job
 * that they are of.
 */
export async function recordJob(context: Context, jobId: string, job: JobRecord): Promise<void> {
  for await (const some of slicesOf(context, jobId, job))
    await mapConcurrently(some, some.length, async ({ slice, plan }) => {
      await putRequestSlice(context.vault, jobId, slice, plan);
      await indexDraws(context, jobId, { ...job, ...plan });
    });
  await putJobRecord(context.vault, jobId, job);
  await indexDraws(context, jobId, job);
}

/**
 * From a position of an order to what became of it. The draw index follows from the jobs, so writing it may be
 * repeated, and a job is dispatched only after its part of the index is written.
 */
export async function indexDraws(
  { ledger }: Context,
  jobId: string,
  { orderId, runs }: Pick<JobRecord, 'orderId' | 'runs'>,
): Promise<void> {
  const pieces = runs.flatMap(([index, from, count]) => {
    const split: { index: number; from: number; count: number }[] = [];
    for (let at = 0; at < count; ) {
      const length = Math.min(count - at, BLOCK - ((from + at) % BLOCK));
      split.push({ index: index + at, from: from + at, count: length });
      at += length;
    }
    return split;
  });
  await ledger.writeMany(
    pieces.map(({ index, from, count }) => ({
      put: ledgerKeys.orderDraw(orderId, from, jobId),
      attributes: drawRecord.to({ jobId, index, from, count }),
      when: 'absent',
    })),
  );
}

export interface BoundAt {
  readonly jobId: string;
  readonly index: number;
  readonly outcome: BoundItem;
  readonly delivered: boolean;
  /** Its commit record is locked, and its PPK destroyed. */
  readonly finished: boolean;
}

/** What the commits and results say of the positions of one block. */
export interface BlockView {
  readonly bound: ReadonlyMap<number, BoundAt>;
  readonly records: ReadonlyMap<number, ProfileRecord>;
}

export async function viewBlock(context: Context, orderId: string, block: number): Promise<BlockView> {
  const { ledger } = context;
  const draws = (await scanAllSpread(ledger, drawStripes(orderId, block))).map(drawRecord.from);
  const jobIds = [...new Set(draws.map(({ jobId }) => jobId))];
  const jobItems = await ledger.getMany(jobIds.map((jobId) => ledgerKeys.job(jobId)));
  const jobs = new Map(
    jobItems.flatMap((item, i) => (item === undefined ? [] : [[jobIds[i]!, jobRecord.from(item)]])),
  );

  const chunks = new Map<string, { jobId: string; chunk: number }>();
  for (const { jobId, index, count } of draws) {
    const size = jobs.get(jobId)?.chunkSize;
    if (size === undefined) continue;
    const first = Math.floor(index / size);
    const last = Math.floor((index + count - 1) / size);
    for (let chunk = first; chunk <= last; chunk++) chunks.set(`${jobId}:${chunk}`, { jobId, chunk });
  }
  const wanted = [...chunks.values()];
  const records = await ledger.getMany(wanted.map(({ jobId, chunk }) => ledgerKeys.chunk(jobId, chunk)));
  const progress = await ledger.getMany(
    wanted.map(({ jobId, chunk }) => ledgerKeys.chunkProgress(jobId, chunk)),
  );
  const bound = new Map<number, BoundAt>();
  for (const [i, { jobId, chunk }] of wanted.entries()) {
    const item = records[i];
    if (item === undefined) continue;
    const { deliveredAt, finished = false } =
      progress[i] === undefined ? {} : chunkProgress.from(progress[i]);
    const delivered = deliveredAt !== undefined;
    for (const [n, outcome] of chunkRecord.from(item).outcomes.entries()) {
      if (!isBound(outcome) || blockOf(outcome.position) !== block) continue;
      bound.set(outcome.position, {
        jobId,
        index: chunk * jobs.get(jobId)!.chunkSize + n,
        outcome,
        delivered,
        finished,
      });
    }
  }
  const results = await scanAll(ledger, profilePartition(orderId, block));
  return { bound, records: new Map(results.map((item) => [Number(item.sort), profileRecord.from(item)])) };
}
