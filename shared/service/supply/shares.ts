import { asRead } from '../../ledger/change.ts';
import type { Ledger, Write } from '../../ledger/ledger.ts';
import { ledgerKeys, orderPartition, shareReturnedPrefix } from '../records/keys.ts';
import { returnedOfShare, shareRecord } from '../records/order.ts';

/** What a device manufacturer has left of its share of an order, and the writes that count what it draws. */
export interface OpenShare {
  readonly left: number;
  writes(drawn: number): readonly Write[];
}

/** Counts of returned positions that one draw settles at most: a transaction is bounded. */
const SETTLED = 10;

export async function openShare(
  ledger: Ledger,
  orderId: string,
  drawer: { readonly maker: string; readonly share: number | undefined } | undefined,
): Promise<OpenShare> {
  if (drawer?.share === undefined) return { left: Number.POSITIVE_INFINITY, writes: () => [] };
  const key = ledgerKeys.orderShare(orderId, drawer.maker);
  const item = await ledger.get(key);
  const prefix = shareReturnedPrefix(drawer.maker);
  const returned = (await ledger.query(orderPartition(orderId), { prefix, limit: SETTLED })).items;
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
