import type { Ledger, Write } from '../../ledger/ledger.ts';
import { COPIES, ledgerKeys } from '../records/keys.ts';
import { openMark } from '../records/order.ts';

/**
 * Marks that are there as long as an order is open, each by itself enough to know it by. Those who bind just in time lean
 * on one of them at random: two transactions that check the same item at once cancel each other on DynamoDB.
 */

const keysOf = (orderId: string) =>
  Array.from({ length: COPIES }, (_, copy) => ledgerKeys.orderOpen(orderId, copy));

/** Belong into the transaction that opens the order. */
export const openingWrites = (orderId: string): Write[] =>
  keysOf(orderId).map((put) => ({ put, attributes: openMark.to({}), when: 'absent' }));

/** Belong into the transaction after which the order is no longer open; none of one that never was. */
export async function endingWrites(ledger: Ledger, orderId: string): Promise<Write[]> {
  const marks = await ledger.getMany(keysOf(orderId));
  return marks.flatMap((mark) =>
    mark === undefined ? [] : [{ remove: mark, when: { revision: mark.revision } }],
  );
}
