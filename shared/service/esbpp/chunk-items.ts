import { decodeRequestItems, type RequestItem } from '../../ifpp-draft1/bpp-request.ts';
import type { Context } from '../context.ts';
import type { JobRecord } from '../records/job.ts';

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

/** Reads the items of a chunk, and no others, from the request as it was received. */
export async function chunkItems({ vault }: Context, { job, chunk }: JobChunk): Promise<ChunkItem[]> {
  const [start, end] = job.chunkOffsets.slice(chunk, chunk + 2) as [number, number];
  const octets = await vault.get(job.request, { offset: start, length: end - start });
  const first = chunk * job.chunkSize;
  return decodeRequestItems(octets, start).map((item, i) => ({ index: first + i, item }));
}
