import { asRead } from '../../ledger/change.ts';
import type { ItemKey, Ledger, Write } from '../../ledger/ledger.ts';
import { present } from '../../present.ts';
import type { KeysSlowed } from '../api/esbpp.ts';
import { jobCount } from '../records/inventory.ts';
import { type Chunked, type ChunkProgress, chunkCount, chunkProgress } from '../records/job.ts';
import { ledgerKeys } from '../records/keys.ts';
import { sum } from './order-counts.ts';
import { nextShard, SHARDS } from './shards.ts';

/** Chunks of a job whose progress is read one by one; what larger ones have done is counted. */
const FEW = 64;

export const isCounted = (job: Chunked) => chunkCount(job) > FEW;

/** What the commits of a job add up to. */
export interface JobProgress {
  readonly chunks: number;
  /** Of these chunks. */
  readonly finished: number;
  readonly bound: number;
  readonly refused: number;
  /** Chunks by what most of their refused items were refused for. */
  readonly causes: Readonly<Record<string, number>>;
  readonly keysSlowed?: KeysSlowed;
}

type Committed = Pick<ChunkProgress, 'bound' | 'refused' | 'cause' | 'keysSlowed'>;

/** The write that counts a commit of a job of many chunks; belongs into its transaction and is planned again with it. */
export const jobCountWrites = (
  ledger: Pick<Ledger, 'get'>,
  jobId: string,
  job: Chunked,
  progress: Committed,
): Promise<Write[]> => counting(ledger, jobId, job, ofChunk({ ...progress, finished: false }));

/** The same for the mark that a chunk is finished. */
export const finishedCountWrites = (
  ledger: Pick<Ledger, 'get'>,
  jobId: string,
  job: Chunked,
): Promise<Write[]> => counting(ledger, jobId, job, { ...NOTHING, finished: 1 });

async function counting(
  ledger: Pick<Ledger, 'get'>,
  jobId: string,
  job: Chunked,
  more: JobProgress,
): Promise<Write[]> {
  if (!isCounted(job)) return [];
  const key = ledgerKeys.jobCount(jobId, nextShard());
  const item = await ledger.get(key);
  const before = item === undefined ? NOTHING : jobCount.from(item);
  return [{ put: key, attributes: jobCount.to(added(before, more)), when: asRead(item) }];
}

export const NOTHING: JobProgress = { chunks: 0, finished: 0, bound: 0, refused: 0, causes: {} };

/** How far this job is: reads 64 small items at most. */
export const progressOfJob = async (
  ledger: Pick<Ledger, 'getMany'>,
  jobId: string,
  job: Chunked,
): Promise<JobProgress> => (await committedOf(ledger, [{ jobId, job }])).get(jobId) ?? NOTHING;

/** How far these jobs are: reads 64 small items for each at most. */
export async function committedOf(
  ledger: Pick<Ledger, 'getMany'>,
  jobs: readonly { readonly jobId: string; readonly job: Chunked }[],
): Promise<Map<string, JobProgress>> {
  const wanted = jobs.flatMap(({ jobId, job }) => {
    const keys = isCounted(job)
      ? countKeys(jobId)
      : Array.from({ length: chunkCount(job) }, (_, chunk) => ledgerKeys.chunkProgress(jobId, chunk));
    return keys.map((key) => ({ jobId, key }));
  });
  const counted = new Set(jobs.filter(({ job }) => isCounted(job)).map(({ jobId }) => jobId));
  const items = await ledger.getMany(wanted.map(({ key }) => key));
  const progress = new Map<string, JobProgress>();
  for (const [i, { jobId }] of wanted.entries()) {
    const item = items[i];
    if (item === undefined) continue;
    const one = counted.has(jobId) ? jobCount.from(item) : ofChunk(chunkProgress.from(item));
    progress.set(jobId, added(progress.get(jobId) ?? NOTHING, one));
  }
  return progress;
}

/** Where the counts of a job of many chunks stand. */
export const countKeys = (jobId: string): readonly ItemKey[] =>
  Array.from({ length: SHARDS }, (_, shard) => ledgerKeys.jobCount(jobId, shard));

/** What one chunk adds to it. */
export const ofChunk = ({
  bound,
  refused,
  cause,
  finished,
  keysSlowed,
}: Committed & Pick<ChunkProgress, 'finished'>): JobProgress => ({
  chunks: 1,
  finished: finished ? 1 : 0,
  bound,
  refused,
  causes: cause === undefined ? {} : { [cause]: 1 },
  ...present({ keysSlowed }),
});

export const added = (a: JobProgress, b: JobProgress): JobProgress => ({
  chunks: a.chunks + b.chunks,
  finished: a.finished + b.finished,
  bound: a.bound + b.bound,
  refused: a.refused + b.refused,
  causes: sum(a.causes, b.causes),
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
