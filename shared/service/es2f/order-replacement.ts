import { invariant, refuse } from '../../errors.ts';
import { asRead, changeItems, unchanged, writes } from '../../ledger/change.ts';
import type { Write } from '../../ledger/ledger.ts';
import { actorOf } from '../api/actor.ts';
import type { Caller } from '../api/caller.ts';
import { REPLACEABLE } from '../api/es2f.ts';
import { auditWrite } from '../audit/line.ts';
import type { Context } from '../context.ts';
import { ledgerKeys } from '../records/keys.ts';
import {
  extraPacks,
  extrasRecord,
  type OrderRecord,
  packCount,
  packRecord,
  type ReplacementRecord,
  replacementRecord,
  tieRecord,
} from '../records/order.ts';
import { profileRecord } from '../records/profile.ts';
import { loadOrderState, ownOrder, positionOfIccid } from '../supply/own-order.ts';
import { planDraw } from '../supply/supply.ts';
import { preparePack } from './order-packs.ts';

/**
 * A new profile of the same order for the eUICC that a profile was of no use to: the next of the supply or, where rules
 * make the profiles and the supply is exhausted, one made for it. It is kept for that EID: the next request that a
 * device manufacturer makes for it gets this profile and no other. The old ICCID stays with the EID for ever (I2).
 */
export async function replaceProfile(
  context: Context,
  caller: Caller,
  { orderId, iccid }: { orderId: string; iccid: string },
): Promise<{ iccid: string; eid: string }> {
  const order = await ownOrder(context, caller, orderId);
  const { ledger } = context;
  const key = ledgerKeys.replacement(orderId, iccid);
  const replacement = await changeItems<ReplacementRecord>(ledger, async () => {
    const known = await ledger.get(key);
    if (known !== undefined) return unchanged(replacementRecord.from(known));
    const { state } = (await loadOrderState(context, orderId)).record;
    if (state !== 'Open') refuse('orderExpired', `the order is ${state}`, { subjectIdentifier: orderId });
    const eid = await replaceableEid(context, orderId, iccid);
    const chosen = await choosePosition(context, orderId, order);
    const record: ReplacementRecord = { eid, position: chosen.position };
    const changes: Write[] = [
      ...chosen.writes,
      { put: key, attributes: replacementRecord.to(record), when: 'absent' },
      auditWrite(
        {
          event: 'profile.replaced',
          by: actorOf(caller),
          about: { order: orderId, iccid, eid, position: chosen.position },
        },
        `replaced-${orderId}-${iccid}`,
        context.now(),
      ),
    ];
    return writes(changes, record);
  });
  return await complete(context, orderId, order, replacement);
}

async function replaceableEid(context: Context, orderId: string, iccid: string): Promise<string> {
  const position = await positionOfIccid(context, orderId, iccid);
  const item = await context.ledger.get(ledgerKeys.profile(orderId, position));
  const record = item && profileRecord.from(item);
  if (record?.eid === undefined || !REPLACEABLE.includes(record.state))
    refuse('profileStateForbids', `a profile is replaced once it is ${REPLACEABLE.join(', ')}`, {
      subjectIdentifier: iccid,
    });
  return record.eid;
}

/** The next position of the supply, or a pack of one beyond those of the order. */
async function choosePosition(
  context: Context,
  orderId: string,
  order: OrderRecord,
): Promise<{ position: number; writes: readonly Write[] }> {
  const draw = await planDraw(context, orderId, [undefined]);
  const [run] = draw.runs;
  if (run !== undefined) return { position: run[1], writes: draw.writes };
  if ('format' in order.personalisation)
    refuse('profileTypeExhausted', 'the order has no profile left, and its rows make no others', {
      subjectIdentifier: orderId,
    });
  const key = ledgerKeys.orderExtras(orderId);
  const extras = await context.ledger.get(key);
  const count = extraPacks(extras);
  return {
    position: (packCount(order) + count) * order.packSize,
    writes: [
      {
        put: key,
        attributes: extrasRecord.to({ count: count + 1 }),
        when: asRead(extras),
      },
    ],
  };
}

/** Makes the profile where it is not there yet and keeps it for its eUICC; may be repeated. */
async function complete(
  context: Context,
  orderId: string,
  order: OrderRecord,
  { eid, position }: ReplacementRecord,
): Promise<{ iccid: string; eid: string }> {
  const { ledger } = context;
  const pack = Math.floor(position / order.packSize);
  await preparePack(context, orderId, pack);
  const item = await ledger.get(ledgerKeys.orderPack(orderId, pack));
  // an order that ended meanwhile makes nothing any more
  if (item === undefined) refuse('orderExpired', 'the order has ended', { subjectIdentifier: orderId });
  const iccid = packRecord.from(item).iccids[position % order.packSize];
  invariant(iccid !== undefined, `pack ${pack} of order ${orderId} is too short`);
  await ledger.write({
    put: ledgerKeys.tie(orderId, eid, position),
    attributes: tieRecord.to({ position, drawn: false }),
    when: 'absent',
  });
  return { iccid, eid };
}
