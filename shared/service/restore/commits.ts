import { Fault } from '../../errors.ts';
import { asRead, becomes, changeItem, removeItem } from '../../ledger/change.ts';
import type { Write } from '../../ledger/ledger.ts';
import { present } from '../../present.ts';
import type { Context } from '../context.ts';
import { jobCountWrites } from '../counts/job-counts.ts';
import { orderCountWrites } from '../counts/order-counts.ts';
import { transactCounted } from '../counts/transact.ts';
import { finishChunk } from '../esbpp/commit.ts';
import {
  type BoundItem,
  type ChunkProgress,
  type ChunkRecord,
  chainsKey,
  chunkProgress,
  chunkRecord,
  isBound,
  type JobRecord,
  jobChains,
  jobRecord,
  requestSlice,
  sliceCountOf,
} from '../records/job.ts';
import { ledgerKeys } from '../records/keys.ts';
import {
  type CommitRecord,
  readCommitRecord,
  readJobRecord,
  readRequestSlice,
} from '../records/locked-records.ts';
import { COMMIT_RECORDS, parseCommitRecordName } from '../records/object-names.ts';
import {
  extraPacks,
  extrasRecord,
  iccidOwner,
  type OrderRecord,
  orderRecord,
  packCount,
} from '../records/order.ts';
import { indexDraws } from '../supply/draws.ts';
import { plansOf } from '../supply/job-plan.ts';
import { replayClaims, type Taken } from './claims.ts';
import type { StoredDataKeys } from './data-keys.ts';
import { restorePack } from './orders.ts';

/** Names of commit records that are looked up together. */
const LOOKED_UP = 500;
/** No epoch of trust: what carries it is checked again whenever it goes out. */
const NO_EPOCH = -1;

/** Names of the commit records that the ledger does not know, or has not finished, oldest first. */
export async function missingCommits({ ledger, vault }: Context): Promise<readonly string[]> {
  const missing: string[] = [];
  let batch: string[] = [];
  const look = async () => {
    const places = batch.map(parseCommitRecordName);
    // a chunk and its progress are written together
    const items = await ledger.getMany(
      places.map(({ jobId, chunk }) => ledgerKeys.chunkProgress(jobId, chunk)),
    );
    missing.push(...batch.filter((_, i) => items[i] === undefined || !chunkProgress.from(items[i]).finished));
    batch = [];
  };
  for await (const name of vault.names(COMMIT_RECORDS)) {
    batch.push(name);
    if (batch.length === LOOKED_UP) await look();
  }
  await look();
  return missing.reverse();
}

export interface ReplayedCommit {
  readonly orderId?: string;
  readonly bound: number;
  /** One-time keys that the ledger has bound to something else meanwhile. */
  readonly twice: readonly Taken[];
  /** Why it could be taken on only in part. */
  readonly problem?: string;
}

/**
 * Takes a commit on as it was: its keys, its ICCIDs, its answer. The chunk is written last, so that a repeat after a
 * crash does all of it again.
 */
export async function replayCommit(
  context: Context,
  name: string,
  stored: StoredDataKeys,
): Promise<ReplayedCommit> {
  const { ledger, vault } = context;
  const commit = await readCommitRecord(vault, name);
  if (commit === undefined) return { bound: 0, twice: [], problem: 'the record is gone' };
  const { jobId, chunk, orderId } = commit;
  const job = await restoreJob(context, jobId, commit.job);
  const bound = commit.outcomes.flatMap((outcome, i) => (isBound(outcome) ? [{ outcome, i }] : []));
  const first = chunk * (job?.chunkSize ?? 0);
  const twice = await replayClaims(
    context,
    bound.map(({ outcome, i }) => ({ jobId, index: first + i, orderId, item: outcome })),
  );
  const items = bound.map(({ outcome }) => outcome);
  const known = await reserveIccids(context, orderId, items, stored);
  if (job === undefined)
    return { orderId, bound: bound.length, twice, problem: 'there is no record of its job' };
  if (!known)
    return { orderId, bound: bound.length, twice, problem: `there is no record of order ${orderId}` };

  await writeChains(context, job, commit);
  const record: ChunkRecord = {
    part: commit.part,
    ...present({ partKey: commit.partKey }),
    outcomes: commit.outcomes,
    offsets: commit.offsets,
    trustEpoch: NO_EPOCH,
    committedAt: commit.committedAt,
  };
  const progress: ChunkProgress = {
    bound: bound.length,
    refused: commit.outcomes.length - bound.length,
    size: commit.part.size,
    finished: false,
  };
  const writes: Write[] = [
    { put: ledgerKeys.chunk(jobId, chunk), attributes: chunkRecord.to(record), when: 'absent' },
    { put: ledgerKeys.chunkProgress(jobId, chunk), attributes: chunkProgress.to(progress), when: 'absent' },
  ];
  await transactCounted(ledger, writes, async () => [
    ...(await orderCountWrites(ledger, orderId, { Bound: bound.length }, commit.committedAt)),
    ...(await jobCountWrites(ledger, jobId, job, progress)),
  ]);
  const pack = await missingPack(context, orderId, items);
  if (pack !== undefined)
    return { orderId, bound: bound.length, twice, problem: `pack ${pack} of order ${orderId} is lost` };
  await finishChunk(context, { jobId, job, chunk }, record);
  return { orderId, bound: bound.length, twice };
}

/** Writes a job that the ledger does not have, or has not planned to its end; undefined where nobody has it. */
export async function restoreJob(
  context: Context,
  jobId: string,
  inCommit?: JobRecord,
): Promise<JobRecord | undefined> {
  const { ledger, vault } = context;
  const item = await ledger.get(ledgerKeys.job(jobId));
  const known = item && jobRecord.from(item);
  const isWhole = known !== undefined && known.planning === undefined;
  const job = isWhole ? known : (inCommit ?? (await readJobRecord(vault, jobId)));
  if (job === undefined) return undefined;
  if (!isWhole) await restoreSlices(context, jobId, job);
  for await (const { runs } of plansOf(context, jobId, job))
    await indexDraws(context, jobId, { orderId: job.orderId, runs });
  // last: a job that stands has its draws
  if (!isWhole)
    await ledger.write({ put: ledgerKeys.job(jobId), attributes: jobRecord.to(job), when: asRead(item) });
  return job;
}

/** The plan of a large request, slice by slice, as it was recorded; what a backup has of one that was being planned gives way. */
async function restoreSlices(
  { ledger, vault }: Context,
  jobId: string,
  { slices }: JobRecord,
): Promise<void> {
  for (let slice = 0; slice < (slices === undefined ? 0 : sliceCountOf(slices)); slice++) {
    const plan = await readRequestSlice(vault, jobId, slice);
    if (plan === undefined)
      throw new Fault('vault', `the locked record of slice ${slice} of job ${jobId} is gone`);
    await changeItem(ledger, ledgerKeys.requestSlice(jobId, slice), () => becomes(requestSlice.to(plan)));
  }
  // a plan of one slice stands in the job
  if (slices === undefined) await removeItem(ledger, ledgerKeys.requestSlice(jobId, 0));
}

/** Chunks of a job add certificate chains to one list, each at its end: the longest record has them all. */
async function writeChains(
  { ledger }: Context,
  job: JobRecord,
  { jobId, chains }: CommitRecord,
): Promise<void> {
  const key = chainsKey(jobId, job);
  const item = await ledger.get(key);
  if (item !== undefined && jobChains.from(item).chains.length >= chains.length) return;
  const when = asRead(item);
  await ledger.write({ put: key, attributes: jobChains.to({ chains }), when });
}

/**
 * Bound ICCIDs are taken for ever (I2), also where their order is lost: then nobody can order them again. False in
 * that case.
 */
async function reserveIccids(
  context: Context,
  orderId: string,
  items: readonly BoundItem[],
  stored: StoredDataKeys,
): Promise<boolean> {
  const { ledger } = context;
  const orderItem = await ledger.get(ledgerKeys.order(orderId));
  const owner = orderItem === undefined ? `lost/${orderId}` : orderId;
  await ledger.writeMany(
    items.map(
      ({ iccid, position }): Write => ({
        put: ledgerKeys.iccid(iccid),
        attributes: iccidOwner.to({ orderId: owner, position }),
        when: 'absent',
      }),
    ),
  );
  if (orderItem === undefined) return false;
  const positions = items.map(({ position }) => position);
  await restoreExtras(context, orderId, orderRecord.from(orderItem), positions, stored);
  return true;
}

/** Those that the draws of a job lead to: it may bind them yet, and nobody else may be given their places. */
export async function restoreExtrasOfJob(
  context: Context,
  jobId: string,
  job: JobRecord,
  stored: StoredDataKeys,
): Promise<void> {
  const { orderId } = job;
  const item = await context.ledger.get(ledgerKeys.order(orderId));
  if (item === undefined) return;
  const order = orderRecord.from(item);
  for await (const { runs } of plansOf(context, jobId, job)) {
    const drawn = runs.flatMap(([, from, count]) => {
      const first = Math.max(from, order.quantity);
      return Array.from({ length: Math.max(0, from + count - first) }, (_, i) => first + i);
    });
    await restoreExtras(context, orderId, order, drawn, stored);
  }
}

/** Packs of one beyond the order's own, made as replacements after the restored ledger's last write. */
async function restoreExtras(
  context: Context,
  orderId: string,
  order: OrderRecord,
  positions: readonly number[],
  stored: StoredDataKeys,
): Promise<void> {
  const { ledger } = context;
  const own = packCount(order);
  for (const pack of new Set(positions.map((position) => Math.floor(position / order.packSize)))) {
    if (pack < own) continue;
    await restorePack(context, orderId, order, pack, stored);
    const key = ledgerKeys.orderExtras(orderId);
    const extras = await ledger.get(key);
    const count = Math.max(extraPacks(extras), pack - own + 1);
    if (extras !== undefined && count === extraPacks(extras)) continue;
    const when = asRead(extras);
    await ledger.write({ put: key, attributes: extrasRecord.to({ count }), when });
  }
}

async function missingPack(
  { ledger }: Context,
  orderId: string,
  items: readonly BoundItem[],
): Promise<number | undefined> {
  const { packSize } = orderRecord.from((await ledger.get(ledgerKeys.order(orderId)))!);
  for (const pack of new Set(items.map(({ position }) => Math.floor(position / packSize))))
    if ((await ledger.get(ledgerKeys.orderPack(orderId, pack))) === undefined) return pack;
  return undefined;
}
