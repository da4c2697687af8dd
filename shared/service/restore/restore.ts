import { Fault } from '../../errors.ts';
import type { Actor } from '../api/actor.ts';
import { auditWrite } from '../audit/line.ts';
import { AuditLog } from '../audit/log.ts';
import type { Context } from '../context.ts';
import { progressOfJob } from '../counts/job-counts.ts';
import { repairJobCounts } from '../counts/job-recount.ts';
import { requireBegun } from '../dual-control/dual-control.ts';
import { finishJob } from '../esbpp/job-progress.ts';
import { repairCounts } from '../inventory/recount.ts';
import { restoreDeliveryKeys } from '../keys/assign-key.ts';
import { chunkCount } from '../records/job.ts';
import { ledgerKeys } from '../records/keys.ts';
import { recordedJobs, recordedOrders } from '../records/locked-records.ts';
import { openWorkRecord } from '../records/work.ts';
import { replayAuditLines } from './audit-lines.ts';
import { missingCommits, replayCommit, restoreExtrasOfJob, restoreJob } from './commits.ts';
import { StoredDataKeys } from './data-keys.ts';
import { adoptPpks } from './identity.ts';
import { restoreOrder } from './orders.ts';
import { repeatRestriction } from './restrictions.ts';
import { restoreCrls } from './revocation-lists.ts';
import type { Standing } from './standing.ts';
import { reconcileSupply } from './supply.ts';
import { type LostWrappingKey, lostWrappingKeys } from './wrapping-keys.ts';

/** What a restored ledger lacks, as far as it can be told without changing it. */
export interface RestorePlan {
  /** Undefined where the ledger is not frozen: there is nothing to restore. */
  readonly frozen: string | undefined;
  readonly commits: number;
  readonly jobs: number;
  readonly orders: number;
  /** Wrapping keys of the backup's time that are not there: bring them back before the run. */
  readonly lostKeys: readonly LostWrappingKey[];
}

export interface RestoreResult {
  readonly auditLines: number;
  readonly orders: { readonly restored: number; readonly closed: readonly string[] };
  readonly jobs: number;
  readonly commits: number;
  readonly bound: number;
  readonly positions: { readonly taken: number; readonly returned: number; readonly closed: number };
  /** Changes that administrators made since, by line of the audit log: to be made again. */
  readonly toRepeat: readonly { readonly sequence: number; readonly event: string }[];
  /** Commits that could not be taken on whole; what they bound is bound all the same. */
  readonly problems: readonly { readonly commit: string; readonly problem: string }[];
  /** One-time keys that two commits name: the ledger was used before it was frozen. */
  readonly twice: readonly { readonly eid: string; readonly keyId: string }[];
  /** What is under them stays closed until they are back. */
  readonly lostKeys: readonly LostWrappingKey[];
}

export type RestoreStep = 'auditLines' | 'orders' | 'jobs' | 'commits' | 'restrictions' | 'positions';
export type Progress = (step: RestoreStep, done: number, of: number | undefined) => void;

/** Lines of problems, repeats and keys that a result lists. */
const LISTED = 1_000;

/** Looks, and changes nothing. `context` is over the ledger below the guard. */
export async function planRestore(context: Context, standing: Standing): Promise<RestorePlan> {
  const { ledger, vault } = context;
  let jobs = 0;
  let orders = 0;
  for await (const jobId of recordedJobs(vault))
    if ((await ledger.get(ledgerKeys.job(jobId))) === undefined) jobs += 1;
  for await (const orderId of recordedOrders(vault))
    if ((await ledger.get(ledgerKeys.order(orderId))) === undefined) orders += 1;
  return {
    frozen: await standing.why(),
    commits: (await missingCommits(context)).length,
    jobs,
    orders,
    lostKeys: await lostWrappingKeys(context),
  };
}

/**
 * Brings a restored ledger up to what the vault knows (I9), and thaws it. Every step may be repeated and stands by
 * itself, so a run that died is simply run again; until the last write of a whole run the ledger stays frozen.
 */
export async function restore(
  context: Context,
  standing: Standing,
  progress: Progress = () => undefined,
  by: Actor = 'server',
): Promise<RestoreResult> {
  const { ledger, vault } = context;
  await requireBegun(ledger, { action: 'restore', subject: context.settings.deployment }, by);
  if ((await standing.why()) === undefined)
    throw new Fault('configuration', 'the ledger is not frozen: there is nothing to restore');
  const { auditHead } = await standing.freeze('the ledger is being restored');

  const auditLines = await replayAuditLines(ledger, vault, auditHead);
  progress('auditLines', auditLines, auditLines);
  await restoreDeliveryKeys(context);
  const stored = await StoredDataKeys.read(context.ppks);
  const { orderIds, ...orders } = await restoreOrders(context, stored, progress);
  const jobs = await reopenJobs(context, stored, progress);
  const { commits, bound, problems, twice, affected } = await replayCommits(context, stored, progress);
  await stored.reconcile(context);
  for await (const jobId of recordedJobs(vault)) {
    // a copy of the ledger may have been taken in the middle of a transaction
    await repairJobCounts(ledger, jobId);
    await finishJob(context, jobId);
  }
  await restoreCrls(context);
  const toRepeat = await repeatRestrictions(context, auditHead, progress);
  const positions = await reconcileSupplies(context, new Set([...orderIds, ...affected]), progress);

  const about = { auditHead, auditLines, orders: orders.restored, jobs, commits, bound, ...positions };
  const line = { event: 'ledger.restored', by, about } as const;
  await ledger.write(auditWrite(line, `restored-${context.now()}`, context.now()));
  await adoptPpks(context.ppks, context.settings);
  await new AuditLog(ledger, vault, context).resetAnchors();
  await standing.thaw();
  return {
    auditLines,
    orders,
    jobs,
    commits,
    bound,
    positions,
    toRepeat: toRepeat.slice(0, LISTED),
    problems: problems.slice(0, LISTED),
    twice: twice.slice(0, LISTED),
    lostKeys: await lostWrappingKeys(context),
  };
}

/** Orders that the vault knows: all their identifiers, and what became of those that the ledger did not have whole. */
async function restoreOrders(context: Context, stored: StoredDataKeys, progress: Progress) {
  const orderIds: string[] = [];
  const closed: string[] = [];
  let restored = 0;
  for await (const orderId of recordedOrders(context.vault)) {
    orderIds.push(orderId);
    const outcome = await restoreOrder(context, orderId, stored);
    if (outcome === 'restored') restored += 1;
    if (outcome === 'closed') closed.push(orderId);
    progress('orders', orderIds.length, undefined);
  }
  return { orderIds, restored, closed };
}

/** Returns how many jobs are open again. */
async function reopenJobs(context: Context, stored: StoredDataKeys, progress: Progress): Promise<number> {
  let jobs = 0;
  for await (const jobId of recordedJobs(context.vault)) {
    if (await reopenJob(context, jobId, stored)) jobs += 1;
    progress('jobs', jobs, undefined);
  }
  return jobs;
}

/** Takes on the commits that the ledger lacks; `affected` are the orders that they draw from. */
async function replayCommits(context: Context, stored: StoredDataKeys, progress: Progress) {
  const names = await missingCommits(context);
  const problems: RestoreResult['problems'][number][] = [];
  const twice: RestoreResult['twice'][number][] = [];
  const affected = new Set<string>();
  let bound = 0;
  for (const [i, name] of names.entries()) {
    const replayed = await replayCommit(context, name, stored);
    bound += replayed.bound;
    if (replayed.orderId !== undefined) affected.add(replayed.orderId);
    if (replayed.problem !== undefined) problems.push({ commit: name, problem: replayed.problem });
    twice.push(...replayed.twice.map(({ item: { eid, keyId } }) => ({ eid, keyId })));
    progress('commits', i + 1, names.length);
  }
  return { commits: names.length, bound, problems, twice, affected };
}

/** Repeats what took something away since; returns the changes that are for an administrator to make again. */
async function repeatRestrictions(
  context: Context,
  auditHead: number,
  progress: Progress,
): Promise<RestoreResult['toRepeat']> {
  const toRepeat: RestoreResult['toRepeat'][number][] = [];
  for await (const line of new AuditLog(context.ledger, context.vault).lines(auditHead + 1)) {
    if (!(await repeatRestriction(context, line)))
      toRepeat.push({ sequence: line.sequence, event: line.event });
    progress('restrictions', line.sequence - auditHead, undefined);
  }
  return toRepeat;
}

async function reconcileSupplies(
  context: Context,
  orderIds: ReadonlySet<string>,
  progress: Progress,
): Promise<RestoreResult['positions']> {
  const positions = { taken: 0, returned: 0, closed: 0 };
  let reconciled = 0;
  for (const orderId of orderIds) {
    const changes = await reconcileSupply(context, orderId);
    // a copy of the ledger may have been taken in the middle of a transaction
    await repairCounts(context, orderId);
    positions.taken += changes.taken;
    positions.returned += changes.returned;
    positions.closed += changes.closed;
    progress('positions', ++reconciled, orderIds.size);
  }
  return positions;
}

/** A job of several chunks, with its open work so that the rest of it is bound; true where the ledger did not know it. */
async function reopenJob(context: Context, jobId: string, stored: StoredDataKeys): Promise<boolean> {
  const { ledger } = context;
  const isNew = (await ledger.get(ledgerKeys.job(jobId))) === undefined;
  const job = await restoreJob(context, jobId);
  if (job === undefined) return false;
  await restoreExtrasOfJob(context, jobId, job, stored);
  await repairJobCounts(ledger, jobId);
  const { finished } = await progressOfJob(ledger, jobId, job);
  if (finished === chunkCount(job)) return isNew;
  await ledger.write({
    put: ledgerKeys.openWork('job', jobId),
    attributes: openWorkRecord.to({ tasks: chunkCount(job), since: job.createdAt }),
    when: 'absent',
  });
  return isNew;
}
