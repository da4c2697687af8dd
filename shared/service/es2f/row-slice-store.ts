import { mapConcurrently } from '../../concurrency.ts';
import { asRead, changeItems, unchanged, writes } from '../../ledger/change.ts';
import type { Write } from '../../ledger/ledger.ts';
import type { Context } from '../context.ts';
import { ledgerKeys } from '../records/keys.ts';
import {
  badRowSlice,
  type OrderRecord,
  orderStateRecord,
  type RowIndex,
  type RowSlice,
  rowSlice,
  rowSliceCount,
} from '../records/order.ts';
import { loadRowIndex } from './order-rows.ts';

/** Slices that are in memory at once, each some 100 kB. */
const AT_ONCE = 8;

/** Whether a slice is still to be checked: it was not before, and none before it has a bad row. */
export async function isSliceOpen({ ledger }: Context, orderId: string, slice: number): Promise<boolean> {
  const [stateItem, done, bad] = await ledger.getMany([
    ledgerKeys.orderState(orderId),
    ledgerKeys.rowSlice(orderId, slice),
    ledgerKeys.badRowSlice(orderId),
  ]);
  if (stateItem === undefined || orderStateRecord.from(stateItem).state !== 'Preparing') return false;
  return done === undefined && (bad === undefined || badRowSlice.from(bad).slice > slice);
}

/**
 * Stores what came of a slice, as long as the order is being prepared. The first answer stays: that of another attempt is the
 * same.
 */
export async function storeSlice(
  { ledger }: Context,
  orderId: string,
  slice: number,
  answer: RowSlice,
): Promise<void> {
  await changeItems(ledger, async () => {
    const badKey = ledgerKeys.badRowSlice(orderId);
    const key = ledgerKeys.rowSlice(orderId, slice);
    const [stateItem, done, bad] = await ledger.getMany([ledgerKeys.orderState(orderId), key, badKey]);
    if (stateItem === undefined || done !== undefined) return unchanged();
    if (orderStateRecord.from(stateItem).state !== 'Preparing') return unchanged();
    const changes: Write[] = [
      { check: stateItem, when: { revision: stateItem.revision } },
      { put: key, attributes: rowSlice.to(answer), when: 'absent' },
    ];
    if (answer.refused !== undefined && (bad === undefined || badRowSlice.from(bad).slice > slice))
      changes.push({ put: badKey, attributes: badRowSlice.to({ slice }), when: asRead(bad) });
    return writes(changes);
  });
}

/** The slices in their order, up to the first one with a bad row; ends early where one is missing. */
export async function* storedSlices(
  { ledger }: Context,
  orderId: string,
  index: RowIndex,
): AsyncGenerator<RowSlice> {
  const count = rowSliceCount(index);
  for (let first = 0; first < count; first += AT_ONCE) {
    const keys = sliceKeys(orderId, first, Math.min(count, first + AT_ONCE));
    for (const item of await ledger.getMany(keys)) {
      if (item === undefined) return;
      const slice = rowSlice.from(item);
      yield slice;
      if (slice.refused !== undefined) return;
    }
  }
}

/** Takes away what came of slices, once the order is prepared no more; may be repeated. */
export async function destroyRowSlices(context: Context, orderId: string, order: OrderRecord): Promise<void> {
  const { ledger } = context;
  const index = order.rows === undefined ? undefined : await loadRowIndex(context, order);
  if (index?.sliceBlocks === undefined) return;
  const keys = sliceKeys(orderId, 0, rowSliceCount(index));
  await mapConcurrently(keys, AT_ONCE, async (key) => {
    // written once; of one that is not there nothing comes
    await ledger.write({ remove: key, when: { revision: 1 } });
  });
  const bad = await ledger.get(ledgerKeys.badRowSlice(orderId));
  if (bad !== undefined) await ledger.write({ remove: bad, when: { revision: bad.revision } });
}

const sliceKeys = (orderId: string, first: number, end: number) =>
  Array.from({ length: end - first }, (_, n) => ledgerKeys.rowSlice(orderId, first + n));
