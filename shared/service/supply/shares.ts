import { together } from '../../concurrency.ts';
import { asRead } from '../../ledger/change.ts';
import type { Ledger, Write } from '../../ledger/ledger.ts';
import { ledgerKeys, orderPartition, shareReturnedPrefix } from '../records/keys.ts';
import { returnedOfShare, shareRecord } from '../records/order.ts';

/** A device manufacturer that draws, and how many profiles of the order it may have, where it has a share. */
export interface Sharer {
  readonly maker: string;
  readonly share: number | undefined;
}

/**
 * What a device manufacturer has left of its share of an order, and the writes that count what it draws. What lies in a
 * lane of its share (supply/lane.ts) is counted as drawn, and is its own to draw all the same.
 */
export interface OpenShare {
  readonly left: number;
  writes(drawn: number): readonly Write[];
}

/** Counts of returned positions that one draw settles at most: a transaction is bounded. */
const SETTLED = 10;

export async function openShare(
  ledger: Ledger,
  orderId: string,
  drawer: Sharer | undefined,
): Promise<OpenShare> {
  if (drawer?.share === undefined) return { left: Number.POSITIVE_INFINITY, writes: () => [] };
  const key = ledgerKeys.orderShare(orderId, drawer.maker);
  const prefix = shareReturnedPrefix(drawer.maker);
  const [item, { items: returned }] = await together(
    ledger.get(key),
    ledger.query(orderPartition(orderId), { prefix, limit: SETTLED }),
  );
  const before = item === undefined ? 0 : shareRecord.from(item).drawn;
  const settled = returned.reduce((sum, one) => sum + returnedOfShare.from(one).count, 0);
  return {
    left: Math.max(0, drawer.share - before + settled),
    writes: (drawn) => [
      {
        put: key,
        attributes: shareRecord.to({ drawn: before - settled + drawn }),
        when: asRead(item),
      },
      ...returned.map((one): Write => ({ remove: one, when: { revision: one.revision } })),
    ],
  };
}

/** Gives positions back to the share in which they are counted; belongs into the transaction in which they leave its lane. */
export const giveBackToShare = (orderId: string, maker: string, by: string, count: number): Write => ({
  put: ledgerKeys.shareReturnedOfLane(orderId, maker, by),
  attributes: returnedOfShare.to({ count }),
  when: 'absent',
});
