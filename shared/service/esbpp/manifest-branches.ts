import type { Bytes } from '../../codec/bytes.ts';
import { BRANCH, treeRoot } from '../../ifpp-draft1/hash-tree.ts';
import { becomes, changeItem, unchanged } from '../../ledger/change.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import { scan } from '../../ledger/scan.ts';
import { present } from '../../present.ts';
import type { FailedItem } from '../api/esbpp.ts';
import type { Context } from '../context.ts';
import { slowedTogether } from '../counts/job-counts.ts';
import { jobPartition, ledgerKeys, pageOfSort } from '../records/keys.ts';
import {
  type BranchRecord,
  branchRecord,
  type FinishedTree,
  type PageRecord,
  pageFailures,
  pageRecord,
  type StoredFailure,
  type TreeRecord,
} from '../records/manifest-tree.ts';

/** How the tree of a manifest is made of its pages: a branch of each 1,024, by their records alone, and the root over the branches. */

/** Failed items that a page and an answer list; the parts have them all. */
export const LISTED = 1_000;
/** Octets of their messages, roughly, which an item of the ledger has room for. */
const LISTED_OCTETS = 250_000;
/** Octets of a hash. */
const HASH = 32;

/**
 * A branch whose pages are all made; undefined where they are not. Once it is made its pages are not read again, so that a finish
 * that was ended goes on with the next branch.
 */
export async function branchOf(
  ledger: Ledger,
  jobId: string,
  { version, pages }: TreeRecord,
  branch: number,
): Promise<BranchRecord | undefined> {
  const key = ledgerKeys.manifestBranch(jobId, branch);
  const known = await ledger.get(key);
  if (known !== undefined && branchRecord.from(known).version === version) return branchRecord.from(known);
  const made = await pagesOfBranch(ledger, jobId, pages, branch);
  if (made.some((page) => page?.version !== version)) return undefined;
  const record = {
    version,
    ...summedUp(
      made.filter((page) => page !== undefined),
      branch * BRANCH,
    ),
  };
  await changeItem(ledger, key, (item) =>
    item !== undefined && branchRecord.from(item).version >= version
      ? unchanged()
      : becomes(branchRecord.to(record)),
  );
  return record;
}

/** The records of the pages of a branch, in their order; undefined for one that is not made. */
export async function pagesOfBranch(
  ledger: Pick<Ledger, 'query'>,
  jobId: string,
  pages: number,
  branch: number,
): Promise<(PageRecord | undefined)[]> {
  const first = branch * BRANCH;
  const made = Array.from(
    { length: Math.min(BRANCH, pages - first) },
    (): PageRecord | undefined => undefined,
  );
  const sortOf = (page: number) => ledgerKeys.manifestPage(jobId, page).sort;
  const range = { from: sortOf(first), to: sortOf(first + made.length - 1) };
  for await (const item of scan(ledger, jobPartition(jobId), range))
    made[pageOfSort(item.sort) - first] = pageRecord.from(item);
  return made;
}

const most = (all: readonly { readonly chains: number }[]) =>
  all.reduce((chains, one) => Math.max(chains, one.chains), 0);
const totalOf = (all: readonly { readonly withheld: number }[]) =>
  all.reduce((sum, { withheld }) => sum + withheld, 0);

/** What the pages of a branch add up to, from this one on. */
function summedUp(pages: readonly PageRecord[], first: number): Omit<BranchRecord, 'version'> {
  const keysSlowed = slowedTogether(pages.map((page) => page.keysSlowed));
  const failing: number[] = [];
  let failed = 0;
  for (const [i, page] of pages.entries()) {
    if (failed >= LISTED) break;
    if (page.failed > 0) failing.push(first + i);
    failed += page.failed;
  }
  return {
    leaves: Buffer.concat(pages.map(({ leaf }) => leaf)),
    chains: most(pages),
    withheld: totalOf(pages),
    ...present({ keysSlowed }),
    failing,
  };
}

/** What is above the branches. */
export async function growTree(
  context: Context,
  jobId: string,
  branches: readonly BranchRecord[],
): Promise<FinishedTree> {
  const roots = branches.map(({ leaves }) => treeRoot(hashesIn(leaves)));
  const keysSlowed = slowedTogether(branches.map((branch) => branch.keysSlowed));
  return {
    root: treeRoot(roots),
    branches: Buffer.concat(roots),
    chains: most(branches),
    withheld: totalOf(branches),
    failed: await firstFailures(context, jobId, branches),
    ...present({ keysSlowed }),
    at: context.now(),
  };
}

async function firstFailures(
  { ledger }: Pick<Context, 'ledger'>,
  jobId: string,
  branches: readonly BranchRecord[],
): Promise<readonly StoredFailure[]> {
  const failures: StoredFailure[] = [];
  for (const page of branches.flatMap(({ failing }) => failing)) {
    if (failures.length >= LISTED) break;
    failures.push(...(await failuresOf(ledger, jobId, page)));
  }
  return listed(failures);
}

/** Failed items of a page, as they were listed last. */
export async function failuresOf(
  ledger: Context['ledger'],
  jobId: string,
  page: number,
): Promise<readonly StoredFailure[]> {
  const item = await ledger.get(ledgerKeys.pageFailures(jobId, page));
  return item === undefined ? [] : pageFailures.from(item).failed;
}

/** As many as an item of the ledger has room for. */
export function listed(
  failures: readonly Pick<FailedItem, 'itemId' | 'code' | 'message'>[],
): StoredFailure[] {
  let room = LISTED_OCTETS;
  const list: StoredFailure[] = [];
  for (const { itemId, code, message } of failures.slice(0, LISTED)) {
    room -= 100 + Buffer.byteLength(message);
    if (room < 0) break;
    list.push({ itemId, code, message });
  }
  return list;
}

/** Hashes that stand one after the other. */
export const hashesIn = (octets: Bytes): Bytes[] =>
  Array.from({ length: octets.length / HASH }, (_, i) => octets.subarray(i * HASH, (i + 1) * HASH));
