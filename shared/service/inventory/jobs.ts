import { refuse } from '../../errors.ts';
import type { Item } from '../../ledger/ledger.ts';
import { scanAllSpread } from '../../ledger/scan.ts';
import { ifPresent, present } from '../../present.ts';
import { STATUS_CODES } from '../../status-codes.ts';
import type { Inventory, JobDetail, JobSummary, RefusedJobItem } from '../api/ops.ts';
import type { Context } from '../context.ts';
import { committedOf, type JobProgress } from '../counts/job-counts.ts';
import { listedEntry } from '../records/inventory.ts';
import { chunkCount, chunkRecord, isBound, type JobRecord, jobRecord } from '../records/job.ts';
import { blockOf, drawStripes, ledgerKeys, listedPartition, padded } from '../records/keys.ts';
import { drawRecord } from '../records/order.ts';
import { reasonOf } from './intake.ts';
import { pageOf } from './page.ts';
import { iso, splitSort } from './times.ts';

/** Chunks whose refused items a page tells. */
const CHUNKS = 8;

/**
 * Requests for Bound Profile Packages by time. Those that were bound just in time are not listed one by one, which would
 * cost each of them a write: the list has the lane that they were bound through, and the draws of its positions lead to
 * them.
 */
export async function listJobs(
  context: Context,
  { orderId, party, open, ...request }: Parameters<Inventory['listJobs']>[0],
): Promise<{ jobs: readonly JobSummary[]; cursor?: string }> {
  const source = { partition: listedPartition('job'), descending: true } as const;
  const { entries: jobs, cursor } = await pageOf(context.ledger, request, source, async (items) => {
    const groups = await Promise.all(items.map((item) => jobIdsOf(context, item, open === true)));
    const found = await jobsOf(context, groups.flat());
    return groups.map((jobIds) =>
      jobIds
        .flatMap((jobId) => found.get(jobId) ?? [])
        .filter((job) => orderId === undefined || job.orderId === orderId)
        .filter((job) => party === undefined || job.party === party)
        .filter((job) => open !== true || job.state === 'Pending'),
    );
  });
  return { jobs, ...present({ cursor }) };
}

/** The jobs that an entry of the list stands for. */
async function jobIdsOf({ ledger }: Context, item: Item, openOnly: boolean): Promise<readonly string[]> {
  const { name: orderId, positions } = listedEntry.from(item);
  if (positions === undefined) return [splitSort(item.sort).id];
  // what is bound just in time is committed from its start
  if (openOnly) return [];
  const wanted = new Set(positions);
  const blocks = [...new Set(positions.map(blockOf))];
  const draws = await Promise.all(
    blocks.map((block) => {
      const within = positions.filter((position) => blockOf(position) === block);
      const bounds = { from: padded(Math.min(...within)), to: `${padded(Math.max(...within))}#~` };
      return scanAllSpread(ledger, drawStripes(orderId, block), bounds);
    }),
  );
  return draws
    .flat()
    .map(drawRecord.from)
    .filter(({ from, count }) => count === 1 && wanted.has(from))
    .map(({ jobId }) => jobId)
    .reverse();
}

async function jobsOf(context: Context, jobIds: readonly string[]): Promise<Map<string, JobSummary>> {
  const { ledger } = context;
  const [jobs, open] = await Promise.all([
    ledger.getMany(jobIds.map((jobId) => ledgerKeys.job(jobId))),
    ledger.getMany(jobIds.map((jobId) => ledgerKeys.openWork('job', jobId))),
  ]);
  const found = jobIds.flatMap((jobId, i) =>
    jobs[i] === undefined ? [] : [{ jobId, job: jobRecord.from(jobs[i]), isOpen: open[i] !== undefined }],
  );
  const progress = await committedOf(ledger, found);
  return new Map(
    found.map(({ jobId, job, isOpen }) => [jobId, summaryOf(jobId, job, isOpen, progress.get(jobId))]),
  );
}

function stateOf({ planning }: JobRecord, isOpen: boolean): JobSummary['state'] {
  if (planning?.refused !== undefined) return 'Refused';
  return isOpen || planning !== undefined ? 'Pending' : 'Done';
}

/** Jobs by their identifiers; those that are not there are left out. */
export const summariesOf = async (context: Context, jobIds: readonly string[]): Promise<JobSummary[]> => [
  ...(await jobsOf(context, jobIds)).values(),
];

function summaryOf(
  jobId: string,
  job: JobRecord,
  isOpen: boolean,
  { chunks = 0, bound = 0, refused = 0 }: Partial<JobProgress> = {},
): JobSummary {
  return {
    jobId: jobId.toUpperCase(),
    requestId: job.requestId.toUpperCase(),
    party: job.party,
    orderId: job.orderId,
    items: job.items,
    createdAt: iso(job.createdAt),
    state: stateOf(job, isOpen),
    ...present({ reason: ifPresent(job.planning?.refused, reasonOf) }),
    bound,
    refused,
    chunks: chunkCount(job),
    committedChunks: chunks,
  };
}

/** One job, and the items that were refused, some chunks at a time. */
export async function getJob(
  context: Context,
  { jobId: asked, cursor }: Parameters<Inventory['getJob']>[0],
): Promise<JobDetail> {
  const { ledger } = context;
  const jobId = asked.toLowerCase();
  const [summary] = await summariesOf(context, [jobId]);
  if (summary === undefined) refuse('requestUnknown', 'no such job', { subjectIdentifier: asked });
  const first = cursor === undefined ? 0 : chunkOf(cursor, summary.chunks);
  const end = Math.min(summary.chunks, first + CHUNKS);
  const keys = Array.from({ length: end - first }, (_, i) => ledgerKeys.chunk(jobId, first + i));
  const refusedItems = (await ledger.getMany(keys)).flatMap((item): RefusedJobItem[] =>
    item === undefined
      ? []
      : chunkRecord.from(item).outcomes.flatMap((outcome) => {
          if (isBound(outcome)) return [];
          const { itemId, eid, refusal: code, message } = outcome;
          const { subject: subjectCode, reason: reasonCode } = STATUS_CODES[code];
          return [{ itemId, eid, code, subjectCode, reasonCode, message }];
        }),
  );
  return { ...summary, refusedItems, ...(end < summary.chunks && { cursor: String(end) }) };
}

function chunkOf(cursor: string, chunks: number): number {
  const chunk = /^[0-9]{1,10}$/.test(cursor) ? Number(cursor) : chunks + 1;
  return chunk <= chunks ? chunk : refuse('protocolFormat', 'the cursor is not one that this list gave');
}
