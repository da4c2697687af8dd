import type { Ledger } from '../../ledger/ledger.ts';
import type { OrderState } from '../api/es2f.ts';
import type { DayOfOrder, ProfileCounts } from '../api/ops.ts';
import { countedInLanes } from './lane-counts.ts';
import { countedDays, sum } from './order-counts.ts';

/** What an order has, at any size in reads that its size does not matter for. */
export interface OrderStock {
  /** Profiles that are made. */
  readonly prepared: number;
  readonly counts: ProfileCounts;
  /** What each day changed, ascending. */
  readonly days: readonly DayOfOrder[];
}

/** Counted beside the states: profiles that were made. */
export const PREPARED = 'Prepared';

export async function orderStock(
  ledger: Pick<Ledger, 'query' | 'getMany'>,
  orderId: string,
  state: OrderState,
): Promise<OrderStock> {
  const days = await countedDays(ledger, orderId);
  const total = sum(...days.values(), await countedInLanes(ledger, orderId));
  return {
    prepared: total[PREPARED] ?? 0,
    counts: countsOf(total, state),
    days: [...days].map(([day, changes]) => ({ day, changes: withAvailable(changes) })),
  };
}

/** What was made and came into no state is Available, and in an order that has ended Closed. */
function countsOf(total: Record<string, number>, state: OrderState): ProfileCounts {
  const { [PREPARED]: prepared = 0, Closed: closed = 0, ...states } = total;
  const gone = Object.values(states).reduce((all, count) => all + count, 0);
  const hasEnded = state === 'Cancelled' || state === 'Closed' || state === 'Rejected';
  const counts = hasEnded
    ? { ...states, Closed: prepared - gone }
    : { Available: prepared - gone - closed, ...states, Closed: closed };
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count !== 0));
}

/** A day's changes with those of what is Available, which follow from the others. */
function withAvailable(changes: Record<string, number>): ProfileCounts {
  const { [PREPARED]: prepared = 0, ...states } = changes;
  const left = Object.values(states).reduce((all, count) => all + count, 0);
  const all = { Available: prepared - left, ...states };
  return Object.fromEntries(Object.entries(all).filter(([, count]) => count !== 0));
}
