import { becomes, changeItem, changeItems, unchanged, writes } from '../../ledger/change.ts';
import { scanAll } from '../../ledger/scan.ts';
import type { Context } from '../context.ts';
import { LANE, ledgerKeys, orderPartition, shareReturnedPrefix } from '../records/keys.ts';
import {
  type OrderRecord,
  orderRecord,
  orderStateRecord,
  returnedOfShare,
  returnedRecord,
  shareRecord,
} from '../records/order.ts';
import { planDraw } from '../supply/supply.ts';
import { closeLost } from './lost-profiles.ts';
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

function* slices(positions: Iterable<number>): Generator<number[]> {
  let slice: number[] = [];
  for (const position of positions) {
    if (slice.push(position) < SLICE) continue;
    yield slice;
    slice = [];
  }
  if (slice.length > 0) yield slice;
}
