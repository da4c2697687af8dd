import { completeIccid } from '../../codec/iccid.ts';
import type { Item } from '../../ledger/ledger.ts';
import { inRow, type Row, refuseRow } from '../../profile/rows/row.ts';
import type { Context } from '../context.ts';
import { ledgerKeys } from '../records/keys.ts';
import { iccidOwner, orderStateRecord } from '../records/order.ts';

const iccidsOf = (rows: readonly Row[]) =>
  rows.map(({ number, values }) => inRow(number, () => completeIccid(String(values.iccid))));

/** Refuses the first row whose ICCID belongs to another order, and takes none of them. */
export async function requireNoForeignIccid(
  context: Context,
  orderId: string,
  rows: readonly Row[],
): Promise<void> {
  const owners = await context.ledger.getMany(iccidsOf(rows).map((iccid) => ledgerKeys.iccid(iccid)));
  for (const [i, owner] of owners.entries())
    if (owner !== undefined && iccidOwner.from(owner).orderId !== orderId && !(await isLeft(context, owner)))
      refuseForeign(rows[i]!);
}

/**
 * An ICCID belongs to one position of one order (I2). They are taken once there is that order: those of one that was
 * never taken on would belong to nobody for ever. Those that an attempt took before it met one of another order are
 * given back.
 */
export async function reserveIccids(
  context: Context,
  orderId: string,
  first: number,
  rows: readonly Row[],
): Promise<void> {
  const { ledger } = context;
  const iccids = iccidsOf(rows);
  const puts = iccids.map((iccid, i) => ({
    put: ledgerKeys.iccid(iccid),
    attributes: iccidOwner.to({ orderId, position: first + i }),
  }));
  const outcomes = await ledger.writeMany(puts.map((put) => ({ ...put, when: 'absent' })));
  for (const [i, outcome] of outcomes.entries()) {
    if (outcome.done) continue;
    const { found } = outcome;
    const owner = found && iccidOwner.from(found);
    if (owner?.orderId === orderId && owner.position === first + i) continue;
    if (found !== undefined && (await isLeft(context, found))) {
      const taken = await ledger.write({ ...puts[i]!, when: { revision: found.revision } });
      if (taken.done) continue;
    }
    await freeIccids(context, orderId, iccids);
    refuseForeign(rows[i]!);
  }
}

/** Whether it is of an order that was rejected, which never bound any; an attempt at a pack of it may have left it. */
async function isLeft({ ledger }: Context, owner: Item): Promise<boolean> {
  const state = await ledger.get(ledgerKeys.orderState(iccidOwner.from(owner).orderId));
  return state !== undefined && orderStateRecord.from(state).state === 'Rejected';
}

const refuseForeign = ({ number }: Row) =>
  refuseRow('iccidInUse', number, 'iccid', 'belongs to another order');

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
