import type { OrderState } from '../api/es2f.ts';
import type { Health, Overview, SlowKey } from '../api/ops.ts';
import { callbackHealth } from '../callbacks/health.ts';
import type { Context } from '../context.ts';
import { dayOf, sum } from '../counts/order-counts.ts';
import { type OrderStock, orderStock } from '../counts/order-stock.ts';
import { slowKeysOf } from '../keys/slowed-keys.ts';
import { ledgerKeys, listedPartition, parseOpenWorkName, partitions } from '../records/keys.ts';
import { orderStateRecord } from '../records/order.ts';
import type { Trust } from '../trust/trust.ts';
import { type KnownCertificate, listExpiring } from './expiring.ts';
import { countFailures } from './failures.ts';
import { iso, splitSort } from './times.ts';

/** Orders that are looked at, the newest first. */
const ORDERS = 100;
/** Pieces of open work that are counted. */
const OPEN_WORK = 1_000;
const DAYS = 30;

/** What an Operator wants to know first. */
export async function overviewOf(
  context: Context,
  trust: Trust,
  known: readonly KnownCertificate[],
  health: Health,
): Promise<Overview> {
  const at = new Date(context.now()).toISOString();
  const { states, stocks, more } = await newestOrders(context);
  const today = dayOf(context.now());
  const { failures } = await countFailures(context, { since: `${today}T00:00:00Z` });
  const { expiring } = await listExpiring(context, trust, known, DAYS);
  const { waiting, parked, more: moreCallbacks = false } = await callbackHealth(context);
  return {
    at,
    orders: sum(...states.map((state) => ({ [state]: 1 }))),
    stock: sum(...stocks.map(({ counts }) => counts)),
    today: sum(
      ...stocks.flatMap(({ days }) => days.filter(({ day }) => day === today)).map((day) => day.changes),
    ),
    more,
    openWork: await openWork(context),
    callbacks: { waiting, parked, more: moreCallbacks },
    failures,
    slowKeys: await slowKeys(context),
    expiring,
    health,
  };
}

export async function newestOrders({ ledger }: Context): Promise<{
  readonly states: readonly OrderState[];
  readonly stocks: readonly OrderStock[];
  readonly more: boolean;
}> {
  const { items: listed, cursor } = await ledger.query(listedPartition('order'), {
    descending: true,
    limit: ORDERS,
  });
  const orderIds = listed.map(({ sort }) => splitSort(sort).id);
  const items = await ledger.getMany(orderIds.map((orderId) => ledgerKeys.orderState(orderId)));
  const states = items.map((item) => (item === undefined ? 'Closed' : orderStateRecord.from(item).state));
  const stocks: OrderStock[] = [];
  for (const [i, orderId] of orderIds.entries())
    stocks.push(await orderStock(ledger, orderId, states[i] ?? 'Closed'));
  return { states, stocks, more: cursor !== undefined };
}

async function slowKeys(context: Context): Promise<SlowKey[]> {
  return (await slowKeysOf(context)).map(({ at, ...slowed }) => ({ ...slowed, at: iso(at) }));
}

/** How much work of each kind is under way. */
export async function openWork({ ledger }: Pick<Context, 'ledger'>): Promise<Record<string, number>> {
  const { items } = await ledger.query(partitions.openWork, { limit: OPEN_WORK });
  return sum(...items.map(({ sort }) => ({ [parseOpenWorkName(sort).kind]: 1 })));
}
