import { checkIccid } from '../../codec/iccid.ts';
import { Refusal, refuse } from '../../errors.ts';
import { becomes, changeItem, changeItems, unchanged, writes } from '../../ledger/change.ts';
import { actorOf } from '../api/actor.ts';
import type { Caller } from '../api/caller.ts';
import type { ItemRefusal } from '../api/item-refusal.ts';
import { itemRefusal } from '../api/item-refusal.ts';
import { auditWrite } from '../audit/line.ts';
import type { Context } from '../context.ts';
import { orderCountWrites } from '../counts/order-counts.ts';
import { orderStock } from '../counts/order-stock.ts';
import { ledgerKeys } from '../records/keys.ts';
import { iccidOwner, type OrderRecord, orderStateRecord, packCount, packRecord } from '../records/order.ts';
import { type ProfileRecord, profileRecord } from '../records/profile.ts';
import { PREPARING } from '../records/work-kinds.ts';
import { closedNotice } from '../reports/notices.ts';
import { loadOrderState, ownOrder, positionOfIccid } from '../supply/own-order.ts';
import { planRemoval } from '../supply/supply.ts';
import { ownOid } from '../trust/own-oid.ts';
import { endWrites, runClosing } from './order-closing.ts';
import { profileCount, viewProfiles } from './order-profiles.ts';

/** Takes back a whole order or one profile of it; what is bound stays bound. */
export async function cancelOrder(
  context: Context,
  caller: Caller,
  { orderId, iccid }: { orderId: string; iccid?: string },
): Promise<{ cancelled: number; refused: readonly (ItemRefusal & { iccid: string })[] }> {
  const order = await ownOrder(context, caller, orderId);
  if (iccid === undefined)
    return { cancelled: await endOrder(context, caller, orderId, order, 'Cancelled'), refused: [] };
  try {
    await closeProfile(context, caller, orderId, order, checkIccid(iccid));
    return { cancelled: 1, refused: [] };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { cancelled: 0, refused: [{ iccid, ...itemRefusal(error) }] };
  }
}

export async function closeOrder(
  context: Context,
  caller: Caller,
  { orderId }: { orderId: string },
): Promise<{ closed: number }> {
  const order = await ownOrder(context, caller, orderId);
  return { closed: await endOrder(context, caller, orderId, order, 'Closed') };
}

/**
 * A profile that no commit has named leaves its order for good, and its ICCID may be ordered again. One that was
 * committed to an EID keeps it for ever, whatever became of it (I2).
 */
export async function releaseProfile(
  context: Context,
  caller: Caller,
  { orderId, iccid }: { orderId: string; iccid: string },
): Promise<void> {
  const order = await ownOrder(context, caller, orderId);
  const position = await positionOfIccid(context, orderId, iccid);
  const ended = (await loadOrderState(context, orderId)).record.state;
  const place = placeOf(order, position);
  for await (const profile of viewProfiles(context, orderId, order, ended, [place, place + 1])) {
    if (profile.eid !== undefined)
      refuse('profileStateForbids', 'the profile was bound; its ICCID belongs to that eUICC for ever', {
        subjectIdentifier: iccid,
      });
  }
  // in an ended order nothing can be committed any more; in an open one the supply says so
  if (ended === 'Open') await closeProfile(context, caller, orderId, order, iccid);
  else if (ended === 'Preparing')
    refuse('profileStateForbids', 'the order is still being prepared', { subjectIdentifier: iccid });
  const { ledger, now } = context;
  const owner = await ledger.get(ledgerKeys.iccid(iccid));
  if (owner === undefined || iccidOwner.from(owner).orderId !== orderId) return;
  await ledger.transact([
    { remove: owner, when: { revision: owner.revision } },
    auditWrite(
      { event: 'profile.released', by: actorOf(caller), about: { order: orderId, iccid } },
      `released-${orderId}-${iccid}`,
      now(),
    ),
  ]);
}

/** The inverse of positionAt. */
function placeOf(order: OrderRecord, position: number): number {
  return position < order.quantity
    ? position
    : order.quantity + Math.floor(position / order.packSize) - packCount(order);
}

async function closeProfile(
  context: Context,
  caller: Caller,
  orderId: string,
  order: OrderRecord,
  iccid: string,
): Promise<void> {
  const { ledger, ppks, now } = context;
  const position = await positionOfIccid(context, orderId, iccid);
  const { callbackUrl: url, callbackBatch: batch } = order;
  const oid = url === undefined ? undefined : await ownOid(context);
  await changeItem(ledger, ledgerKeys.profile(orderId, position), async (before) => {
    if (before !== undefined && profileRecord.from(before).state === 'Closed') return unchanged();
    const removal = await planRemoval(context, orderId, position);
    if (before !== undefined || removal === undefined)
      refuse('profileStateForbids', 'the profile is bound, or is being bound', { subjectIdentifier: iccid });
    const record: ProfileRecord = { state: 'Closed', iccid, at: now() };
    return becomes(profileRecord.to(record), undefined, [
      ...removal,
      ...(await orderCountWrites(ledger, orderId, { Closed: 1 }, record.at)),
      ...(url === undefined || oid === undefined
        ? []
        : [closedNotice({ orderId, position, url, batch, caller: oid, record })]),
      auditWrite(
        { event: 'profile.closed', by: actorOf(caller), about: { order: orderId, iccid } },
        `closed-${orderId}-${iccid}`,
        now(),
      ),
    ]);
  });
  if (url !== undefined) context.notifier.wake();
  const pack = await ledger.get(ledgerKeys.orderPack(orderId, Math.floor(position / order.packSize)));
  if (pack !== undefined) await ppks.destroy(packRecord.from(pack).ppks, [position % order.packSize]);
}

/**
 * Closes what is not bound; in-flight chunks see the changed state at their commit and refuse their items. Returns how
 * many profiles are not bound, which the counts tell: no call reads every profile.
 */
async function endOrder(
  context: Context,
  caller: Caller,
  orderId: string,
  order: OrderRecord,
  state: 'Cancelled' | 'Closed',
): Promise<number> {
  const count = await profileCount(context, orderId, order);
  await setOrderState(context, caller, orderId, state, count);
  await runClosing(context, orderId);
  const { Closed: _, ...bound } = (await orderStock(context.ledger, orderId, state)).counts;
  return count - Object.values(bound).reduce((all, one) => all + one, 0);
}

async function setOrderState(
  context: Context,
  caller: Caller,
  orderId: string,
  state: 'Cancelled' | 'Closed',
  count: number,
): Promise<void> {
  const { ledger, now } = context;
  await changeItems(ledger, async () => {
    const { item, record } = await loadOrderState(context, orderId);
    if (record.state === state) return unchanged();
    if (record.state === 'Cancelled' || record.state === 'Closed' || record.state === 'Rejected')
      refuse('orderExpired', `the order is ${record.state}`, { subjectIdentifier: orderId });
    if (record.state === 'Preparing' && state === 'Closed')
      refuse('profileStateForbids', 'the order is still being prepared; it can be cancelled', {
        subjectIdentifier: orderId,
      });
    const work = await ledger.getMany(PREPARING.map((kind) => ledgerKeys.openWork(kind, orderId)));
    return writes([
      { put: item, attributes: orderStateRecord.to({ state }), when: { revision: item.revision } },
      ...(await endWrites(context, orderId, count)),
      auditWrite(
        {
          event: state === 'Closed' ? 'order.closed' : 'order.cancelled',
          by: actorOf(caller),
          about: { order: orderId },
        },
        `order-${state.toLowerCase()}-${orderId}`,
        now(),
      ),
      ...work.flatMap((one) =>
        one === undefined ? [] : [{ remove: one, when: { revision: one.revision } }],
      ),
    ]);
  });
}
