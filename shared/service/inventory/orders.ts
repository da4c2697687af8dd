import { mapConcurrently } from '../../concurrency.ts';
import { refuse } from '../../errors.ts';
import type { Item } from '../../ledger/ledger.ts';
import { ifPresent, present } from '../../present.ts';
import type { OrderState, ProfileState } from '../api/es2f.ts';
import type { Inventory, OrderDetail, OrderSummary } from '../api/ops.ts';
import { callbackHealth } from '../callbacks/health.ts';
import type { Context } from '../context.ts';
import { orderStock } from '../counts/order-stock.ts';
import { closingOf } from '../es2f/order-closing.ts';
import { ledgerKeys, listedPartition } from '../records/keys.ts';
import { type OrderRecord, type OrderStateRecord, orderRecord, orderStateRecord } from '../records/order.ts';
import { pageOf } from './page.ts';
import { iso, splitSort } from './times.ts';

/** Orders whose counts are read at once. */
const AT_ONCE = 16;

/** Orders by time, and one of them. */

export async function listOrders(
  context: Context,
  { operator, state, ...request }: Parameters<Inventory['listOrders']>[0],
): Promise<{ orders: readonly OrderSummary[]; cursor?: string }> {
  const source = { partition: listedPartition('order'), descending: true } as const;
  const { entries: orders, cursor } = await pageOf(context.ledger, request, source, async (items) => {
    const found = await ordersOf(
      context,
      items.map(({ sort }) => splitSort(sort).id),
    );
    return await mapConcurrently(found, AT_ONCE, async (one) => {
      if (one === undefined) return [];
      if (operator !== undefined && one.order.operator !== operator) return [];
      if (state !== undefined && one.state.state !== state) return [];
      return [await summaryOf(context, one)];
    });
  });
  return { orders, ...present({ cursor }) };
}

export async function getOrder(context: Context, { orderId }: { orderId: string }): Promise<OrderDetail> {
  const [found] = await ordersOf(context, [orderId]);
  if (found === undefined) refuse('orderUnknown', 'no such order', { subjectIdentifier: orderId });
  const { order, state } = found;
  const { prepared, counts, days } = await orderStock(context.ledger, orderId, state.state);
  const reason = ifPresent(state.reason, ({ subjectCode, reasonCode, message }) => ({
    subjectCode,
    reasonCode,
    message,
  }));
  const callbacks = order.callbackUrl === undefined ? undefined : await callbackHealth(context, orderId);
  const closing = await closingOf(context, orderId, state.state);
  return {
    ...summary(found, prepared, counts),
    requesterDms: order.requesterDms,
    ...present({ shares: order.shares, reason, callbacks, closing }),
    ...(order.warnings.length > 0 && { warnings: order.warnings }),
    days,
  };
}

interface FoundOrder {
  readonly orderId: string;
  readonly order: OrderRecord;
  readonly state: OrderStateRecord;
}

async function ordersOf(
  { ledger }: Context,
  orderIds: readonly string[],
): Promise<readonly (FoundOrder | undefined)[]> {
  const items = await ledger.getMany(
    orderIds.flatMap((orderId) => [ledgerKeys.order(orderId), ledgerKeys.orderState(orderId)]),
  );
  return orderIds.map((orderId, i) => {
    const [order, state]: (Item | undefined)[] = items.slice(2 * i, 2 * i + 2);
    if (order === undefined || state === undefined) return undefined;
    return { orderId, order: orderRecord.from(order), state: orderStateRecord.from(state) };
  });
}

export async function summaryOf({ ledger }: Context, found: FoundOrder): Promise<OrderSummary> {
  const { prepared, counts } = await orderStock(ledger, found.orderId, found.state.state);
  return summary(found, prepared, counts);
}

function summary(
  { orderId, order, state }: FoundOrder,
  prepared: number,
  counts: Readonly<Partial<Record<ProfileState, number>>>,
): OrderSummary {
  const { operator, profileType, quantity, createdAt } = order;
  const preparedOf: Readonly<Partial<Record<OrderState, number>>> = { Preparing: prepared, Rejected: 0 };
  return {
    orderId,
    operator,
    profileType,
    state: state.state,
    quantity,
    prepared: preparedOf[state.state] ?? quantity,
    createdAt: iso(createdAt),
    counts,
  };
}
