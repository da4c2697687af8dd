import { asRead } from '../../ledger/change.ts';
import type { Item, Ledger, Write } from '../../ledger/ledger.ts';
import { present } from '../../present.ts';
import type { KeysSlowed } from '../api/esbpp.ts';
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
  readonly keysSlowed?: KeysSlowed;
}

/** The write that counts a commit of a job of many chunks; belongs into its transaction and is planned again with it. */
export async function jobCountWrites(
  ledger: Pick<Ledger, 'get'>,
  jobId: string,
  job: Pick<JobRecord, 'chunkOffsets'>,
  progress: Omit<JobProgress, 'chunks'>,
): Promise<Write[]> {
  if (chunkCount(job) <= FEW) return [];
  const key = ledgerKeys.jobCount(jobId, nextShard());
  const item = await ledger.get(key);
  const before = item === undefined ? NOTHING : jobCount.from(item);
  const after = added(before, { ...progress, chunks: 1 });
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
    progress.set(jobId, added(progress.get(jobId) ?? NOTHING, one));
  }
  return progress;
}

function ofChunk(item: Item): JobProgress {
  const { bound, refused, keysSlowed } = chunkProgress.from(item);
  return { chunks: 1, bound, refused, ...present({ keysSlowed }) };
}

const added = (a: JobProgress, b: JobProgress): JobProgress => ({
  chunks: a.chunks + b.chunks,
  bound: a.bound + b.bound,
  refused: a.refused + b.refused,
  ...present({ keysSlowed: slowedTogether([a.keysSlowed, b.keysSlowed]) }),
});

/** How much the key service slowed all of it down; undefined where it did not. */
export function slowedTogether(slowed: readonly (KeysSlowed | undefined)[]): KeysSlowed | undefined {
  const those = slowed.flatMap((one) => one ?? []);
  if (those.length === 0) return undefined;
  return {
    times: those.reduce((sum, { times }) => sum + times, 0),
    waitedMs: those.reduce((sum, { waitedMs }) => sum + waitedMs, 0),
  };
}
