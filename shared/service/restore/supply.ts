import { becomes, changeItem, changeItems, unchanged, writes } from '../../ledger/change.ts';
import type { Write } from '../../ledger/ledger.ts';
import { scanAll } from '../../ledger/scan.ts';
import type { Context } from '../context.ts';
import { chunkRecord, isBound, type JobRecord, jobRecord } from '../records/job.ts';
import {
  BLOCK,
  drawPartition,
  ledgerKeys,
  orderPartition,
  profilePartition,
  REPLACEMENT,
  RETURNED,
  shareReturnedPrefix,
} from '../records/keys.ts';
import {
  drawRecord,
  extraPacks,
  type OrderRecord,
  orderRecord,
  orderStateRecord,
  packCount,
  packRecord,
  replacementRecord,
  returnedOfShare,
  returnedRecord,
  shareRecord,
  supplyRecord,
} from '../records/order.ts';
import { profileRecord } from '../records/profile.ts';
import { planDraw } from '../supply/supply.ts';
import { readTies } from '../supply/ties.ts';
import { PositionSet } from './position-set.ts';

/** Positions that one transaction takes out of the supply or gives back. */
const SLICE = 1_000;

export interface SupplyChanges {
  /** Drawn since the restored ledger's last write. */
  readonly taken: number;
  /** Drawn and refused since then, and in nobody's hands. */
  readonly returned: number;
  /** Closed, since their PPKs are gone. */
  readonly closed: number;
}

/** Where the positions of an order are by its draws and commits. */
interface Places {
  /** Bound, or of a chunk that is not committed yet. */
  readonly used: PositionSet;
  /** Refused, and bound by nobody else. */
  readonly refused: PositionSet;
  /** How many of the used ones each device manufacturer has, those kept for an eUICC left out. */
  readonly byMaker: Map<string, number>;
}

/**
 * Makes the supply of an open order agree with its jobs and commits, so that no position is drawn twice and none is
 * lost, and closes what can never be bound. May be repeated.
 */
export async function reconcileSupply(context: Context, orderId: string): Promise<SupplyChanges> {
  const { ledger } = context;
  const [orderItem, stateItem, supply] = await ledger.getMany([
    ledgerKeys.order(orderId),
    ledgerKeys.orderState(orderId),
    ledgerKeys.orderSupply(orderId),
  ]);
  const none = { taken: 0, returned: 0, closed: 0 };
  if (orderItem === undefined || stateItem === undefined || supply === undefined) return none;
  if (orderStateRecord.from(stateItem).state !== 'Open') return none;
  const order = orderRecord.from(orderItem);
  const places = await placesOf(context, orderId, order);
  const available = await availableOf(context, orderId, order);
  const taken = await takeOut(
    context,
    orderId,
    places.used.where((position) => available.has(position)),
  );
  const held = await heldElsewhere(context, orderId, order);
  const returned = await giveBack(
    context,
    orderId,
    places.refused.where(
      (position) => position < order.quantity && !available.has(position) && !held.has(position),
    ),
  );
  await settleShares(context, orderId, order, places.byMaker);
  return { taken, returned, closed: await closeLost(context, orderId, order) };
}

async function placesOf(context: Context, orderId: string, order: OrderRecord): Promise<Places> {
  const { ledger } = context;
  const end = await endOf(context, orderId, order);
  const used = new PositionSet(end);
  const refused = new PositionSet(end);
  const byMaker = new Map<string, number>();
  const tied = new Set((await readTies(ledger, orderId)).map(({ position }) => position));
  for (let block = 0; block * BLOCK < end; block++) {
    for (const item of await scanAll(ledger, drawPartition(orderId, block))) {
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
        used.add(from + i);
        if (!tied.has(from + i)) byMaker.set(job.party, (byMaker.get(job.party) ?? 0) + 1);
      }
    }
  }
  for (const position of used) refused.delete(position);
  return { used, refused, byMaker };
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
async function availableOf(context: Context, orderId: string, order: OrderRecord): Promise<PositionSet> {
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
async function heldElsewhere(context: Context, orderId: string, order: OrderRecord): Promise<PositionSet> {
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

async function takeOut(context: Context, orderId: string, positions: Iterable<number>): Promise<number> {
  let taken = 0;
  for (const slice of slices(positions)) {
    // one draw may not reach all of them
    for (let drawn = -1; drawn !== 0; taken += drawn) drawn = await drawOf(context, orderId, slice);
  }
  return taken;
}

/** Takes as many of these positions as one draw reaches; returns how many. */
async function drawOf(context: Context, orderId: string, positions: readonly number[]): Promise<number> {
  return await changeItems<number>(context.ledger, async () => {
    const draw = await planDraw(context, orderId, positions);
    const count = draw.runs.reduce((sum, [, , length]) => sum + length, 0);
    return count === 0 ? unchanged(0) : writes(draw.writes, count);
  });
}

async function giveBack({ ledger }: Context, orderId: string, positions: Iterable<number>): Promise<number> {
  let returned = 0;
  for (const slice of slices(positions)) {
    // named by its first position: the same list again is the same item
    const key = ledgerKeys.orderReturnedAgain(orderId, slice[0]!);
    await changeItem(ledger, key, (item) => {
      const before = item === undefined ? [] : returnedRecord.from(item).positions;
      return becomes(returnedRecord.to({ positions: [...new Set([...before, ...slice])] }));
    });
    returned += slice.length;
  }
  return returned;
}

/** What counts against a share is what the maker's jobs use now; counts that wait to be settled are added beforehand. */
async function settleShares(
  context: Context,
  orderId: string,
  order: OrderRecord,
  byMaker: ReadonlyMap<string, number>,
): Promise<void> {
  const { ledger } = context;
  for (const maker of Object.keys(order.shares ?? {})) {
    const waiting = await scanAll(context.ledger, orderPartition(orderId), {
      prefix: shareReturnedPrefix(maker),
    });
    const settled = waiting.reduce((sum, one) => sum + returnedOfShare.from(one).count, 0);
    const drawn = (byMaker.get(maker) ?? 0) + settled;
    await changeItem(ledger, ledgerKeys.orderShare(orderId, maker), (item) =>
      drawn === (item === undefined ? 0 : shareRecord.from(item).drawn)
        ? unchanged()
        : becomes(shareRecord.to({ drawn })),
    );
  }
}

/** Profiles still to be drawn whose PPK or data key is gone, with the PPK vault or by a cancellation: nobody can bind them. */
async function closeLost(context: Context, orderId: string, order: OrderRecord): Promise<number> {
  const { ledger, ppks, now } = context;
  const available = await availableOf(context, orderId, order);
  let closed = 0;
  for (let pack = 0; pack < packCount(order); pack++) {
    const first = pack * order.packSize;
    const positions = Array.from({ length: order.packSize }, (_, i) => first + i).filter((position) =>
      available.has(position),
    );
    if (positions.length === 0) continue;
    const item = await ledger.get(ledgerKeys.orderPack(orderId, pack));
    const record = item && packRecord.from(item);
    const places = positions.map((position) => position % order.packSize);
    const hasKey = record !== undefined && (await ppks.header(record.dataKey)) !== undefined;
    const entries = hasKey ? await ppks.entries(record.ppks, places) : [];
    for (const [i, position] of positions.entries()) {
      if (entries[i] !== undefined) continue;
      const iccid = record?.iccids[places[i]!];
      if (iccid !== undefined && (await close(context, orderId, position, iccid, now()))) closed += 1;
    }
  }
  return closed;
}

async function close(
  { ledger, ...context }: Context,
  orderId: string,
  position: number,
  iccid: string,
  at: number,
): Promise<boolean> {
  const draw = await planDraw({ ledger, ...context }, orderId, [position]);
  if (draw.runs.length === 0) return false;
  const record = {
    state: 'Closed',
    iccid,
    at,
    detail: 'its keys were lost when the ledger was restored',
  } as const;
  const writes: Write[] = [
    ...draw.writes,
    { put: ledgerKeys.profile(orderId, position), attributes: profileRecord.to(record), when: 'absent' },
  ];
  return (await ledger.transact(writes)).done;
}

async function endOf({ ledger }: Context, orderId: string, order: OrderRecord): Promise<number> {
  const extras = await ledger.get(ledgerKeys.orderExtras(orderId));
  return (packCount(order) + extraPacks(extras)) * order.packSize;
}

function* slices(positions: Iterable<number>): Generator<number[]> {
  let slice: number[] = [];
  for (const position of positions) {
    if (slice.push(position) < SLICE) continue;
    yield slice;
    slice = [];
  }
  if (slice.length > 0) yield slice;
}
