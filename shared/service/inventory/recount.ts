import { becomes, changeItem, unchanged } from '../../ledger/change.ts';
import type { OrderState } from '../api/es2f.ts';
import type { Context } from '../context.ts';
import { countedInLanes } from '../counts/lane-counts.ts';
import { countedDays, dayOf, sum } from '../counts/order-counts.ts';
import { nextShard } from '../counts/shards.ts';
import { profileCount, viewProfiles } from '../es2f/order-profiles.ts';
import { orderCount } from '../records/inventory.ts';
import { ledgerKeys } from '../records/keys.ts';
import { orderOf } from './profiles.ts';

/** Counts of an order as they stand beside what its profiles say. */
export interface Recount {
  readonly counted: Readonly<Record<string, number>>;
  readonly found: Readonly<Record<string, number>>;
}

/** Counts every profile of an order anew: reads all of it. What is Available, and what an end has closed, is not counted. */
export async function recount(context: Context, orderId: string): Promise<Recount> {
  const { ledger } = context;
  const { order, orderState } = await orderOf(context, orderId);
  const days = await countedDays(ledger, orderId);
  const lanes = await countedInLanes(ledger, orderId);
  const all = await profileCount(context, orderId, order);
  const found: Record<string, number> = {};
  let made = 0;
  for await (const { state } of viewProfiles(context, orderId, order, orderState, [0, all])) {
    made += 1;
    found[state] = (found[state] ?? 0) + 1;
  }
  return {
    counted: compared(sum(...days.values(), lanes), orderState),
    found: compared({ ...found, Prepared: made, Available: 0 }, orderState),
  };
}

/** Without what is 0; an order that has ended closes what is left, with or without a record of each. */
function compared(counts: Readonly<Record<string, number>>, state: OrderState): Record<string, number> {
  const hasEnded = state === 'Cancelled' || state === 'Closed' || state === 'Rejected';
  return Object.fromEntries(
    Object.entries(counts)
      .filter(([name, count]) => count !== 0 && !(hasEnded && name === 'Closed'))
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

/** What the counts lack, and below 0 what they have too much. */
export function missing({ counted, found }: Recount): Record<string, number> {
  const less = Object.fromEntries(Object.entries(counted).map(([name, count]) => [name, -count]));
  return Object.fromEntries(Object.entries(sum(found, less)).filter(([, count]) => count !== 0));
}

/** Makes the counts what the profiles say; while nobody changes them, as when a ledger is restored. True where it did. */
export async function repairCounts(context: Context, orderId: string): Promise<boolean> {
  const { ledger, now } = context;
  const lacking = missing(await recount(context, orderId));
  if (Object.keys(lacking).length === 0) return false;
  await changeItem(ledger, ledgerKeys.orderCount(orderId, dayOf(now()), nextShard()), (item) => {
    const before = item === undefined ? {} : orderCount.from(item).changes;
    const changes = sum(before, lacking);
    return Object.keys(changes).length === 0 ? unchanged() : becomes(orderCount.to({ changes }));
  });
  return true;
}
