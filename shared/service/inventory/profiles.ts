import { refuse } from '../../errors.ts';
import { scanAllSpread } from '../../ledger/scan.ts';
import { ifPresent, present } from '../../present.ts';
import type { OrderState, ProfileState } from '../api/es2f.ts';
import type { HistoryEntry, Inventory, ProfileDetail, ProfileEntry } from '../api/ops.ts';
import type { Context } from '../context.ts';
import { positionAt, profileCount, viewProfiles } from '../es2f/order-profiles.ts';
import {
  type BoundItem,
  type ChunkProgress,
  type ChunkRecord,
  chunkProgress,
  chunkRecord,
  isBound,
  type JobRecord,
  jobRecord,
} from '../records/job.ts';
import { blockOf, drawStripes, ledgerKeys, padded } from '../records/keys.ts';
import {
  drawRecord,
  iccidOwner,
  type OrderRecord,
  orderRecord,
  orderStateRecord,
  packRecord,
} from '../records/order.ts';
import { type ProfileRecord, profileRecord } from '../records/profile.ts';
import { parseTransactionId, transactionId } from '../records/transaction-id.ts';
import { limitOf } from './page.ts';
import { iso } from './times.ts';

/** Profiles that one call looks at, whatever it finds: two blocks of positions at most. */
const LOOKED_AT = 1_000;

/** The profiles of an order, page by page. */
export async function listProfiles(
  context: Context,
  { orderId, state, from = 0, ...request }: Parameters<Inventory['listProfiles']>[0],
): Promise<{ profiles: readonly ProfileEntry[]; cursor?: string }> {
  const { order, orderState } = await orderOf(context, orderId);
  const count = await profileCount(context, orderId, order);
  const start = request.cursor === undefined ? Math.min(from, count) : placeOf(request.cursor, count);
  const end = Math.min(count, start + (state === undefined ? limitOf(request) : LOOKED_AT));
  const profiles: ProfileEntry[] = [];
  let place = start;
  for await (const view of viewProfiles(context, orderId, order, orderState, [start, end])) {
    const { position, iccid, eid, detail, at } = view;
    while (place < end && positionAt(order, place) < position) place += 1;
    if (state !== undefined && view.state !== state) continue;
    if (profiles.length === limitOf(request)) return { profiles, cursor: String(place) };
    const transaction = view.transactionId?.toUpperCase();
    profiles.push({
      position,
      iccid,
      state: view.state,
      ...present({ eid, detail, transactionId: transaction, at: ifPresent(at, iso) }),
    });
  }
  return { profiles, ...(end < count && { cursor: String(end) }) };
}

function placeOf(cursor: string, count: number): number {
  const place = /^[0-9]{1,10}$/.test(cursor) ? Number(cursor) : count + 1;
  return place <= count ? place : refuse('protocolFormat', 'the cursor is not one that this list gave');
}

/** One profile, by its ICCID or its transaction. */
export async function findProfile(
  context: Context,
  { iccid, transactionId: transaction }: Parameters<Inventory['findProfile']>[0],
): Promise<ProfileDetail> {
  if ((iccid === undefined) === (transaction === undefined))
    refuse('mandatoryElementMissing', 'a profile is found by exactly one of iccid and transactionId');
  if (iccid !== undefined) {
    const item = await context.ledger.get(ledgerKeys.iccid(iccid));
    if (item === undefined) refuse('iccidUnknown', 'no profile has this ICCID', { subjectIdentifier: iccid });
    const { orderId, position } = iccidOwner.from(item);
    return await profileAt(context, orderId, position);
  }
  const found = await boundOf(context, transaction ?? '');
  if (found === undefined)
    refuse('transactionUnknown', 'no profile was bound under this transactionId', {
      subjectIdentifier: transaction ?? '',
    });
  return await profileAt(context, found.job.orderId, found.bound.position);
}

/** A profile that a commit has bound. */
interface Binding {
  readonly jobId: string;
  readonly index: number;
  readonly job: JobRecord;
  readonly chunk: ChunkRecord;
  readonly progress: ChunkProgress | undefined;
  readonly bound: BoundItem;
}

/** What was bound as this item of a job; undefined where nothing was. */
async function bindingOf({ ledger }: Context, jobId: string, index: number): Promise<Binding | undefined> {
  const jobItem = await ledger.get(ledgerKeys.job(jobId));
  if (jobItem === undefined) return undefined;
  const job = jobRecord.from(jobItem);
  const number = Math.floor(index / job.chunkSize);
  const [item, progressItem] = await ledger.getMany([
    ledgerKeys.chunk(jobId, number),
    ledgerKeys.chunkProgress(jobId, number),
  ]);
  if (item === undefined) return undefined;
  const chunk = chunkRecord.from(item);
  const bound = chunk.outcomes[index % job.chunkSize];
  if (bound === undefined || !isBound(bound)) return undefined;
  return { jobId, index, job, chunk, progress: ifPresent(progressItem, chunkProgress.from), bound };
}

export const boundOf = (context: Context, transaction: string): Promise<Binding | undefined> => {
  const { jobId, index } = parseTransactionId(transaction);
  return bindingOf(context, jobId, index);
};

/** The profile at a position of an order, with all that is known of it. */
export async function profileAt(context: Context, orderId: string, position: number): Promise<ProfileDetail> {
  const { ledger } = context;
  const { order, orderState } = await orderOf(context, orderId);
  const [packItem, recordItem] = await ledger.getMany([
    ledgerKeys.orderPack(orderId, Math.floor(position / order.packSize)),
    ledgerKeys.profile(orderId, position),
  ]);
  const record = ifPresent(recordItem, profileRecord.from);
  const binding = await bindingAt(context, orderId, position);
  const iccid =
    record?.iccid ??
    binding?.bound.iccid ??
    ifPresent(packItem, (item) => packRecord.from(item).iccids[position % order.packSize]);
  if (iccid === undefined) refuse('iccidUnknown', 'the profile is not prepared yet');
  const eid = record?.eid ?? binding?.bound.eid;
  const state = record?.state ?? unreportedState(orderState, binding);
  return {
    iccid,
    orderId,
    position,
    state,
    ...present({ eid, detail: record?.detail }),
    ...(binding !== undefined && {
      transactionId: transactionId(binding.jobId, binding.index).toUpperCase(),
      jobId: binding.jobId.toUpperCase(),
      requestId: binding.job.requestId.toUpperCase(),
      party: binding.job.party,
      keyId: binding.bound.keyId.toUpperCase(),
    }),
    history: historyOf({ orderId, iccid, order, binding, record }),
  };
}

function unreportedState(orderState: OrderState, binding: Binding | undefined): ProfileState {
  if (binding !== undefined) return binding.progress?.deliveredAt === undefined ? 'Bound' : 'Delivered';
  return orderState === 'Open' || orderState === 'Preparing' ? 'Available' : 'Closed';
}

/** The commit that has bound the position; the draws of its block lead to it. */
async function bindingAt(context: Context, orderId: string, position: number): Promise<Binding | undefined> {
  const draws = await scanAllSpread(context.ledger, drawStripes(orderId, blockOf(position)), {
    to: `${padded(position)}#~`,
  });
  for (const { jobId, index, from, count } of draws.map(drawRecord.from).reverse()) {
    if (position < from || position >= from + count) continue;
    const binding = await bindingOf(context, jobId, index + position - from);
    if (binding?.bound.position === position) return binding;
  }
  return undefined;
}

function historyOf(known: {
  readonly orderId: string;
  readonly iccid: string;
  readonly order: OrderRecord;
  readonly binding: Binding | undefined;
  readonly record: ProfileRecord | undefined;
}): HistoryEntry[] {
  const { orderId, iccid, order, binding, record } = known;
  const about = { orderId, iccid };
  const bound = binding && {
    ...about,
    eid: binding.bound.eid,
    transactionId: transactionId(binding.jobId, binding.index).toUpperCase(),
  };
  const delivered = binding?.progress?.deliveredAt;
  const states = record === undefined ? [] : [...(record.before ?? []), record];
  return [
    { at: iso(order.createdAt), event: 'ordered', ...about },
    ...(binding === undefined || bound === undefined
      ? []
      : [{ at: iso(binding.chunk.committedAt), event: 'Bound', ...bound }]),
    ...(delivered === undefined || bound === undefined
      ? []
      : [{ at: iso(delivered), event: 'Delivered', ...bound }]),
    ...states.map(({ at, state, detail }) => ({
      at: iso(at),
      event: state,
      ...(bound ?? about),
      ...present({ detail }),
    })),
  ];
}

export async function orderOf(
  { ledger }: Context,
  orderId: string,
): Promise<{ order: OrderRecord; orderState: OrderState }> {
  const [order, state] = await ledger.getMany([ledgerKeys.order(orderId), ledgerKeys.orderState(orderId)]);
  if (order === undefined || state === undefined)
    refuse('orderUnknown', 'no such order', { subjectIdentifier: orderId });
  return { order: orderRecord.from(order), orderState: orderStateRecord.from(state).state };
}
