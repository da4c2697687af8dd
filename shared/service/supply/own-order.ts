import { invariant, refuse } from '../../errors.ts';
import type { Item, Write } from '../../ledger/ledger.ts';
import type { Caller } from '../api/caller.ts';
import type { Context } from '../context.ts';
import { listedWrite } from '../counts/listed.ts';
import { ledgerKeys } from '../records/keys.ts';
import {
  iccidOwner,
  listedOrder,
  type OrderRecord,
  type OrderStateRecord,
  orderRecord,
  orderStateRecord,
} from '../records/order.ts';

/** What makes an order be: its record, its state, and its place in the Operator's list. */
export function newOrderWrites(orderId: string, order: OrderRecord): Write[] {
  return [
    { put: ledgerKeys.order(orderId), attributes: orderRecord.to(order), when: 'absent' },
    {
      put: ledgerKeys.orderState(orderId),
      attributes: orderStateRecord.to({ state: 'Preparing' }),
      when: 'absent',
    },
    {
      put: ledgerKeys.ordersOf(order.operator, orderId),
      attributes: listedOrder.to({ createdAt: order.createdAt }),
      when: 'absent',
    },
    listedWrite('order', order.createdAt, orderId, { party: order.operator, name: orderId }),
  ];
}

/** An order of another Operator is as good as none (I7); an administrator's are those of all. */
export async function ownOrder(
  { ledger }: Context,
  caller: Pick<Caller, 'identifier' | 'role'>,
  orderId: string,
): Promise<OrderRecord> {
  const item = await ledger.get(ledgerKeys.order(orderId));
  const order = item && orderRecord.from(item);
  const isOwn = order?.operator === caller.identifier || caller.role === 'administrator';
  if (order === undefined || !isOwn) refuse('orderUnknown', 'no such order', { subjectIdentifier: orderId });
  return order;
}

/** An order that our own records lead to. */
export async function loadOrder({ ledger }: Context, orderId: string): Promise<OrderRecord> {
  const item = await ledger.get(ledgerKeys.order(orderId));
  invariant(item !== undefined, `there is no order ${orderId}`);
  return orderRecord.from(item);
}

export async function loadOrderState(
  { ledger }: Context,
  orderId: string,
): Promise<{ item: Item; record: OrderStateRecord }> {
  const item = await ledger.get(ledgerKeys.orderState(orderId));
  if (item === undefined) refuse('orderUnknown', 'no such order', { subjectIdentifier: orderId });
  return { item, record: orderStateRecord.from(item) };
}

export async function positionOfIccid({ ledger }: Context, orderId: string, iccid: string): Promise<number> {
  const item = await ledger.get(ledgerKeys.iccid(iccid));
  const owner = item && iccidOwner.from(item);
  if (owner?.orderId !== orderId)
    refuse('iccidUnknown', 'the order has no such ICCID', { subjectIdentifier: iccid });
  return owner.position;
}
