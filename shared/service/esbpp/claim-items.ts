import type { Bytes } from '../../codec/bytes.ts';
import { invariant, Refusal, refuse } from '../../errors.ts';
import type { RequestItem } from '../../ifpp-draft1/bpp-request.ts';
import { becomes, changeEach, unchanged } from '../../ledger/change.ts';
import type { OrderState } from '../api/es2f.ts';
import type { Context } from '../context.ts';
import {
  type Admission,
  gateReads,
  mayHaveProfile,
  orderRefusal,
  type WantedProfile,
} from '../eligibility/gate.ts';
import {
  type EuiccRecord,
  euiccCertificateRecord,
  euiccRecord,
  itemName,
  type OneTimeKeyRecord,
} from '../records/euicc.ts';
import { type JobRecord, positionOf } from '../records/job.ts';
import { blockOf, ledgerKeys } from '../records/keys.ts';
import type { OrderRecord } from '../records/order.ts';
import { viewBlock } from '../supply/draws.ts';
import { positionOfIccid } from '../supply/own-order.ts';
import type { DpBinding, TrustView } from '../trust/trust.ts';
import type { ChunkItem, JobChunk, PlanOfChunk } from './chunk-items.ts';

/** An item that passed the gate and holds its claim. */
export interface ClaimedItem extends ChunkItem {
  readonly position: number;
  readonly euicc: EuiccRecord;
  readonly key: OneTimeKeyRecord;
  readonly dp: DpBinding;
}

export interface RefusedItem extends ChunkItem {
  readonly refusal: Refusal;
}

export type SettledItem = ClaimedItem | RefusedItem;

export const isClaimed = (one: SettledItem): one is ClaimedItem => 'key' in one;

/** What the claims of one attempt at a chunk lean on. */
export interface ChunkReads {
  readonly place: JobChunk;
  readonly plan: Pick<PlanOfChunk, 'runs'>;
  readonly order: OrderRecord;
  readonly orderState: OrderState;
  /** Positions kept for one eUICC each. */
  readonly tied: ReadonlySet<number>;
  readonly view: TrustView;
}

/**
 * Takes each item through the gate and claims its one-time key, before a profile or a key is spent (DPFF09, DPFF10,
 * I6, I7): one conditional write per eUICC, on whose record all its items are settled again where somebody else was
 * faster.
 */
export async function claimItems(
  context: Context,
  reads: ChunkReads,
  items: readonly ChunkItem[],
): Promise<SettledItem[]> {
  const { job } = reads.place;
  const closed = orderRefusal(job.orderId, reads.orderState);
  if (closed !== undefined) return items.map((one) => ({ ...one, refusal: closed }));
  const settled = new Map<number, SettledItem>();
  const readable: ChunkItem[] = [];
  for (const one of items) {
    if (one.item.malformed === undefined) readable.push(one);
    else settled.set(one.index, { ...one, refusal: one.item.malformed });
  }
  const byEid = Map.groupBy(readable, ({ item }) => item.eid);
  const certificates = await certificatesOf(context, [...byEid.keys()]);
  const refusedData = refusedDataOf(job);
  const gate = gateReads(context, reads.view);
  await changeEach(
    context.ledger,
    [...byEid],
    ([eid]) => ledgerKeys.euicc(eid),
    async (stored, [eid, ofEuicc]) => {
      const before = stored && euiccRecord.from(stored);
      let record = before;
      for (const one of ofEuicc) {
        const candidate = { eid, record, certificate: certificates.get(eid) };
        const wanted = wantedProfile(context, reads, one, refusedData.get(eid));
        const verdict = await mayHaveProfile(candidate, wanted, gate);
        settled.set(one.index, settledItem(reads, one, verdict));
        if (!(verdict instanceof Refusal)) record = verdict.claim.euicc;
      }
      return record === undefined || record === before ? unchanged() : becomes(euiccRecord.to(record));
    },
  );
  return items.map(({ index }) => settled.get(index)!);
}

function settledItem({ plan }: ChunkReads, one: ChunkItem, verdict: Admission | Refusal): SettledItem {
  if (verdict instanceof Refusal) return { ...one, refusal: verdict };
  const { dp, claim } = verdict;
  const position = positionOf(plan, one.index);
  invariant(position !== undefined, `item ${one.index} was admitted without a position`);
  return { ...one, position, euicc: claim.euicc, key: claim.key, dp };
}

async function certificatesOf(
  { ledger }: Context,
  eids: readonly string[],
): Promise<ReadonlyMap<string, Bytes | undefined>> {
  const items = await ledger.getMany(eids.map((eid) => ledgerKeys.euiccCertificate(eid)));
  return new Map(eids.map((eid, i) => [eid, items[i] && euiccCertificateRecord.from(items[i]).der]));
}

/** By EID: why the eUICC data that came with the request was refused. */
const refusedDataOf = ({ refusedData }: JobRecord): ReadonlyMap<string, Refusal> =>
  new Map(
    refusedData.map(({ eid, refusal, message }) => [
      eid,
      new Refusal(refusal, message, { subjectIdentifier: eid }),
    ]),
  );

/** What the gate is asked for one item. */
function wantedProfile(
  context: Context,
  { place: { jobId, job }, plan, order, orderState, tied }: ChunkReads,
  { index, item }: ChunkItem,
  refusedData: Refusal | undefined,
): WantedProfile {
  const position = positionOf(plan, index);
  return {
    orderId: job.orderId,
    order,
    orderState,
    askedBy: { makers: [job.party], called: 'the caller' },
    refusedData,
    requireDrawn: async () => {
      if (position === undefined) await refuseUndrawn(context, job.orderId, item);
    },
    claimAs: itemName(jobId, index),
    keyId: item.keyId,
    // a replacement comes beside the profile that it replaces
    additional: item.additional || (position !== undefined && tied.has(position)),
  };
}

/** Why the job could take no profile for an item, or not the one that the item names. */
async function refuseUndrawn(context: Context, orderId: string, { eid, iccid }: RequestItem): Promise<never> {
  if (iccid === undefined)
    refuse('profileTypeExhausted', 'the order has no profile left for this device manufacturer');
  const about = { subjectIdentifier: iccid };
  const position = await positionOfIccid(context, orderId, iccid);
  const bound = (await viewBlock(context, orderId, blockOf(position))).bound.get(position);
  if (bound?.outcome.eid === eid)
    refuse(
      'noNewBinding',
      'the profile is bound to this eUICC; repeat the request that it was bound in',
      about,
    );
  if (bound !== undefined) refuse('iccidOtherEid', 'the profile is bound to another eUICC', about);
  return refuse('iccidInUse', 'the profile is taken by another item, or was taken out of the order', about);
}
