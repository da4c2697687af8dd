import { completeIccid } from '../../codec/iccid.ts';
import { inRow, type Row, refuseRow } from '../../profile/rows/row.ts';
import type { Context } from '../context.ts';
import { ledgerKeys } from '../records/keys.ts';
import { iccidOwner } from '../records/order.ts';

/**
 * An ICCID belongs to one position of one order (I2). Those that an attempt took before it met one of another order
 * are given back.
 */
export async function reserveIccids(
  context: Context,
  orderId: string,
  first: number,
  rows: readonly Row[],
): Promise<void> {
  const iccids = rows.map(({ number, values }) => inRow(number, () => completeIccid(String(values.iccid))));
  const outcomes = await context.ledger.writeMany(
    iccids.map((iccid, i) => ({
      put: ledgerKeys.iccid(iccid),
      attributes: iccidOwner.to({ orderId, position: first + i }),
      when: 'absent',
    })),
  );
  for (const [i, outcome] of outcomes.entries()) {
    if (outcome.done) continue;
    const owner = outcome.found && iccidOwner.from(outcome.found);
    if (owner?.orderId === orderId && owner.position === first + i) continue;
    await freeIccids(context, orderId, iccids);
    refuseRow('iccidInUse', rows[i]!.number, 'iccid', 'belongs to another order');
  }
}

/** Gives ICCIDs free that no eUICC was ever bound to; the caller has made sure of that. */
export async function freeIccids(
  { ledger }: Context,
  orderId: string,
  iccids: readonly string[],
): Promise<void> {
  const owners = await ledger.getMany(iccids.map((iccid) => ledgerKeys.iccid(iccid)));
  const own = owners.flatMap((item) =>
    item !== undefined && iccidOwner.from(item).orderId === orderId ? [item] : [],
  );
  await ledger.writeMany(own.map((item) => ({ remove: item, when: { revision: item.revision } })));
}
