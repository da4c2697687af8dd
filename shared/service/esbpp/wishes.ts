import type { Context } from '../context.ts';
import { ledgerKeys } from '../records/keys.ts';
import { iccidOwner } from '../records/order.ts';

/** The position that items ask for by ICCID, by index as these are; −1, which no supply has, for one that is not of this order. */
export async function wishesOf(
  { ledger }: Pick<Context, 'ledger'>,
  orderId: string,
  iccids: ReadonlyMap<number, string>,
): Promise<ReadonlyMap<number, number>> {
  const named = [...iccids];
  const owners = await ledger.getMany(named.map(([, iccid]) => ledgerKeys.iccid(iccid)));
  return new Map(
    named.map(([index], i) => {
      const owner = owners[i] && iccidOwner.from(owners[i]);
      return [index, owner?.orderId === orderId ? owner.position : -1];
    }),
  );
}
