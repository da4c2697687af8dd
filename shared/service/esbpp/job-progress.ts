import { scanAll } from '../../ledger/scan.ts';
import { present } from '../../present.ts';
import type { Context } from '../context.ts';
import { highest, tellEnd } from '../counts/ends.ts';
import { type JobProgress, progressOfJob } from '../counts/job-counts.ts';
import { type ChunkProgress, chunkCount, chunkProgress, jobRecord } from '../records/job.ts';
import { jobPartition, ledgerKeys, PROGRESS } from '../records/keys.ts';
import { isPaged, startTree } from './manifest-tree.ts';

/** How far the chunks of a job are that were committed; for a job whose answer has no pages. */
export async function chunkProgresses({ ledger }: Context, jobId: string): Promise<ChunkProgress[]> {
  const items = await scanAll(ledger, jobPartition(jobId), { prefix: PROGRESS });
  return items.map(chunkProgress.from);
}

/** Takes a job off the open list once every chunk is committed and finished; reads counts, however many chunks there are. */
export async function finishJob(context: Context, jobId: string): Promise<boolean> {
  const { ledger } = context;
  const jobItem = await ledger.get(ledgerKeys.job(jobId));
  if (jobItem === undefined) return true;
  const job = jobRecord.from(jobItem);
  const progress = await progressOfJob(ledger, jobId, job);
  if (progress.finished < chunkCount(job)) return false;
  const open = await ledger.get(ledgerKeys.openWork('job', jobId));
  if (open === undefined) return true;
  if (isPaged(context, job))
    await startTree(context, jobId, job, (await ledger.get(ledgerKeys.trustEpoch))?.revision ?? 0);
  const { done } = await ledger.write({ remove: open, when: { revision: open.revision } });
  const { orderId, requestId, party, createdAt: since } = job;
  const end = { kind: 'job', id: jobId, orderId, requestId, party, since } as const;
  if (done) tellEnd(context, { ...end, ...outcomeOf(progress) });
  return true;
}

function outcomeOf({ bound, refused, causes }: JobProgress) {
  return { done: bound, refused, ...present({ code: highest(Object.entries(causes)) }) };
}
