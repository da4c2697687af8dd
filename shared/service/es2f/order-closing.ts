import { mapConcurrently } from '../../concurrency.ts';
import type { Write } from '../../ledger/ledger.ts';
import { scan } from '../../ledger/scan.ts';
import type { OrderClosing, OrderState } from '../api/es2f.ts';
import type { Context } from '../context.ts';
import { tellEnd } from '../counts/ends.ts';
import { CLOSED_SLICE, ledgerKeys, orderPartition } from '../records/keys.ts';
import { closedSlice, type OrderRecord, packRecord } from '../records/order.ts';
import { type ProfileRecord, profileRecord } from '../records/profile.ts';
import { openWorkOf, openWorkRecord } from '../records/work.ts';
import { closedNotice } from '../reports/notices.ts';
import { endingWrites } from '../supply/open-marks.ts';
import { loadOrder, loadOrderState } from '../supply/own-order.ts';
import { destroyPackKeys } from '../supply/packs.ts';
import { ownOid } from '../trust/own-oid.ts';
import { freeIccids } from './order-iccids.ts';
import { type ProfileView, positionAt, profileCount, viewProfiles } from './order-profiles.ts';
import { destroyOrderUploads } from './order-uploads.ts';
import { destroyRowSlices } from './row-slice-store.ts';

/*
 * What the end of an order leaves to be done, slice by slice: the keys of its packs are destroyed, an Operator with a
 * callbackUrl is told of each profile that is closed, and ICCIDs of a rejected order are free again. It is put down with the
 * end itself, so that a crash forgets none of it, and each slice may be repeated. Nothing is bound any more by then: a commit
 * holds only while its order is open.
 */

/** Places of an order in a task. */
const SLICE = 1_000;
/** Profiles that are written at once. */
const AT_ONCE = 16;

/** Belongs into the transaction that ends an order, beside whatever else `count` profiles are ended by. */
export const closingWrite = (orderId: string, count: number, since: number): Write => ({
  put: ledgerKeys.openWork('closing', orderId),
  attributes: openWorkRecord.to({ tasks: Math.max(1, Math.ceil(count / SLICE)), since }),
  when: 'absent',
});

/** Belong into the transaction that ends an order which may be open: from then on it is not, and what its end leaves is work. */
export const endWrites = async (
  { ledger, now }: Pick<Context, 'ledger' | 'now'>,
  orderId: string,
  count: number,
): Promise<Write[]> => [...(await endingWrites(ledger, orderId)), closingWrite(orderId, count, now())];

/** Within the call where there is little; a repeat of it takes up what a crash has left. */
export async function runClosing(context: Context, orderId: string): Promise<void> {
  const open = await context.ledger.get(ledgerKeys.openWork('closing', orderId));
  if (open === undefined) return;
  const work = openWorkOf(open);
  const order = await loadOrder(context, orderId);
  // rows may hold what is secret, and are few objects: they do not wait for the slices
  await destroyOrderUploads(context, order);
  if (order.quantity > context.settings.inlineOrder) return await context.dispatcher.submit(work);
  for (let task = 0; task < work.tasks; task++) await closeSlice(context, orderId, task);
  await finishClosing(context, orderId);
}

/** A task of it: the profiles at a slice of places, and the packs that begin there. */
export async function closeSlice(context: Context, orderId: string, task: number): Promise<void> {
  const { ledger } = context;
  const done = ledgerKeys.closedSlice(orderId, task);
  if ((await ledger.get(done)) !== undefined) return;
  const order = await loadOrder(context, orderId);
  const { state } = (await loadOrderState(context, orderId)).record;
  const end = Math.min((task + 1) * SLICE, await profileCount(context, orderId, order));
  const places = [task * SLICE, end] as const;
  await endPacks(context, orderId, order, state, places);
  const closed = state === 'Rejected' ? [] : await closedAt(context, orderId, order, state, places);
  await tellClosed(context, orderId, order, closed);
  await ledger.write({ put: done, attributes: closedSlice.to({ closed: closed.length }), when: 'absent' });
}

/** True once every slice is done. */
export async function finishClosing(context: Context, orderId: string): Promise<boolean> {
  const { ledger, notifier } = context;
  const open = await ledger.get(ledgerKeys.openWork('closing', orderId));
  if (open === undefined) return true;
  const { tasks, since } = openWorkRecord.from(open);
  const { slices, closed } = await closedSlices(context, orderId);
  if (slices < tasks) return false;
  const order = await loadOrder(context, orderId);
  await destroyOrderUploads(context, order);
  await destroyRowSlices(context, orderId, order);
  const { done } = await ledger.write({ remove: open, when: { revision: open.revision } });
  const about = { kind: 'closing', id: orderId, orderId, party: order.operator } as const;
  if (done) tellEnd(context, { ...about, done: closed, refused: 0, since });
  notifier.wake();
  return true;
}

/**
 * How far the end of an order is, in slices of 1,000 places; undefined where nothing of it is left, or the order goes on. Slices
 * are done about in their order, so that the first one that is not is looked for by halves: few reads, however many there are.
 */
export async function closingOf(
  { ledger }: Pick<Context, 'ledger'>,
  orderId: string,
  state: OrderState,
): Promise<OrderClosing | undefined> {
  if (state === 'Preparing' || state === 'Open') return undefined;
  const open = await ledger.get(ledgerKeys.openWork('closing', orderId));
  if (open === undefined) return undefined;
  const { tasks } = openWorkRecord.from(open);
  let [done, above] = [0, tasks];
  while (done < above) {
    const middle = (done + above) >>> 1;
    if ((await ledger.get(ledgerKeys.closedSlice(orderId, middle))) === undefined) above = middle;
    else done = middle + 1;
  }
  return { done, of: tasks };
}

/** How many slices of an order that has ended are done, and how many profiles of them were not bound. */
async function closedSlices(
  { ledger }: Pick<Context, 'ledger'>,
  orderId: string,
): Promise<{ slices: number; closed: number }> {
  const total = { slices: 0, closed: 0 };
  for await (const item of scan(ledger, orderPartition(orderId), { prefix: CLOSED_SLICE })) {
    total.slices += 1;
    total.closed += closedSlice.from(item).closed;
  }
  return total;
}

/** No profile of the packs that begin at these places can ever be bound; a rejected order gives their ICCIDs back. */
async function endPacks(
  context: Context,
  orderId: string,
  order: OrderRecord,
  state: OrderState,
  [start, end]: readonly [number, number],
): Promise<void> {
  const packs: number[] = [];
  for (let place = start; place < end; place++) {
    const position = positionAt(order, place);
    if (position % order.packSize === 0) packs.push(position / order.packSize);
  }
  const items = await context.ledger.getMany(packs.map((pack) => ledgerKeys.orderPack(orderId, pack)));
  for (const item of items) {
    if (item === undefined) continue;
    const record = packRecord.from(item);
    await destroyPackKeys(context, record);
    if (state === 'Rejected') await freeIccids(context, orderId, record.iccids);
  }
}

/** The profiles at these places that were not bound. */
async function closedAt(
  context: Context,
  orderId: string,
  order: OrderRecord,
  state: OrderState,
  places: readonly [number, number],
): Promise<ProfileView[]> {
  const closed: ProfileView[] = [];
  for await (const profile of viewProfiles(context, orderId, order, state, places))
    if (profile.state === 'Closed') closed.push(profile);
  return closed;
}

/** Each is closed and told of in one write, so that a repeat tells none twice; what was closed by itself was told of then. */
async function tellClosed(
  context: Context,
  orderId: string,
  { callbackUrl: url, callbackBatch: batch }: OrderRecord,
  closed: readonly ProfileView[],
): Promise<void> {
  if (url === undefined) return;
  const { ledger, now } = context;
  const caller = await ownOid(context);
  const untold = closed.filter(({ at }) => at === undefined);
  await mapConcurrently(untold, AT_ONCE, async ({ position, iccid }) => {
    const record: ProfileRecord = { state: 'Closed', iccid, at: now() };
    const put = ledgerKeys.profile(orderId, position);
    await ledger.transact([
      { put, attributes: profileRecord.to(record), when: 'absent' },
      closedNotice({ orderId, position, url, batch, caller, record }),
    ]);
  });
}
