import { equal, toHex } from '../../codec/bytes.ts';
import { encodePart, type Part } from '../../ifpp-draft1/batch-manifest.ts';
import { BRANCH, leafHash, treeRoot } from '../../ifpp-draft1/hash-tree.ts';
import type { ManifestPage } from '../../ifpp-draft1/manifest-page.ts';
import type { Item } from '../../ledger/ledger.ts';
import type { Context } from '../context.ts';
import { deliverableChunk, manifestPart } from '../esbpp/deliverable-chunk.ts';
import { chainsOf } from '../esbpp/job-chains.ts';
import { hashesIn, pagesOfBranch } from '../esbpp/manifest-branches.ts';
import { workId } from '../esbpp/manifest-tree.ts';
import { rootNames } from '../esbpp/paged-answer.ts';
import { signedName } from '../esbpp/signed-manifest.ts';
import { chunkCount, chunkRecord, isBound, type JobRecord, jobRecord } from '../records/job.ts';
import { ledgerKeys, pageOfSort } from '../records/keys.ts';
import {
  branchRecord,
  type FinishedTree,
  type PageRecord,
  pageFailures,
  pageRecord,
  type TreeRecord,
  treeRecord,
} from '../records/manifest-tree.ts';
import { objectNames } from '../records/object-names.ts';
import { type Finding, inLedger, inVault } from './finding.ts';
import { readPage, readRoot } from './manifests.ts';
import { readNewest, readWhole } from './objects.ts';

/*
 * The manifest of a large job from its commits up: what the parts of a page say is what their commits say, pages hash to the leaves
 * of their branch, branches to the root, and the root is signed. Each record is looked at by itself, with the one above it: no look
 * takes more than the records of a branch.
 */

const jobOf = ({ partition }: Pick<Item, 'partition'>) => partition.slice(partition.indexOf('#') + 1);

/** The tree that a record of the job may be of, with the job; undefined where one of them is missing. */
async function treeWith({ ledger }: Context, jobId: string) {
  const [jobItem, treeItem] = await ledger.getMany([ledgerKeys.job(jobId), ledgerKeys.manifestTree(jobId)]);
  if (jobItem === undefined || treeItem === undefined) return undefined;
  return { job: jobRecord.from(jobItem), tree: treeRecord.from(treeItem) };
}

export async function checkTree(context: Context, item: Item): Promise<Finding[]> {
  const jobId = jobOf(item);
  const known = await treeWith(context, jobId);
  if (known === undefined) return [inLedger(ledgerKeys.job(jobId), 'the job of a manifest is missing')];
  const { job, tree } = known;
  const { done, pages, chunksOfPage } = tree;
  if (pages !== Math.ceil(chunkCount(job) / chunksOfPage))
    return [inLedger(item, `the tree has ${pages} pages, which are not those of ${chunkCount(job)} chunks`)];
  if (done === undefined) return await checkUnderWay(context, jobId, tree);
  return [
    ...(await checkBranches(context, jobId, tree, done)),
    ...(await checkSignedRoot(context, jobId, job, tree, done)),
  ];
}

/** One that trust has moved away from is given up; any other has to be somebody's work. */
async function checkUnderWay({ ledger }: Context, jobId: string, tree: TreeRecord): Promise<Finding[]> {
  const [open, epoch] = await ledger.getMany([
    ledgerKeys.openWork('manifest', workId(jobId, tree)),
    ledgerKeys.trustEpoch,
  ]);
  if (open !== undefined || (epoch?.revision ?? 0) !== tree.trustEpoch) return [];
  const problem = 'the manifest of the job is not made, and nothing says that it is open work';
  return [inLedger(ledgerKeys.manifestTree(jobId), problem)];
}

async function checkBranches(
  { ledger }: Context,
  jobId: string,
  { version, pages }: TreeRecord,
  { root, branches, chains, withheld }: FinishedTree,
): Promise<Finding[]> {
  const tree = ledgerKeys.manifestTree(jobId);
  const roots = hashesIn(branches);
  const count = Math.ceil(pages / BRANCH);
  if (roots.length !== count || branches.length !== 32 * count || !equal(treeRoot(roots), root))
    return [inLedger(tree, 'the branches of the tree do not hash to its root')];
  const findings: Finding[] = [];
  let [most, sum] = [0, 0];
  for (const [branch, expected] of roots.entries()) {
    const key = ledgerKeys.manifestBranch(jobId, branch);
    const item = await ledger.get(key);
    const record = item && branchRecord.from(item);
    if (record?.version !== version) findings.push(inLedger(key, 'a branch of the tree is missing'));
    else if (!equal(treeRoot(hashesIn(record.leaves)), expected))
      findings.push(inLedger(key, 'the leaves of a branch do not hash to the tree'));
    most = Math.max(most, record?.chains ?? 0);
    sum += record?.withheld ?? 0;
  }
  if (findings.length === 0 && (most !== chains || sum !== withheld))
    findings.push(inLedger(tree, 'the counts of the tree are not those of its branches'));
  return findings;
}

/** The root as it is signed, where somebody has asked for it: under the name that it has since the last key was retired. */
async function checkSignedRoot(
  context: Context,
  jobId: string,
  job: JobRecord,
  { pages }: TreeRecord,
  { root, chains: named }: FinishedTree,
): Promise<Finding[]> {
  const { name } = await signedName(context, jobId, rootNames(root));
  if ((await context.vault.head(name)) === undefined) return [];
  const { octets, finding } = await readNewest(context.vault, name, 'the signed root of a manifest');
  if (finding !== undefined) return [finding];
  const signed = readRoot(octets);
  const chains = await chainsOf(context, jobId, job, named);
  const isIt =
    signed !== undefined &&
    signed.requestId === job.requestId &&
    signed.items === job.items &&
    signed.parts === chunkCount(job) &&
    signed.pages === pages &&
    equal(signed.root, root) &&
    signed.chains.length === chains.length &&
    signed.chains.every(({ certificates }, i) =>
      certificates.every((certificate, n) => equal(certificate, chains[i]!.certificates[n]!)),
    );
  return isIt ? [] : [inVault(name, 'the signed root is that of another manifest')];
}

/** The pages of a branch: each is there, of this tree, with the leaf that the branch has of it. */
export async function checkBranch(context: Context, item: Item): Promise<Finding[]> {
  const jobId = jobOf(item);
  const branch = pageOfSort(item.sort);
  const record = branchRecord.from(item);
  const known = await treeWith(context, jobId);
  if (known === undefined)
    return [inLedger(ledgerKeys.manifestTree(jobId), 'the tree of a branch is missing')];
  const { version, pages } = known.tree;
  if (record.version !== version) return [];
  if (branch >= Math.ceil(pages / BRANCH))
    return [inLedger(item, `the tree has only ${pages} pages, and none in this branch`)];
  const made = await pagesOfBranch(context.ledger, jobId, pages, branch);
  const leaves = hashesIn(record.leaves);
  if (leaves.length !== made.length)
    return [inLedger(item, `the branch has ${leaves.length} leaves, and ${made.length} pages`)];
  return made.flatMap((page, i) => {
    // of the tree that comes after this one
    if (page !== undefined && page.version > version) return [];
    const key = ledgerKeys.manifestPage(jobId, branch * BRANCH + i);
    if (page?.version !== version) return [inLedger(key, 'a page of the manifest is missing')];
    return equal(page.leaf, leaves[i]!) ? [] : [inLedger(key, 'the page is not the leaf of its branch')];
  });
}

export async function checkPage(context: Context, item: Item): Promise<Finding[]> {
  const jobId = jobOf(item);
  const place = pageOfSort(item.sort);
  const record = pageRecord.from(item);
  const known = await treeWith(context, jobId);
  if (known === undefined) return [inLedger(ledgerKeys.manifestTree(jobId), 'the tree of a page is missing')];
  const { job, tree } = known;
  // of a tree before this one, whose pages take the places of those
  if (record.version !== tree.version) return [];
  if (place >= tree.pages) return [inLedger(item, `the tree has only ${tree.pages} pages`)];
  const { octets, finding } = await readWhole(context.vault, record.content, 'a page of a manifest');
  if (finding !== undefined) return [finding];
  const page = readPage(octets);
  const firstPart = place * tree.chunksOfPage;
  const parts = Math.min(tree.chunksOfPage, chunkCount(job) - firstPart);
  if (
    page === undefined ||
    !equal(leafHash(octets), record.leaf) ||
    page.requestId !== job.requestId ||
    page.page !== place ||
    page.firstPart !== firstPart ||
    page.parts.length !== parts
  )
    return [inVault(record.content.name, 'the page is not the one that its record tells of')];
  return [
    ...(await checkParts(context, jobId, job, page, record, item)),
    ...(await checkFailures(context, jobId, place, record)),
  ];
}

/** Each part of a page against the commit of its chunk. */
async function checkParts(
  context: Context,
  jobId: string,
  job: JobRecord,
  { firstPart, parts }: ManifestPage,
  record: PageRecord,
  item: Item,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  const counts = { failed: 0, withheld: 0, chains: 0 };
  for (const [i, part] of parts.entries()) {
    const chunk = firstPart + i;
    const key = ledgerKeys.chunk(jobId, chunk);
    const chunkItem = await context.ledger.get(key);
    if (chunkItem === undefined) {
      findings.push(inLedger(key, 'a page of the manifest names this chunk, and it is missing'));
      continue;
    }
    const committed = chunkRecord.from(chunkItem);
    const deliverable = deliverableChunk(jobId, chunk * job.chunkSize, committed);
    const whole = manifestPart(committed.part, deliverable);
    const problem =
      part.name === whole.name
        ? contradictionOf(part, whole)
        : await problemWithout(context, objectNames.partWithout(jobId, chunk, ''), part, whole);
    if (problem !== undefined)
      findings.push(inVault(record.content.name, `part ${chunk} of the page ${problem}`));
    counts.failed += committed.outcomes.length - part.index.length;
    counts.withheld += committed.outcomes.filter(isBound).length - part.index.length;
    counts.chains = Math.max(counts.chains, deliverable.chains);
  }
  const { failed, withheld, chains } = record;
  const areThey = failed === counts.failed && withheld === counts.withheld && chains === counts.chains;
  if (findings.length === 0 && !areThey)
    findings.push(inLedger(item, 'the counts are not those of its chunks'));
  return findings;
}

const CONTRADICTS = 'contradicts the commit of its chunk';

const contradictionOf = (part: Part, whole: Part): string | undefined =>
  equal(encodePart(part), encodePart(whole)) ? undefined : CONTRADICTS;

/** A part without what was withheld: an object of the chunk, with items that the commit has bound, in their order. */
async function problemWithout(
  { vault }: Context,
  names: string,
  part: Part,
  whole: Part,
): Promise<string | undefined> {
  if (!part.name.startsWith(names)) return 'is of another chunk';
  const stored = await vault.head(part.name);
  if (stored?.size !== part.size || stored.sha256 !== toHex(part.sha256)) return 'is missing or damaged';
  let at = 0;
  for (const { eid, transactionId } of part.index) {
    while (at < whole.index.length && whole.index[at]!.transactionId !== transactionId) at += 1;
    if (whole.index[at]?.eid !== eid) return CONTRADICTS;
  }
  return part.index.length < whole.index.length ? undefined : CONTRADICTS;
}

/** The list of failed items that goes out with a page. */
async function checkFailures(
  { ledger }: Context,
  jobId: string,
  place: number,
  { version, failed }: PageRecord,
): Promise<Finding[]> {
  if (failed === 0) return [];
  const key = ledgerKeys.pageFailures(jobId, place);
  const item = await ledger.get(key);
  const list = item && pageFailures.from(item);
  if (list !== undefined && list.version >= version && list.failed.length > 0 && list.failed.length <= failed)
    return [];
  return [inLedger(key, `the list of the ${failed} failed items of a page is missing, or another one`)];
}
