import { asRead } from '../../ledger/change.ts';
import type { Item, Ledger, Write } from '../../ledger/ledger.ts';
import { jobCount } from '../records/inventory.ts';
import { chunkCount, chunkProgress, type JobRecord } from '../records/job.ts';
import { ledgerKeys } from '../records/keys.ts';
import { nextShard, SHARDS } from './shards.ts';

/** Chunks of a job whose progress is read one by one; what larger ones have done is counted. */
const FEW = 64;

/** What the commits of a job add up to. */
export interface JobProgress {
  readonly chunks: number;
  readonly bound: number;
  readonly refused: number;
}

/** The write that counts a commit of a job of many chunks; belongs into its transaction and is planned again with it. */
export async function jobCountWrites(
  ledger: Pick<Ledger, 'get'>,
  jobId: string,
  job: Pick<JobRecord, 'chunkOffsets'>,
  { bound, refused }: Pick<JobProgress, 'bound' | 'refused'>,
): Promise<Write[]> {
  if (chunkCount(job) <= FEW) return [];
  const key = ledgerKeys.jobCount(jobId, nextShard());
  const item = await ledger.get(key);
  const before = item === undefined ? NOTHING : jobCount.from(item);
  const after = { chunks: before.chunks + 1, bound: before.bound + bound, refused: before.refused + refused };
  return [{ put: key, attributes: jobCount.to(after), when: asRead(item) }];
}

const NOTHING: JobProgress = { chunks: 0, bound: 0, refused: 0 };

/** How far these jobs are: reads 64 small items for each at most. */
export async function committedOf(
  ledger: Pick<Ledger, 'getMany'>,
  jobs: readonly { readonly jobId: string; readonly job: Pick<JobRecord, 'chunkOffsets'> }[],
): Promise<Map<string, JobProgress>> {
  const wanted = jobs.flatMap(({ jobId, job }) => {
    const chunks = chunkCount(job);
    return chunks > FEW
      ? Array.from({ length: SHARDS }, (_, shard) => ({ jobId, key: ledgerKeys.jobCount(jobId, shard) }))
      : Array.from({ length: chunks }, (_, chunk) => ({
          jobId,
          key: ledgerKeys.chunkProgress(jobId, chunk),
        }));
  });
  const counted = new Set(jobs.filter(({ job }) => chunkCount(job) > FEW).map(({ jobId }) => jobId));
  const items = await ledger.getMany(wanted.map(({ key }) => key));
  const progress = new Map<string, JobProgress>();
  for (const [i, { jobId }] of wanted.entries()) {
    const item = items[i];
    if (item === undefined) continue;
    const one = counted.has(jobId) ? jobCount.from(item) : ofChunk(item);
    const { chunks, bound, refused } = progress.get(jobId) ?? NOTHING;
    progress.set(jobId, {
      chunks: chunks + one.chunks,
      bound: bound + one.bound,
      refused: refused + one.refused,
    });
  }
  return progress;
}

function ofChunk(item: Item): JobProgress {
  const { bound, refused } = chunkProgress.from(item);
  return { chunks: 1, bound, refused };
}
