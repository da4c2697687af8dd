import { refuse } from '../../errors.ts';
import type { Caller } from '../api/caller.ts';
import type { Context } from '../context.ts';
import { ledgerKeys } from '../records/keys.ts';
import { type OrderRecord, orderRecord, orderStateRecord } from '../records/order.ts';

/** The order, of which the caller may draw profiles now. One that it may not draw from is as good as none (I7). */
export async function requireMayDraw(
  { ledger }: Pick<Context, 'ledger'>,
  caller: Pick<Caller, 'identifier'>,
  orderId: string,
): Promise<OrderRecord> {
  const [order, state] = await ledger.getMany([ledgerKeys.order(orderId), ledgerKeys.orderState(orderId)]);
  const record = order && orderRecord.from(order);
  if (record === undefined || state === undefined || !record.requesterDms.includes(caller.identifier)) {
    refuse('orderUnknown', 'no such order', { subjectIdentifier: orderId });
  }
  const { state: now } = orderStateRecord.from(state);
  if (now === 'Preparing')
    refuse('profileTypeExhausted', 'the profiles of the order are still being prepared');
  if (now !== 'Open') refuse('orderExpired', `the order is ${now}`, { subjectIdentifier: orderId });
  return record;
}
