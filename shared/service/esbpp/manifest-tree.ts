import { type Bytes, toHex } from '../../codec/bytes.ts';
import { BRANCH, inclusionProof, leafHash } from '../../ifpp-draft1/hash-tree.ts';
import { encodeManifestPage, manifestPageContent } from '../../ifpp-draft1/manifest-page.ts';
import { becomes, changeItem, removeItem, unchanged } from '../../ledger/change.ts';
import { present } from '../../present.ts';
import type { FailedItem, KeysSlowed } from '../api/esbpp.ts';
import type { Context } from '../context.ts';
import { slowedTogether } from '../counts/job-counts.ts';
import { readWhole } from '../life/checked-reads.ts';
import { chunkCount, type JobRecord, jobRecord } from '../records/job.ts';
import { ledgerKeys } from '../records/keys.ts';
import {
  type BranchRecord,
  branchRecord,
  type PageRecord,
  pageFailures,
  pageRecord,
  type StoredFailure,
  type TreeRecord,
  treeRecord,
} from '../records/manifest-tree.ts';
import { objectNames } from '../records/object-names.ts';
import { openWorkRecord } from '../records/work.ts';
import type { Trust } from '../trust/trust.ts';
import { deliverablePart, loadDeliverable, manifestPart } from './deliverable-chunk.ts';
import { branchOf, failuresOf, growTree, hashesIn, LISTED, listed } from './manifest-branches.ts';

/*
 * The manifest of a job of many chunks: pages, and one root that is signed. Each page is a task that reads the commits of its own
 * chunks and nothing else; the finish makes a branch of each 1,024 pages from their small records, and the tree from its branches:
 * ended half-way, it goes on with the next branch. What answers a call reads the tree's record, one branch and one page, however
 * large the job is.
 *
 * A tree leans on one trust epoch. When it moves, or after a while where something is withheld, the next call starts another
 * one, whose pages take the places of those before.
 */

/** Milliseconds for which a tree counts that withholds something: what ends a withholding need not move the epoch. */
const WITHHELD_MS = 10 * 60_000;
export const isPaged = ({ settings }: Pick<Context, 'settings'>, job: JobRecord) =>
  chunkCount(job) > settings.manifest.whole;

export async function treeOf(
  { ledger }: Pick<Context, 'ledger'>,
  jobId: string,
): Promise<TreeRecord | undefined> {
  const item = await ledger.get(ledgerKeys.manifestTree(jobId));
  return item && treeRecord.from(item);
}

/** Whether this tree may go out, or is worth waiting for. */
export function counts({ trustEpoch, done }: TreeRecord, epoch: number, now: number): boolean {
  if (trustEpoch !== epoch) return false;
  return done === undefined || done.withheld === 0 || Math.abs(now - done.at) < WITHHELD_MS;
}

/**
 * Has a tree made on this trust epoch, unless it is being made; `instead` of one that turned out to be damaged. Submitted
 * again with each call, as all work is whose dispatcher may have forgotten it.
 */
export async function startTree(
  { ledger, dispatcher, settings, now }: Context,
  jobId: string,
  job: JobRecord,
  trustEpoch: number,
  instead?: TreeRecord,
): Promise<void> {
  const { page: chunksOfPage } = settings.manifest;
  const tree = await changeItem<TreeRecord>(ledger, ledgerKeys.manifestTree(jobId), (item) => {
    const known = item && treeRecord.from(item);
    if (known !== undefined && known.version !== instead?.version && counts(known, trustEpoch, now()))
      return unchanged(known);
    const pages = Math.ceil(chunkCount(job) / chunksOfPage);
    const startedAt = now();
    const next = { version: (known?.version ?? 0) + 1, trustEpoch, chunksOfPage, pages, startedAt };
    return becomes<TreeRecord>(treeRecord.to(next), next, [
      {
        put: ledgerKeys.openWork('manifest', workId(jobId, next)),
        attributes: openWorkRecord.to({ tasks: pages, since: startedAt }),
        when: 'absent',
      },
    ]);
  });
  if (tree.done === undefined)
    await dispatcher.submit({ kind: 'manifest', id: workId(jobId, tree), tasks: tree.pages });
}

/** The work that makes it. */
export const workId = (jobId: string, { version }: Pick<TreeRecord, 'version'>) => `${jobId}-${version}`;

/** The tree that this work makes; undefined where another took its place, or it is made. */
async function treeOfWork(
  context: Pick<Context, 'ledger'>,
  id: string,
): Promise<{ readonly jobId: string; readonly tree: TreeRecord } | undefined> {
  const at = id.lastIndexOf('-');
  const jobId = id.slice(0, at);
  const tree = await treeOf(context, jobId);
  const isIt = tree !== undefined && tree.done === undefined && String(tree.version) === id.slice(at + 1);
  return isIt ? { jobId, tree } : undefined;
}

/** A task: makes one page. May be repeated. */
export async function makePage(context: Context, trust: Trust, id: string, page: number): Promise<void> {
  const { ledger } = context;
  const work = await treeOfWork(context, id);
  if (work === undefined) return;
  const { jobId, tree } = work;
  const known = await ledger.get(ledgerKeys.manifestPage(jobId, page));
  if (known !== undefined && pageRecord.from(known).version >= tree.version) return;
  const made = await pageOf(context, trust, jobId, tree, page);
  if (made === undefined) return;
  const { record, failed } = made;
  const { version } = tree;
  if (failed.length > 0)
    await changeItem(ledger, ledgerKeys.pageFailures(jobId, page), (item) =>
      item !== undefined && pageFailures.from(item).version > version
        ? unchanged()
        : becomes(pageFailures.to({ version, failed })),
    );
  await changeItem(ledger, ledgerKeys.manifestPage(jobId, page), (item) =>
    item !== undefined && pageRecord.from(item).version >= version
      ? unchanged()
      : becomes(pageRecord.to(record)),
  );
}

/** Undefined where trust has moved since the tree was started: the finish sees it too. */
async function pageOf(
  context: Context,
  trust: Trust,
  jobId: string,
  { version, trustEpoch, chunksOfPage }: TreeRecord,
  page: number,
): Promise<{ readonly record: PageRecord; readonly failed: readonly StoredFailure[] } | undefined> {
  const { ledger, vault } = context;
  const view = await trust.current();
  if (view.epoch !== trustEpoch) return undefined;
  const job = jobRecord.from((await ledger.get(ledgerKeys.job(jobId)))!);
  const firstPart = page * chunksOfPage;
  const parts = [];
  const failures: FailedItem[] = [];
  const slowed: (KeysSlowed | undefined)[] = [];
  let [chains, failed, withheld] = [0, 0, 0];
  for (let chunk = firstPart; chunk < Math.min(firstPart + chunksOfPage, chunkCount(job)); chunk++) {
    const deliverable = await loadDeliverable(context, jobId, job, chunk, view);
    parts.push(manifestPart(await deliverablePart(context, jobId, chunk, deliverable), deliverable));
    failures.push(...deliverable.failed.slice(0, LISTED - failures.length));
    failed += deliverable.failed.length;
    withheld += deliverable.withheld.length;
    chains = Math.max(chains, deliverable.chains);
    slowed.push(deliverable.keysSlowed);
  }
  const content = manifestPageContent({ requestId: job.requestId, page, firstPart, parts });
  const leaf = leafHash(content);
  const stored = await vault.put(
    objectNames.manifestPage(jobId, toHex(leaf.subarray(0, 8)), version),
    content,
    {
      lock: true,
    },
  );
  const keysSlowed = slowedTogether(slowed);
  return {
    record: { version, content: stored, leaf, chains, failed, withheld, ...present({ keysSlowed }) },
    failed: listed(failures),
  };
}

/** Completes the tree once its pages are made; one that trust has moved away from is given up. May be repeated. */
export async function finishTree(context: Context, trust: Trust, id: string): Promise<boolean> {
  const { ledger } = context;
  const open = ledgerKeys.openWork('manifest', id);
  const work = await treeOfWork(context, id);
  if (work === undefined) {
    await removeItem(ledger, open);
    return true;
  }
  const { jobId, tree } = work;
  const branches: BranchRecord[] = [];
  while (branches.length * BRANCH < tree.pages) {
    const branch = await branchOf(ledger, jobId, tree, branches.length);
    if (branch !== undefined) branches.push(branch);
    else if ((await trust.current()).epoch === tree.trustEpoch) return false;
    else {
      await removeItem(ledger, open);
      return true;
    }
  }
  const done = await growTree(context, jobId, branches);
  await changeItem(ledger, ledgerKeys.manifestTree(jobId), (item) => {
    const now = item && treeRecord.from(item);
    return now === undefined || now.version !== tree.version || now.done !== undefined
      ? unchanged()
      : becomes(treeRecord.to({ ...now, done }));
  });
  await removeItem(ledger, open);
  return true;
}

/** A page of a finished tree with its proof, and its failed items; undefined where another tree is being made in its place. */
export async function provenPage(
  context: Context,
  jobId: string,
  { version, done }: TreeRecord,
  page: number,
): Promise<{ readonly octets: Bytes; readonly failed: readonly StoredFailure[] } | undefined> {
  const { ledger } = context;
  const branch = Math.floor(page / BRANCH);
  const [pageItem, branchItem] = await ledger.getMany([
    ledgerKeys.manifestPage(jobId, page),
    ledgerKeys.manifestBranch(jobId, branch),
  ]);
  const stored = pageItem && pageRecord.from(pageItem);
  const leaves = branchItem && branchRecord.from(branchItem);
  if (done === undefined || stored?.version !== version || leaves?.version !== version) return undefined;
  const proof = [
    ...inclusionProof(hashesIn(leaves.leaves), page % BRANCH),
    ...inclusionProof(hashesIn(done.branches), branch),
  ];
  return {
    octets: encodeManifestPage(await readWhole(context, stored.content), proof),
    failed: stored.failed === 0 ? [] : await failuresOf(ledger, jobId, page),
  };
}
