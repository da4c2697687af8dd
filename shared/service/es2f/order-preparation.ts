import { wipe } from '../../codec/bytes.ts';
import { invariant, Refusal } from '../../errors.ts';
import type { Work } from '../../jobs/dispatcher.ts';
import { changeItems, removeItem, unchanged, writes } from '../../ledger/change.ts';
import type { Write } from '../../ledger/ledger.ts';
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
  supplyRecord,
} from '../records/order.ts';
import { openWorkRecord } from '../records/work.ts';
import { openingWrites } from '../supply/open-marks.ts';
import { loadOrder } from '../supply/own-order.ts';
import { closingWrite, runClosing } from './order-closing.ts';
import { checkRows, loadRowIndex, rowFile, storeRowIndex } from './order-rows.ts';
import { compileFor, openTemplate } from './order-template.ts';
import { destroyOrderUploads } from './order-uploads.ts';

/*
 * From an order that was taken to one that is open, or rejected: its rows are checked, then come its packs
 * (order-packs.ts), then it opens.
 */

/** What is to be done first: rows that are not checked yet are checked as a whole, and the packs follow. */
export const firstWork = (orderId: string, order: OrderRecord, rowsChecked: boolean): Work =>
  order.rows === undefined || rowsChecked
    ? { kind: 'order', id: orderId, tasks: packCount(order) }
    : { kind: 'rows', id: orderId, tasks: 1 };

/** Reads the rows of a large order to their end, before the first of them is used; bad ones reject the order. */
export async function checkOrderRows(context: Context, orderId: string): Promise<void> {
  const order = await loadOrder(context, orderId);
  const { personalisation, rows } = order;
  invariant('format' in personalisation && rows !== undefined, `order ${orderId} has no rows`);
  if ((await loadRowIndex(context, order)) !== undefined) return;
  const upp = await openTemplate(context, orderId, order);
  try {
    const file = await rowFile(context, orderId, personalisation);
    const octets = () => context.vault.getStream(rows);
    const index = await checkRows(context, file, octets, order, (columns) =>
      compileFor(context, order, upp, columns),
    );
    await storeRowIndex(context, order, index);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    await rejectOrder(context, orderId, error);
  } finally {
    wipe(upp);
  }
}

/** Rows that are good become packs; may be repeated. */
export async function finishRows(context: Context, orderId: string): Promise<boolean> {
  const { ledger, dispatcher } = context;
  const done = await ledger.get(ledgerKeys.openWork('rows', orderId));
  if (done === undefined) {
    await runClosing(context, orderId);
    return true;
  }
  const order = await loadOrder(context, orderId);
  if ((await loadRowIndex(context, order)) === undefined) return false;
  const work = firstWork(orderId, order, true);
  await ledger.transact([
    { remove: done, when: { revision: done.revision } },
    {
      put: ledgerKeys.openWork('order', orderId),
      attributes: openWorkRecord.to({ tasks: work.tasks, since: order.createdAt }),
      when: 'absent',
    },
  ]);
  await dispatcher.submit(work);
  return true;
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
      ledgerKeys.openWork('order', orderId),
      ledgerKeys.openWork('rows', orderId),
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
