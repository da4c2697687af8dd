import { scanAll, scanAllSpread } from '../../ledger/scan.ts';
import type { Context } from '../context.ts';
import { chunkRecord, isBound, type JobRecord, jobRecord } from '../records/job.ts';
import {
  BLOCK,
  drawStripes,
  ledgerKeys,
  orderPartition,
  profilePartition,
  REPLACEMENT,
  RETURNED,
} from '../records/keys.ts';
import {
  drawRecord,
  extraPacks,
  type OrderRecord,
  packCount,
  replacementRecord,
  returnedRecord,
  supplyRecord,
} from '../records/order.ts';
import { readTies } from '../supply/ties.ts';
import { PositionSet } from './position-set.ts';

/** Where the positions of an order are by its draws and commits. */
export interface Places {
  /** Bound, or of a chunk that is not committed yet. */
  readonly used: PositionSet;
  /** Refused, and bound by nobody else. */
  readonly refused: PositionSet;
  /** Used by two draws at once, which must never be. */
  readonly twice: ReadonlySet<number>;
  /** How many of the used ones each device manufacturer has, those kept for an eUICC left out. */
  readonly byMaker: Map<string, number>;
}

export async function placesOf(context: Context, orderId: string, order: OrderRecord): Promise<Places> {
  const { ledger } = context;
  const end = await endOf(context, orderId, order);
  const used = new PositionSet(end);
  const refused = new PositionSet(end);
  const twice = new Set<number>();
  const byMaker = new Map<string, number>();
  const tied = new Set((await readTies(ledger, orderId)).map(({ position }) => position));
  for (let block = 0; block * BLOCK < end; block++) {
    for (const item of await scanAllSpread(ledger, drawStripes(orderId, block))) {
      const { jobId, index, from, count } = drawRecord.from(item);
      const jobItem = await ledger.get(ledgerKeys.job(jobId));
      if (jobItem === undefined) continue;
      const job = jobRecord.from(jobItem);
      const isRefused = await refusals(context, jobId, job, index, count);
      for (let i = 0; i < count; i++) {
        if (isRefused(index + i)) {
          refused.add(from + i);
          continue;
        }
        if (used.has(from + i)) twice.add(from + i);
        used.add(from + i);
        if (!tied.has(from + i)) byMaker.set(job.party, (byMaker.get(job.party) ?? 0) + 1);
      }
    }
  }
  for (const position of used) refused.delete(position);
  return { used, refused, twice, byMaker };
}

/** Which items of a stretch of a job a commit has refused. */
async function refusals(
  { ledger }: Context,
  jobId: string,
  { chunkSize }: JobRecord,
  index: number,
  count: number,
) {
  const first = Math.floor(index / chunkSize);
  const last = Math.floor((index + count - 1) / chunkSize);
  const chunks = await ledger.getMany(
    Array.from({ length: last - first + 1 }, (_, i) => ledgerKeys.chunk(jobId, first + i)),
  );
  return (item: number) => {
    const chunk = chunks[Math.floor(item / chunkSize) - first];
    const outcome = chunk && chunkRecord.from(chunk).outcomes[item % chunkSize];
    return outcome !== undefined && !isBound(outcome);
  };
}

/** Positions that the next draw could take. */
export async function availableOf(
  context: Context,
  orderId: string,
  order: OrderRecord,
): Promise<PositionSet> {
  const item = await context.ledger.get(ledgerKeys.orderSupply(orderId));
  const available = new PositionSet(await endOf(context, orderId, order));
  if (item === undefined) return available;
  const { next, end, taken } = supplyRecord.from(item);
  for (let position = next; position < end; position++) available.add(position);
  for (const [from, to] of taken)
    for (let position = from; position < to; position++) available.delete(position);
  for (const list of await scanAll(context.ledger, orderPartition(orderId), { prefix: RETURNED }))
    for (const position of returnedRecord.from(list).positions) available.add(position);
  return available;
}

/** Positions that are closed, or kept as replacements. */
export async function heldElsewhere(
  context: Context,
  orderId: string,
  order: OrderRecord,
): Promise<PositionSet> {
  const { ledger } = context;
  const held = new PositionSet(await endOf(context, orderId, order));
  for (const tie of await readTies(ledger, orderId)) if (!tie.drawn) held.add(tie.position);
  for (const item of await scanAll(context.ledger, orderPartition(orderId), { prefix: REPLACEMENT })) {
    const { eid, position } = replacementRecord.from(item);
    if ((await ledger.get(ledgerKeys.tie(orderId, eid, position))) === undefined) held.add(position);
  }
  for (let block = 0; block * BLOCK < order.quantity; block++)
    for (const item of await scanAll(ledger, profilePartition(orderId, block))) held.add(Number(item.sort));
  return held;
}

export async function endOf({ ledger }: Context, orderId: string, order: OrderRecord): Promise<number> {
  const extras = await ledger.get(ledgerKeys.orderExtras(orderId));
  return (packCount(order) + extraPacks(extras)) * order.packSize;
}
