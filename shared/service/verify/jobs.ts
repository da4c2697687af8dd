import { Fault } from '../../errors.ts';
import type { Context } from '../context.ts';
import { isCounted, ofChunk, progressOfJob } from '../counts/job-counts.ts';
import { COUNTED, type Counted, differ } from '../counts/job-recount.ts';
import { chunkCount, chunkProgress, type JobRecord, jobRecord } from '../records/job.ts';
import { jobCountsPartition, ledgerKeys } from '../records/keys.ts';
import { recordedJobs } from '../records/locked-records.ts';
import { checkEach, type Finding, inLedger, type Slice } from './finding.ts';

/** Jobs of one slice, and chunks of one of a job of many. */
const SLICE = 20;
const CHUNKS = 1_000;

/**
 * Every locked record of a job: it was written when the ledger had the job, before any of it was bound. Of a job of many chunks
 * the progress of each is held against the job's counts, so many at once; those of others are looked at with the job (items.ts).
 */
export async function* verifyJobs(
  context: Context,
  after: string,
  chunksAtOnce = CHUNKS,
): AsyncGenerator<Slice> {
  const begun = placeOf(after);
  let jobIds: string[] = [];
  const slice = async (cursor = jobIds.at(-1)!): Promise<Slice> => {
    const findings = await checkEach(
      jobIds,
      (jobId) => checkKnown(context, jobId),
      (jobId) => inLedger(ledgerKeys.job(jobId), ''),
    );
    const looked = jobIds.length;
    jobIds = [];
    return { findings, looked, cursor };
  };
  for await (const jobId of recordedJobs(context.vault)) {
    if (jobId < begun.jobId || (jobId === begun.jobId && begun.chunk === undefined)) continue;
    jobIds.push(jobId);
    const job = await jobOfMany(context, jobId);
    if (job !== undefined) {
      const from = { ...START, ...(jobId === begun.jobId && begun), jobId };
      yield await slice(cursorAt(from));
      yield* chunksOf(context, job, from, chunksAtOnce);
    } else if (jobIds.length === SLICE) yield await slice();
  }
  if (jobIds.length > 0) yield await slice();
}

/** How far a job of many chunks was looked at, and what its chunks before this one add up to. */
interface Place extends Counted {
  readonly jobId: string;
  /** Undefined behind its last one. */
  readonly chunk: number | undefined;
}

const START: Omit<Place, 'jobId'> = { chunk: 0, chunks: 0, finished: 0, bound: 0, refused: 0 };

function placeOf(cursor: string): Place {
  const [jobId = '', chunk, ...counts] = cursor.split(' ');
  const [chunks = 0, finished = 0, bound = 0, refused = 0] = counts.map(Number);
  return { jobId, chunk: chunk === undefined ? undefined : Number(chunk), chunks, finished, bound, refused };
}

const cursorAt = ({ jobId, chunk, chunks, finished, bound, refused }: Place): string =>
  chunk === undefined ? jobId : [jobId, chunk, chunks, finished, bound, refused].join(' ');

/** The job, if it has many chunks; one that cannot be read is found with the ledger's items. */
async function jobOfMany({ ledger }: Context, jobId: string): Promise<JobRecord | undefined> {
  try {
    const item = await ledger.get(ledgerKeys.job(jobId));
    const job = item && jobRecord.from(item);
    return job !== undefined && isCounted(job) ? job : undefined;
  } catch (error) {
    if (!(error instanceof Fault) || error.retryable) throw error;
    return undefined;
  }
}

async function checkKnown({ ledger }: Context, jobId: string): Promise<Finding[]> {
  const key = ledgerKeys.job(jobId);
  if ((await ledger.get(key)) !== undefined) return [];
  return [inLedger(key, 'a locked record tells of this job, and the ledger does not know it')];
}

async function* chunksOf(
  context: Context,
  job: JobRecord,
  from: Place,
  atOnce: number,
): AsyncGenerator<Slice> {
  let place = from;
  while (place.chunk !== undefined) {
    const { jobId, chunk: first } = place;
    const end = Math.min(first + atOnce, chunkCount(job));
    let next = place;
    const findings = await checkEach(
      [first],
      async () => {
        const { findings: found, sum } = await checkChunks(context, place, end);
        next = { ...place, ...sum, chunk: end < chunkCount(job) ? end : undefined };
        return next.chunk === undefined ? [...found, ...(await checkCounts(context, job, next))] : found;
      },
      () => inLedger(ledgerKeys.job(jobId), ''),
    );
    // one that cannot be read ends the look at this job
    place = next === place ? { ...place, chunk: undefined } : next;
    yield { findings, looked: end - first, cursor: cursorAt(place) };
  }
}

/** Chunks that are missing while nothing says that the job is open work, and what those that are there add up to. */
async function checkChunks({ ledger }: Context, { jobId, chunk: first = 0, ...before }: Place, end: number) {
  const keys = Array.from({ length: end - first }, (_, i) => ledgerKeys.chunkProgress(jobId, first + i));
  const items = await ledger.getMany(keys);
  const open = await ledger.get(ledgerKeys.openWork('job', jobId));
  const sum: Record<keyof Counted, number> = { ...before };
  for (const item of items) {
    if (item === undefined) continue;
    const one = ofChunk(chunkProgress.from(item));
    for (const what of COUNTED) sum[what] += one[what];
  }
  const left = end - first - (sum.finished - before.finished);
  const problem = `${left} of the chunks from ${first} to ${end - 1} are not committed and finished, and nothing says that the job is open work`;
  return { findings: left > 0 && open === undefined ? [inLedger(ledgerKeys.job(jobId), problem)] : [], sum };
}

/** The counts of a job whose chunks are all finished, which change no more: by them it comes to its end. */
async function checkCounts(
  { ledger }: Context,
  job: JobRecord,
  { jobId, ...found }: Place,
): Promise<Finding[]> {
  if (found.finished < chunkCount(job)) return [];
  const counted = await progressOfJob(ledger, jobId, job);
  if (!differ({ counted, found })) return [];
  return [
    {
      where: 'ledger',
      name: `${jobCountsPartition(jobId)}#*`,
      problem: 'the counts of the job are not those of its chunks',
      repair: { recountJob: jobId },
    },
  ];
}
