import { invariant, Refusal } from '../../errors.ts';
import type { Work } from '../../jobs/dispatcher.ts';
import { changeItems, removeItem, unchanged, writes } from '../../ledger/change.ts';
import type { Item, Write } from '../../ledger/ledger.ts';
import { scanPages } from '../../ledger/scan.ts';
import { itemRefusal } from '../api/item-refusal.ts';
import { auditWrite } from '../audit/line.ts';
import type { Context } from '../context.ts';
import { tellEnd } from '../counts/ends.ts';
import { ledgerKeys, orderPartition, PACK_MADE } from '../records/keys.ts';
import { putOrderRecord } from '../records/locked-records.ts';
import {
  type OrderRecord,
  type OrderStateRecord,
  orderStateRecord,
  packCount,
  rowSliceCount,
  supplyRecord,
} from '../records/order.ts';
import { openWorkRecord } from '../records/work.ts';
import { PREPARING } from '../records/work-kinds.ts';
import { openingWrites } from '../supply/open-marks.ts';
import { loadOrder, loadOrderState } from '../supply/own-order.ts';
import { closingWrite, runClosing } from './order-closing.ts';
import { indexRows, loadRowIndex, rowFile, storeRowIndex } from './order-rows.ts';
import { destroyOrderUploads } from './order-uploads.ts';
import { destroyRowSlices } from './row-slice-store.ts';

/*
 * From an order that was taken to one that is open, or rejected: its rows are found and checked, then come its packs
 * (order-packs.ts), then it opens.
 */

/** What is to be done first: rows that are not checked yet are found and then checked (row-slices.ts), and the packs follow. */
export const firstWork = (orderId: string, order: OrderRecord, rowsChecked: boolean): Work =>
  order.rows === undefined || rowsChecked
    ? { kind: 'order', id: orderId, tasks: packCount(order) }
    : { kind: 'rows', id: orderId, tasks: 1 };

/** Rows: of each a slice keeps 30 octets in one item, of which DynamoDB takes 400 kB. */
export const MOST_OF_A_SLICE = 10_000;

/** Finds where the rows of a large order are, by reading their file once; one that has not as many rejects the order. */
export async function findOrderRows(context: Context, orderId: string): Promise<void> {
  const order = await loadOrder(context, orderId);
  const { personalisation, rows } = order;
  invariant('format' in personalisation && rows !== undefined, `order ${orderId} has no rows`);
  if ((await loadRowIndex(context, order)) !== undefined) return;
  try {
    const file = await rowFile(context, orderId, personalisation);
    const index = await indexRows(file, () => context.vault.getStream(rows), order);
    const most = Math.min(context.settings.rowSlice, MOST_OF_A_SLICE);
    const sliceBlocks = Math.max(1, Math.floor(most / order.packSize));
    await storeRowIndex(context, order, { ...index, sliceBlocks });
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    await rejectOrder(context, orderId, error);
  }
}

/** Rows that were found are checked; may be repeated. */
export async function finishRows(context: Context, orderId: string): Promise<boolean> {
  const done = await context.ledger.get(ledgerKeys.openWork('rows', orderId));
  const { state } = (await loadOrderState(context, orderId)).record;
  if (done === undefined || state !== 'Preparing') {
    if (done !== undefined) await removeItem(context.ledger, done);
    await runClosing(context, orderId);
    return true;
  }
  const order = await loadOrder(context, orderId);
  const index = await loadRowIndex(context, order);
  if (index === undefined) return false;
  await goOnWith(context, done, { kind: 'rowSlices', id: orderId, tasks: rowSliceCount(index) }, order);
  return true;
}

/** What follows on work that is done, in its place. */
export async function goOnWith(
  { ledger, dispatcher }: Pick<Context, 'ledger' | 'dispatcher'>,
  done: Item,
  work: Work,
  { createdAt: since }: Pick<OrderRecord, 'createdAt'>,
): Promise<void> {
  await ledger.transact([
    { remove: done, when: { revision: done.revision } },
    {
      put: ledgerKeys.openWork(work.kind, work.id),
      attributes: openWorkRecord.to({ tasks: work.tasks, since }),
      when: 'absent',
    },
  ]);
  await dispatcher.submit(work);
}

/** Packs of the order's own that are committed. */
export async function preparedPacks({ ledger }: Context, orderId: string): Promise<number> {
  let count = 0;
  for await (const items of scanPages(ledger, orderPartition(orderId), { prefix: PACK_MADE }))
    count += items.length;
  return count;
}

const endOf = (orderId: string, { operator: party, createdAt: since }: OrderRecord) =>
  ({ kind: 'order', id: orderId, orderId, party, since }) as const;

/** Opens the order for requests once all packs are there; may be repeated. */
export async function finishOrder(context: Context, orderId: string): Promise<boolean> {
  const { ledger, now } = context;
  const order = await loadOrder(context, orderId);
  const stateItem = await ledger.get(ledgerKeys.orderState(orderId));
  invariant(stateItem !== undefined, `order ${orderId} has no state`);
  const { state } = orderStateRecord.from(stateItem);
  if (state === 'Preparing') {
    if ((await preparedPacks(context, orderId)) < packCount(order)) return false;
    await putOrderRecord(context.vault, orderId, order);
    const { done } = await ledger.transact([
      {
        put: stateItem,
        attributes: orderStateRecord.to({ state: 'Open' }),
        when: { revision: stateItem.revision },
      },
      ...openingWrites(orderId),
      {
        put: ledgerKeys.orderSupply(orderId),
        attributes: supplyRecord.to({ next: 0, end: order.quantity, taken: [] }),
        when: 'absent',
      },
      auditWrite(
        { event: 'order.prepared', by: order.operator, about: { order: orderId, quantity: order.quantity } },
        `order-open-${orderId}`,
        now(),
      ),
    ]);
    if (done) tellEnd(context, { ...endOf(orderId, order), done: order.quantity, refused: 0 });
  }
  await destroyOrderUploads(context, order);
  await destroyRowSlices(context, orderId, order);
  await removeItem(ledger, ledgerKeys.openWork('order', orderId));
  // of one that turned out to be bad
  await runClosing(context, orderId);
  return true;
}

/** The order turned out to be bad: its PPKs are destroyed and its ICCIDs, none of them ever bound, are free again. */
export async function rejectOrder(context: Context, orderId: string, refusal: Refusal): Promise<void> {
  const { ledger, now, settings } = context;
  const order = await loadOrder(context, orderId);
  const rejected = await changeItems<'now' | 'before' | 'not'>(ledger, async () => {
    const [stateItem, ...open] = await ledger.getMany([
      ledgerKeys.orderState(orderId),
      ...PREPARING.map((kind) => ledgerKeys.openWork(kind, orderId)),
    ]);
    invariant(stateItem !== undefined, `order ${orderId} has no state`);
    const { state } = orderStateRecord.from(stateItem);
    if (state !== 'Preparing') return unchanged(state === 'Rejected' ? 'before' : 'not');
    const record: OrderStateRecord = { state: 'Rejected', reason: itemRefusal(refusal) };
    const changes: Write[] = [
      { put: stateItem, attributes: orderStateRecord.to(record), when: { revision: stateItem.revision } },
      ...open.flatMap((item) =>
        item === undefined ? [] : [{ remove: item, when: { revision: item.revision } }],
      ),
      closingWrite(orderId, order.quantity, now()),
      auditWrite(
        { event: 'order.rejected', by: 'server', about: { order: orderId, code: refusal.code } },
        `order-rejected-${orderId}`,
        now(),
      ),
    ];
    return writes(changes, 'now');
  });
  if (rejected === 'not') return;
  if (rejected === 'now')
    tellEnd(context, { ...endOf(orderId, order), done: 0, refused: order.quantity, code: refusal.code });
  // a large one is left to whoever finishes the work that has found it bad: a worker thread dispatches nothing
  if (order.quantity <= settings.inlineOrder) await runClosing(context, orderId);
}
