import type { Write } from '../../ledger/ledger.ts';
import { scanAll } from '../../ledger/scan.ts';
import { auditWrite } from '../audit/line.ts';
import type { Context } from '../context.ts';
import { orderCountWrites } from '../counts/order-counts.ts';
import { transactCounted } from '../counts/transact.ts';
import { ledgerKeys, orderPartition, REPLACEMENT } from '../records/keys.ts';
import { type OrderRecord, packCount, packRecord, replacementRecord } from '../records/order.ts';
import { profileRecord } from '../records/profile.ts';
import { planDraw } from '../supply/supply.ts';
import { readTies, type Tie } from '../supply/ties.ts';
import { availableOf } from './places.ts';

/**
 * Closes profiles whose PPK or data key is gone, with the PPK vault or by an end that the ledger has lost: nobody can bind
 * them. They are those still to be drawn, and those kept as replacements, each of which may be asked for again.
 */
export async function closeLost(context: Context, orderId: string, order: OrderRecord): Promise<number> {
  const available = await availableOf(context, orderId, order);
  let closed = 0;
  for (let pack = 0; pack < packCount(order); pack++) {
    const first = pack * order.packSize;
    const positions = Array.from({ length: order.packSize }, (_, i) => first + i).filter((position) =>
      available.has(position),
    );
    for (const { position, iccid } of await lostOf(context, orderId, order, pack, positions)) {
      const draw = await planDraw(context, orderId, [position]);
      if (draw.runs.length > 0 && (await close(context, orderId, position, iccid, draw.writes))) closed += 1;
    }
  }
  for (const tie of await readTies(context.ledger, orderId))
    if (!tie.drawn && (await closeLostTie(context, orderId, order, tie))) closed += 1;
  return closed;
}

/** Those of a pack that cannot be opened any more; none of a pack that is not made, since it still can be. */
async function lostOf(
  { ledger, ppks }: Context,
  orderId: string,
  { packSize }: OrderRecord,
  pack: number,
  positions: readonly number[],
): Promise<{ position: number; iccid: string }[]> {
  if (positions.length === 0) return [];
  const item = await ledger.get(ledgerKeys.orderPack(orderId, pack));
  if (item === undefined) return [];
  const record = packRecord.from(item);
  const places = positions.map((position) => position % packSize);
  const hasKey = (await ppks.header(record.dataKey)) !== undefined;
  const entries = hasKey ? await ppks.entries(record.ppks, places) : [];
  return positions.flatMap((position, i) => {
    const iccid = record.iccids[places[i]!];
    return entries[i] !== undefined || iccid === undefined ? [] : [{ position, iccid }];
  });
}

/** A replacement that nobody can bind; without its records the profile that it stands for is replaced anew when asked again. */
async function closeLostTie(
  context: Context,
  orderId: string,
  order: OrderRecord,
  tie: Tie,
): Promise<boolean> {
  const pack = Math.floor(tie.position / order.packSize);
  const [lost] = await lostOf(context, orderId, order, pack, [tie.position]);
  if (lost === undefined) return false;
  const replacements = await scanAll(context.ledger, orderPartition(orderId), { prefix: REPLACEMENT });
  const ends = replacements
    .filter((item) => replacementRecord.from(item).position === tie.position)
    .map((item): Write => ({ remove: item, when: { revision: item.revision } }));
  return await close(context, orderId, tie.position, lost.iccid, [tie.endWrite(), ...ends]);
}

/** `writes` take the position from where it was. */
async function close(
  { ledger, now }: Context,
  orderId: string,
  position: number,
  iccid: string,
  writes: readonly Write[],
): Promise<boolean> {
  const at = now();
  const record = { state: 'Closed', iccid, at, detail: 'its keys are lost' } as const;
  const all: Write[] = [
    ...writes,
    { put: ledgerKeys.profile(orderId, position), attributes: profileRecord.to(record), when: 'absent' },
    auditWrite(
      { event: 'profile.closed', by: 'server', about: { order: orderId, iccid } },
      `lost-${orderId}-${iccid}`,
      at,
    ),
  ];
  const counts = () => orderCountWrites(ledger, orderId, { Closed: 1 }, at);
  return (await transactCounted(ledger, all, counts)).done;
}
