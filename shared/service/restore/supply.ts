import { becomes, changeItem, changeItems, unchanged, writes } from '../../ledger/change.ts';
import type { Write } from '../../ledger/ledger.ts';
import { scanAll } from '../../ledger/scan.ts';
import { auditWrite } from '../audit/line.ts';
import type { Context } from '../context.ts';
import { orderCountWrites } from '../counts/order-counts.ts';
import { transactCounted } from '../counts/transact.ts';
import { LANE, ledgerKeys, orderPartition, shareReturnedPrefix } from '../records/keys.ts';
import {
  type OrderRecord,
  orderRecord,
  orderStateRecord,
  packCount,
  packRecord,
  returnedOfShare,
  returnedRecord,
  shareRecord,
} from '../records/order.ts';
import { profileRecord } from '../records/profile.ts';
import { planDraw } from '../supply/supply.ts';
import { availableOf, heldElsewhere, placesOf } from './places.ts';

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

/**
 * What counts against a share is what the maker's jobs use now, and what lies in lanes of the share; counts that wait to be
 * settled are added beforehand.
 */
async function settleShares(
  context: Context,
  orderId: string,
  order: OrderRecord,
  byMaker: ReadonlyMap<string, number>,
): Promise<void> {
  const { ledger } = context;
  const lanes = (await scanAll(ledger, orderPartition(orderId), { prefix: LANE })).map(returnedRecord.from);
  for (const maker of Object.keys(order.shares ?? {})) {
    const waiting = await scanAll(ledger, orderPartition(orderId), {
      prefix: shareReturnedPrefix(maker),
    });
    const settled = waiting.reduce((sum, one) => sum + returnedOfShare.from(one).count, 0);
    const laid = lanes.reduce((sum, lane) => sum + (lane.sharer === maker ? lane.positions.length : 0), 0);
    const drawn = (byMaker.get(maker) ?? 0) + laid + settled;
    await changeItem(ledger, ledgerKeys.orderShare(orderId, maker), (item) =>
      drawn === (item === undefined ? 0 : shareRecord.from(item).drawn)
        ? unchanged()
        : becomes(shareRecord.to({ drawn })),
    );
  }
}

/**
 * Closes profiles still to be drawn whose PPK or data key is gone, with the PPK vault or by an end that the ledger has lost:
 * nobody can bind them.
 */
export async function closeLost(context: Context, orderId: string, order: OrderRecord): Promise<number> {
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
    detail: 'its keys are lost',
  } as const;
  const writes: Write[] = [
    ...draw.writes,
    { put: ledgerKeys.profile(orderId, position), attributes: profileRecord.to(record), when: 'absent' },
    auditWrite(
      { event: 'profile.closed', by: 'server', about: { order: orderId, iccid } },
      `lost-${orderId}-${iccid}`,
      at,
    ),
  ];
  const counts = () => orderCountWrites(ledger, orderId, { Closed: 1 }, at);
  return (await transactCounted(ledger, writes, counts)).done;
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
