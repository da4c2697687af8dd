import type { Item, Ledger, Write } from '../../ledger/ledger.ts';
import { scanAll } from '../../ledger/scan.ts';
import { chunkProgress } from '../records/job.ts';
import { LANE, ledgerKeys, orderPartition } from '../records/keys.ts';
import { type ReturnedRecord, returnedRecord } from '../records/order.ts';
import { orderCountWrites, sum } from './order-counts.ts';

/**
 * What was bound just in time is counted by its lane, which the transaction that binds it writes anyway: a count of its
 * own would cost each profile two write units more. The end of a lane moves what it has counted to the counts of its order.
 * Its profiles are delivered, but for the last one where its process has not come to the end of that.
 */

/** What this lane has counted, as states of its profiles. */
function countedBy(
  { lane }: Pick<ReturnedRecord, 'lane'>,
  lastInTime: boolean,
): { Bound: number; Delivered: number } {
  if (lane === undefined) return { Bound: 0, Delivered: 0 };
  return lastInTime ? { Bound: 0, Delivered: lane.bound } : { Bound: 1, Delivered: lane.bound - 1 };
}

/** Whether the mark of this job came with its delivery. */
const isInTime = (progress: Item | undefined) =>
  progress !== undefined && chunkProgress.from(progress).inTime === true;

/** What the lanes of an order have counted so far: as many small items as processes bind at the moment. */
export async function countedInLanes(
  ledger: Pick<Ledger, 'query' | 'getMany'>,
  orderId: string,
): Promise<{ Bound: number; Delivered: number }> {
  const lanes = (await scanAll(ledger, orderPartition(orderId), { prefix: LANE })).map(returnedRecord.from);
  const used = lanes.flatMap(({ lane }) => lane ?? []);
  const marks = await ledger.getMany(used.map(({ last }) => ledgerKeys.chunkProgress(last, 0)));
  const total = sum(...used.map((lane, i) => countedBy({ lane }, isInTime(marks[i]))));
  return { Bound: total.Bound ?? 0, Delivered: total.Delivered ?? 0 };
}

/** Moves what a lane has counted to its order; belongs into the transaction that takes the lane away. */
export async function laneCountWrites(
  ledger: Pick<Ledger, 'get'>,
  orderId: string,
  record: Pick<ReturnedRecord, 'lane'>,
  lastInTime: boolean,
  atMs: number,
): Promise<Write[]> {
  return await orderCountWrites(ledger, orderId, countedBy(record, lastInTime), atMs);
}

/** Whether the last profile of a lane was delivered with its mark. */
export async function lastInTime(
  ledger: Pick<Ledger, 'get'>,
  { lane }: Pick<ReturnedRecord, 'lane'>,
): Promise<boolean> {
  return lane !== undefined && isInTime(await ledger.get(ledgerKeys.chunkProgress(lane.last, 0)));
}
