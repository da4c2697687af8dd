import { removeItem } from '../../ledger/change.ts';
import { scanAll } from '../../ledger/scan.ts';
import type { KeysSlowed } from '../api/esbpp.ts';
import type { Context } from '../context.ts';
import { type ChunkProgress, chunkCount, chunkProgress, jobRecord } from '../records/job.ts';
import { jobPartition, ledgerKeys, PROGRESS } from '../records/keys.ts';

/** How far the chunks of a job are that were committed. */
export async function chunkProgresses({ ledger }: Context, jobId: string): Promise<ChunkProgress[]> {
  const items = await scanAll(ledger, jobPartition(jobId), { prefix: PROGRESS });
  return items.map(chunkProgress.from);
}

/** Takes a job off the open list once every chunk is committed and finished. */
export async function finishJob(context: Context, jobId: string): Promise<boolean> {
  const { ledger } = context;
  const jobItem = await ledger.get(ledgerKeys.job(jobId));
  if (jobItem === undefined) return true;
  const finished = (await chunkProgresses(context, jobId)).filter((one) => one.finished).length;
  if (finished < chunkCount(jobRecord.from(jobItem))) return false;
  await removeItem(ledger, ledgerKeys.openWork('job', jobId));
  return true;
}

/** How much the key service slowed committed chunks down; undefined where it did not. */
export function slowedBy(progress: readonly ChunkProgress[]): KeysSlowed | undefined {
  const slowed = progress.flatMap(({ keysSlowed }) => keysSlowed ?? []);
  if (slowed.length === 0) return undefined;
  return {
    times: slowed.reduce((sum, { times }) => sum + times, 0),
    waitedMs: slowed.reduce((sum, { waitedMs }) => sum + waitedMs, 0),
  };
}
