import type { Context } from '../context.ts';
import { dueBy, partitions } from '../records/keys.ts';

/** How long failures and counts of calls stay: what they tell of has its line in the audit log for ever. */
export const HISTORY_DAYS = 90;
const HISTORY_MS = HISTORY_DAYS * 24 * 60 * 60 * 1000;
/** Items of each list that are removed at once; what is left is old the next time too. */
export const FORGOTTEN_AT_ONCE = 1_000;

/** Removes failures and counts of calls whose life is over; returns how many. Any number may do it at once. */
export async function forgetOld({ ledger, now }: Pick<Context, 'ledger' | 'now'>): Promise<number> {
  let forgotten = 0;
  for (const partition of [partitions.failures, partitions.calls]) {
    const { items } = await ledger.query(partition, {
      to: dueBy(now() - HISTORY_MS),
      limit: FORGOTTEN_AT_ONCE,
    });
    const outcomes = await ledger.writeMany(
      items.map((item) => ({ remove: item, when: { revision: item.revision } })),
    );
    forgotten += outcomes.filter(({ done }) => done).length;
  }
  return forgotten;
}
