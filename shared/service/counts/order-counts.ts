import { asRead } from '../../ledger/change.ts';
import type { Ledger, Write } from '../../ledger/ledger.ts';
import { scan } from '../../ledger/scan.ts';
import type { ProfileState } from '../api/es2f.ts';
import { orderCount } from '../records/inventory.ts';
import { ledgerKeys, orderCountsPartition } from '../records/keys.ts';
import { nextShard } from './shards.ts';

/**
 * What is counted: profiles that were made, and the states of those that left the stock. What is Available, or was closed by
 * the end of its order, follows from both: it has no write of its own.
 */
export type Counted = Exclude<ProfileState, 'Available'> | 'Prepared';

/** Profiles that were made or came into states, and below 0 that left them. */
export type StateChanges = Readonly<Partial<Record<Counted, number>>>;

/** Counts by name, added up. */
export function sum(...counts: readonly Readonly<Partial<Record<string, number>>>[]): Record<string, number> {
  const total: Record<string, number> = {};
  for (const one of counts)
    for (const [name, count = 0] of Object.entries(one)) total[name] = (total[name] ?? 0) + count;
  return total;
}

/** UTC. */
export const dayOf = (atMs: number) => new Date(atMs).toISOString().slice(0, 10);

/**
 * The write that counts these changes of an order; belongs into the transaction that makes them, and is planned again with
 * it. None where nothing changes. `shard` is named by those that take turns at each.
 */
export async function orderCountWrites(
  ledger: Pick<Ledger, 'get'>,
  orderId: string,
  changes: StateChanges,
  atMs: number,
  shard: number = nextShard(),
): Promise<Write[]> {
  if (Object.values(changes).every((count) => count === 0)) return [];
  const key = ledgerKeys.orderCount(orderId, dayOf(atMs), shard);
  const item = await ledger.get(key);
  const before = item === undefined ? {} : orderCount.from(item).changes;
  const after = sum(before, changes);
  return [{ put: key, attributes: orderCount.to({ changes: after }), when: asRead(item) }];
}

/** What each day changed, ascending, read from the counts alone: eight small items for each day that had changes. */
export async function countedDays(
  ledger: Pick<Ledger, 'query'>,
  orderId: string,
): Promise<Map<string, Record<string, number>>> {
  const days = new Map<string, Record<string, number>>();
  for await (const item of scan(ledger, orderCountsPartition(orderId))) {
    const day = item.sort.slice(0, item.sort.indexOf('#'));
    days.set(day, sum(days.get(day) ?? {}, orderCount.from(item).changes));
  }
  return days;
}
