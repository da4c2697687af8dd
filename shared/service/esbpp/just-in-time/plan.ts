import { randomInt } from 'node:crypto';
import { together } from '../../../concurrency.ts';
import { Refusal } from '../../../errors.ts';
import type { RequestItem } from '../../../ifpp-draft1/bpp-request.ts';
import type { Item, ItemKey } from '../../../ledger/ledger.ts';
import { ownMember } from '../../../own-member.ts';
import type { Context } from '../../context.ts';
import { type Admission, type GateReads, gateReads, mayHaveProfile } from '../../eligibility/gate.ts';
import { euiccCertificateRecord, euiccRecord, itemName } from '../../records/euicc.ts';
import { COPIES, ledgerKeys, orderPartition, tiePrefix } from '../../records/keys.ts';
import { type OrderRecord, orderRecord, type PackRecord, packRecord } from '../../records/order.ts';
import type { RecordKind } from '../../records/record.ts';
import { trustEpochCopy } from '../../records/trust.ts';
import { type Lane, nextOf } from '../../supply/lane.ts';
import type { Sharer } from '../../supply/shares.ts';
import type { Trust } from '../../trust/trust.ts';
import type { ReceivedRequest } from '../requests.ts';

/** The one item of a request, to be bound just in time. */
export interface Wanted {
  readonly received: ReceivedRequest;
  readonly item: RequestItem;
}

/** That the eUICC may have a profile of the order, and what was read to say so: the commit leans on each of these items. */
export interface Decision {
  readonly order: OrderRecord;
  readonly admission: Admission;
  readonly trustEpoch: number;
  /** The caller, with its share of the order. */
  readonly sharer: Sharer;
  readonly leansOn: { readonly euicc: Item; readonly epoch: Item; readonly open: Item };
  /** The lane that was asked about, where it still is as its process knows it. */
  readonly place?: Place;
}

/** The profile that the item gets. */
export interface Place {
  readonly lane: Lane;
  readonly position: number;
  readonly pack: PackRecord;
}

/** What decisions look things up in, beside what they read. */
export interface Deciding {
  readonly trust: Trust;
  /** Kept over all decisions of a process. */
  readonly infoOf: GateReads['infoOf'];
}

/** Reads all that decides in one go, and decides; undefined where the request goes the way of all others. */
export async function decide(
  context: Context,
  { trust, infoOf }: Deciding,
  wanted: Wanted,
  lane: Lane | undefined,
): Promise<Decision | undefined> {
  const { received, item } = wanted;
  const { caller, jobId, frame } = received;
  const { orderId } = frame;
  const { eid } = item;
  const [read, ties] = await together(
    readItems(context, wanted, lane),
    context.ledger.query(orderPartition(orderId), { prefix: tiePrefix(eid), limit: 1 }),
  );
  const { job, epoch, open, euicc } = read;
  // known already, not open, never registered, or with a replacement of its own
  if (job !== undefined || epoch === undefined || open === undefined || euicc === undefined) return undefined;
  if (read.order === undefined || ties.items.length > 0) return undefined;
  const order = decodedOnce(orderRecord, read.order);
  const { identifier } = caller;
  if (!order.requesterDms.includes(identifier)) return undefined;

  const trustEpoch = trustEpochCopy.from(epoch).epoch;
  const certificate = read.certificate && euiccCertificateRecord.from(read.certificate).der;
  const admission = await mayHaveProfile(
    { eid, record: euiccRecord.from(euicc), certificate },
    {
      orderId,
      order,
      orderState: 'Open',
      askedBy: { makers: [identifier], called: 'the caller' },
      claimAs: itemName(jobId, 0),
      keyId: item.keyId,
      additional: item.additional,
    },
    { ...gateReads(context, await trust.at(trustEpoch)), infoOf },
  );
  if (admission instanceof Refusal) return undefined;
  const sharer = { maker: identifier, share: ownMember(order.shares, identifier) };
  const decision = { order, admission, trustEpoch, sharer, leansOn: { euicc, epoch, open } };
  const position = lane && nextOf(lane);
  if (lane === undefined || position === undefined || read.pack === undefined) return decision;
  if (read.lane?.revision !== lane.revision) return decision;
  return { ...decision, place: { lane, position, pack: decodedOnce(packRecord, read.pack) } };
}

/** Records of an order, which all its calls read, and which a ledger may keep as they were read. */
const decoded = new WeakMap<Item, unknown>();

function decodedOnce<T>(kind: RecordKind<T>, item: Item): T {
  if (!decoded.has(item)) decoded.set(item, kind.from(item));
  return decoded.get(item) as T;
}

/** One batched read. */
async function readItems({ ledger }: Context, { received, item }: Wanted, lane: Lane | undefined) {
  const { jobId, frame } = received;
  const { orderId } = frame;
  const copy = randomInt(COPIES);
  const keys: ItemKey[] = [
    ledgerKeys.job(jobId),
    ledgerKeys.order(orderId),
    ledgerKeys.orderOpen(orderId, copy),
    ledgerKeys.trustEpochCopy(copy),
    ledgerKeys.euicc(item.eid),
    ledgerKeys.euiccCertificate(item.eid),
  ];
  const position = lane && nextOf(lane);
  if (lane !== undefined && position !== undefined)
    keys.push(lane.key, ledgerKeys.orderPack(orderId, Math.floor(position / lane.packSize)));
  const [job, order, open, epoch, euicc, certificate, laneItem, pack] = await ledger.getMany(keys);
  return { job, order, open, epoch, euicc, certificate, lane: laneItem, pack };
}
