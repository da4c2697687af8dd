import { mapConcurrently } from '../../concurrency.ts';
import { removeItem } from '../../ledger/change.ts';
import type { Context } from '../context.ts';
import { ledgerKeys } from '../records/keys.ts';
import { type OrderRecord, orderRecord } from '../records/order.ts';
import { type ProfileRecord, profileRecord } from '../records/profile.ts';
import type { Work } from '../records/work.ts';
import { closedNotice } from '../reports/notices.ts';
import { loadOrderState } from '../supply/own-order.ts';
import { ownOid } from '../trust/own-oid.ts';
import { type ProfileView, profileCount, viewProfiles } from './order-profiles.ts';

/** Profiles of a task. */
const BLOCK = 1_000;
/** Profiles that are written at once. */
const AT_ONCE = 16;

/**
 * The work of telling an Operator, profile by profile, what an order that has ended closes. It is put down with the end of
 * the order, so that a crash forgets none; each profile is closed and told of in one write, so that a repeat tells none
 * twice.
 */
export async function closingWork(context: Context, orderId: string, order: OrderRecord): Promise<Work> {
  return {
    kind: 'closing',
    id: orderId,
    tasks: Math.max(1, Math.ceil((await profileCount(context, orderId, order)) / BLOCK)),
  };
}

/** A task of it: those of a block of places that were not bound. Nothing is bound any more once an order has ended. */
export async function tellClosed(context: Context, orderId: string, task: number): Promise<void> {
  const { ledger, now } = context;
  const { order, untold } = await untoldProfiles(context, orderId, [task * BLOCK, (task + 1) * BLOCK]);
  const { callbackUrl: url } = order;
  if (url === undefined) return;
  const caller = await ownOid(context);
  const profiles: ProfileView[] = [];
  for await (const profile of untold) profiles.push(profile);
  await mapConcurrently(profiles, AT_ONCE, async ({ position, iccid }) => {
    const record: ProfileRecord = { state: 'Closed', iccid, at: now() };
    const put = ledgerKeys.profile(orderId, position);
    await ledger.transact([
      { put, attributes: profileRecord.to(record), when: 'absent' },
      closedNotice({ orderId, position, url, caller, record }),
    ]);
  });
}

export async function finishClosing(context: Context, orderId: string): Promise<boolean> {
  const { untold } = await untoldProfiles(context, orderId, [0, Number.MAX_SAFE_INTEGER]);
  for await (const _ of untold) return false;
  await removeItem(context.ledger, ledgerKeys.openWork('closing', orderId));
  context.notifier.wake();
  return true;
}

/** Profiles of an ended order that nothing is stored of: neither bound nor told of. */
async function untoldProfiles(
  context: Context,
  orderId: string,
  [from, to]: readonly [number, number],
): Promise<{ order: OrderRecord; untold: AsyncGenerator<ProfileView> }> {
  const order = orderRecord.from((await context.ledger.get(ledgerKeys.order(orderId)))!);
  const { state } = (await loadOrderState(context, orderId)).record;
  const end = Math.min(to, await profileCount(context, orderId, order));
  async function* untold() {
    for await (const profile of viewProfiles(context, orderId, order, state, [from, end]))
      if (profile.state === 'Closed' && profile.at === undefined) yield profile;
  }
  return { order, untold: untold() };
}
