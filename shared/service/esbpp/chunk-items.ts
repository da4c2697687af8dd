import { invariant } from '../../errors.ts';
import { decodeRequestItems, type RequestItem } from '../../ifpp-draft1/bpp-request.ts';
import type { Context } from '../context.ts';
import { readChecked } from '../life/checked-reads.ts';
import type { JobRecord } from '../records/job.ts';
import type { planOfChunk } from '../supply/job-plan.ts';

/** One chunk of a job. */
export interface JobChunk {
  readonly jobId: string;
  readonly job: JobRecord;
  readonly chunk: number;
}

/** An item of a request, by its index in the job. */
export interface ChunkItem {
  readonly index: number;
  readonly item: RequestItem;
}

/** Where a chunk lies and what its items have, with those of the chunks beside it. */
export type PlanOfChunk = Awaited<ReturnType<typeof planOfChunk>>;

/** Reads the items of a chunk, and no others, from the request as it was received. */
export async function chunkItems(
  context: Context,
  { job, chunk }: JobChunk,
  { chunkOffsets: offsets, chunkHashes: hashes, firstChunk }: PlanOfChunk,
): Promise<ChunkItem[]> {
  const { request } = job;
  invariant(request !== undefined, 'a job that was bound just in time has nothing left to bind');
  const octets = await readChecked(context, request, { offsets, hashes }, chunk - firstChunk);
  const start = offsets[chunk - firstChunk]!;
  const first = chunk * job.chunkSize;
  return decodeRequestItems(octets, start).map((item, i) => ({ index: first + i, item }));
}
