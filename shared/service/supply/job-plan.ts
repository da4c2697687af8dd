import { invariant } from '../../errors.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import {
  type ChunkPlan,
  type JobRecord,
  type RequestSlice,
  requestSlice,
  sliceCountOf,
} from '../records/job.ts';
import { ledgerKeys } from '../records/keys.ts';

/*
 * Where the chunks of a job lie and which positions its items have: of most jobs in their record, of a large request in slices
 * beside it, so that no record grows with the request.
 */

type Stores = { readonly ledger: Pick<Ledger, 'get' | 'getMany'> };

/** Slices that are in memory at once, each some kilobytes, and 200 where every item names its ICCID. */
const AT_ONCE = 8;

/** The plan that this chunk is in, and the first chunk that it tells of. */
export async function planOfChunk(
  { ledger }: Stores,
  jobId: string,
  job: JobRecord,
  chunk: number,
): Promise<ChunkPlan & { readonly firstChunk: number }> {
  if (job.slices === undefined) return { ...job, firstChunk: 0 };
  const slice = Math.floor(chunk / job.slices.ofSlice);
  const item = await ledger.get(ledgerKeys.requestSlice(jobId, slice));
  invariant(item !== undefined, `job ${jobId} has no slice ${slice}`);
  return { ...requestSlice.from(item), firstChunk: slice * job.slices.ofSlice };
}

/** A slice of a large request, by its number. */
export interface NumberedSlice {
  readonly slice: number;
  readonly plan: RequestSlice;
}

/** The slices of a large request, in their order and some at a time; none of another job. */
export async function* slicesOf(
  { ledger }: Stores,
  jobId: string,
  { slices }: Pick<JobRecord, 'slices'>,
): AsyncGenerator<readonly NumberedSlice[]> {
  const count = slices === undefined ? 0 : sliceCountOf(slices);
  for (let first = 0; first < count; first += AT_ONCE) {
    const numbers = Array.from({ length: Math.min(AT_ONCE, count - first) }, (_, i) => first + i);
    const items = await ledger.getMany(numbers.map((slice) => ledgerKeys.requestSlice(jobId, slice)));
    yield numbers.map((slice, i) => {
      const item = items[i];
      invariant(item !== undefined, `job ${jobId} has no slice ${slice}`);
      return { slice, plan: requestSlice.from(item) };
    });
  }
}

/** All plans of a job. */
export async function* plansOf(
  stores: Stores,
  jobId: string,
  job: JobRecord,
): AsyncGenerator<Pick<ChunkPlan, 'runs'>> {
  if (job.slices === undefined) yield job;
  else for await (const some of slicesOf(stores, jobId, job)) yield* some.map(({ plan }) => plan);
}
