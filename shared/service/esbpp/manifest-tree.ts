import { type Bytes, toHex } from '../../codec/bytes.ts';
import { BRANCH, inclusionProof, leafHash, treeRoot } from '../../ifpp-draft1/hash-tree.ts';
import { encodeManifestPage, manifestPageContent } from '../../ifpp-draft1/manifest-page.ts';
import { becomes, changeItem, removeItem, unchanged } from '../../ledger/change.ts';
import { scan } from '../../ledger/scan.ts';
import { present } from '../../present.ts';
import type { FailedItem, KeysSlowed } from '../api/esbpp.ts';
import type { Context } from '../context.ts';
import { slowedTogether } from '../counts/job-counts.ts';
import { readWhole } from '../life/checked-reads.ts';
import { chunkCount, type JobRecord, jobRecord } from '../records/job.ts';
import { jobPartition, ledgerKeys, MANIFEST_PAGE } from '../records/keys.ts';
import {
  branchRecord,
  type FinishedTree,
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

/*
 * The manifest of a job of many chunks: pages, and one root that is signed. Each page is a task that reads the commits of its own
 * chunks and nothing else; the finish reads a small record of each page. What answers a call reads the tree's record, one branch
 * and one page, however large the job is.
 *
 * A tree leans on one trust epoch. When it moves, or after a while where something is withheld, the next call starts another
 * one, whose pages take the places of those before.
 */

/** Failed items that a page and an answer list; the parts have them all. */
export const LISTED = 1_000;
/** Octets of their messages, roughly, which an item of the ledger has room for. */
const LISTED_OCTETS = 250_000;
/** Milliseconds for which a tree counts that withholds something: what ends a withholding need not move the epoch. */
const WITHHELD_MS = 10 * 60_000;
/** Octets of a hash. */
const HASH = 32;

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

const workId = (jobId: string, { version }: Pick<TreeRecord, 'version'>) => `${jobId}-${version}`;

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
  const pages: PageRecord[] = [];
  for await (const item of scan(ledger, jobPartition(jobId), { prefix: MANIFEST_PAGE })) {
    const page = pageRecord.from(item);
    if (page.version === tree.version) pages.push(page);
  }
  if (pages.length < tree.pages) {
    if ((await trust.current()).epoch === tree.trustEpoch) return false;
    await removeItem(ledger, open);
    return true;
  }
  const done = await growTree(context, jobId, tree.version, pages);
  await changeItem(ledger, ledgerKeys.manifestTree(jobId), (item) => {
    const now = item && treeRecord.from(item);
    return now === undefined || now.version !== tree.version || now.done !== undefined
      ? unchanged()
      : becomes(treeRecord.to({ ...now, done }));
  });
  await removeItem(ledger, open);
  return true;
}

/** The branches, each an item of its own, and what is above them. */
async function growTree(
  context: Context,
  jobId: string,
  version: number,
  pages: readonly PageRecord[],
): Promise<FinishedTree> {
  const roots: Bytes[] = [];
  for (let at = 0; at < pages.length; at += BRANCH) {
    const leaves = pages.slice(at, at + BRANCH).map(({ leaf }) => leaf);
    const attributes = branchRecord.to({ version, leaves: Buffer.concat(leaves) });
    await changeItem(context.ledger, ledgerKeys.manifestBranch(jobId, roots.length), (item) =>
      item !== undefined && branchRecord.from(item).version >= version ? unchanged() : becomes(attributes),
    );
    roots.push(treeRoot(leaves));
  }
  const keysSlowed = slowedTogether(pages.map((page) => page.keysSlowed));
  return {
    root: treeRoot(roots),
    branches: Buffer.concat(roots),
    chains: pages.reduce((most, { chains }) => Math.max(most, chains), 0),
    withheld: pages.reduce((sum, { withheld }) => sum + withheld, 0),
    failed: await firstFailures(context, jobId, pages),
    ...present({ keysSlowed }),
    at: context.now(),
  };
}

async function firstFailures(
  { ledger }: Pick<Context, 'ledger'>,
  jobId: string,
  pages: readonly PageRecord[],
): Promise<readonly StoredFailure[]> {
  const failures: StoredFailure[] = [];
  for (const [page, { failed }] of pages.entries()) {
    if (failed === 0) continue;
    failures.push(...(await failuresOf(ledger, jobId, page)));
    if (failures.length >= LISTED) break;
  }
  return listed(failures);
}

async function failuresOf(
  ledger: Context['ledger'],
  jobId: string,
  page: number,
): Promise<readonly StoredFailure[]> {
  const item = await ledger.get(ledgerKeys.pageFailures(jobId, page));
  return item === undefined ? [] : pageFailures.from(item).failed;
}

/** As many as an item of the ledger has room for. */
function listed(failures: readonly Pick<FailedItem, 'itemId' | 'code' | 'message'>[]): StoredFailure[] {
  let room = LISTED_OCTETS;
  const list: StoredFailure[] = [];
  for (const { itemId, code, message } of failures.slice(0, LISTED)) {
    room -= 100 + Buffer.byteLength(message);
    if (room < 0) break;
    list.push({ itemId, code, message });
  }
  return list;
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

const hashesIn = (octets: Bytes): Bytes[] =>
  Array.from({ length: octets.length / HASH }, (_, i) => octets.subarray(i * HASH, (i + 1) * HASH));
