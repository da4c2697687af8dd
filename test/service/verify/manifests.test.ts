import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { CallCost, counting } from '../../../shared/call-cost.ts';
import type { Bytes } from '../../../shared/codec/bytes.ts';
import { leafHash } from '../../../shared/ifpp-draft1/hash-tree.ts';
import { encodeManifestRoot, manifestRootTbs } from '../../../shared/ifpp-draft1/manifest-root.ts';
import { becomes, changeItem, goes } from '../../../shared/ledger/change.ts';
import type { Item, ItemKey } from '../../../shared/ledger/ledger.ts';
import { countKeys, progressOfJob } from '../../../shared/service/counts/job-counts.ts';
import { type Counted, differ } from '../../../shared/service/counts/job-recount.ts';
import { finishJob } from '../../../shared/service/esbpp/job-progress.ts';
import { rootNames } from '../../../shared/service/esbpp/paged-answer.ts';
import { signedName } from '../../../shared/service/esbpp/signed-manifest.ts';
import { jobCount } from '../../../shared/service/records/inventory.ts';
import { chunkProgress, chunkRecord, jobRecord } from '../../../shared/service/records/job.ts';
import { ledgerKeys } from '../../../shared/service/records/keys.ts';
import {
  branchRecord,
  pageFailures,
  pageRecord,
  treeRecord,
} from '../../../shared/service/records/manifest-tree.ts';
import type { RecordKind } from '../../../shared/service/records/record.ts';
import type { Finding } from '../../../shared/service/verify/finding.ts';
import { checkItem } from '../../../shared/service/verify/items.ts';
import { verifyJobs } from '../../../shared/service/verify/jobs.ts';
import { repair } from '../../../shared/service/verify/repair.ts';
import { STAGES } from '../../../shared/service/verify/verify.ts';
import { count } from '../../support/counts.ts';
import { Deployment } from '../../support/deployment.ts';
import { prepare, Request, registered } from '../scenario.ts';

/** One chunk an item, three chunks a page; more chunks than are read one by one. */
const CONFIG = { inlineLimit: 1_000, chunkSize: 1, packSize: 50, manifest: { whole: 4, page: 32 } };
const ITEMS = 70;
let deployment: Deployment;
let jobId: string;

beforeAll(async () => {
  deployment = await Deployment.create({ memory: true, config: CONFIG });
  await prepare(deployment, 'PAGES', ITEMS);
  const euiccs = await registered(deployment, ITEMS - 1);
  const items = [...euiccs, deployment.eum.personalise()].map(({ eid }) => ({ eid }));
  const request = new Request('PAGES', items);
  await request.send(deployment.runtime);
  await vi.waitFor(async () => expect((await request.fetch(deployment.runtime)).state).toBe('Done'), 60_000);
  jobId = request.jobId('test');
});
afterAll(() => deployment?.close());

const ledger = () => deployment.runtime.context.ledger;

/** What these stages find. */
async function found(...stages: readonly (keyof typeof STAGES)[]): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const stage of stages)
    for await (const slice of STAGES[stage](deployment.runtime.unguarded, ''))
      findings.push(...slice.findings);
  return findings;
}

/** What is found at the tree, its branch and its pages, in this order. */
async function foundInTree(): Promise<string> {
  const keys = [key.tree(), key.branch(), ...[0, 1, 2].map(key.page)];
  const findings = [];
  for (const one of keys) findings.push(...(await checkItem(deployment.runtime.unguarded, one)));
  return problems(findings);
}

const problems = (findings: readonly Finding[]) => findings.map(({ problem }) => problem).join('; ');

/** Writes another record in the place of one for as long as `then` takes; `undefined` removes it. */
async function whileChanged<T extends object>(
  key: ItemKey,
  kind: RecordKind<T>,
  edit: (record: T) => T | undefined,
  then: () => Promise<void>,
): Promise<void> {
  const before = (await ledger().get(key)) as Item;
  const edited = edit(kind.from(before));
  await changeItem(ledger(), key, () => (edited === undefined ? goes() : becomes(kind.to(edited))));
  try {
    await then();
  } finally {
    await changeItem(ledger(), key, () => becomes(before.attributes));
  }
}

const flipped = (octets: Bytes, at = 0): Bytes => {
  const copy = Uint8Array.from(octets);
  copy[at]! ^= 1;
  return copy;
};

type Damage = (finds: () => Promise<void>) => Promise<void>;
const key = {
  tree: () => ledgerKeys.manifestTree(jobId),
  branch: () => ledgerKeys.manifestBranch(jobId, 0),
  page: (page: number) => ledgerKeys.manifestPage(jobId, page),
};

/** Puts a page of other octets in the place of one. */
const otherPage =
  (edit: (octets: Bytes) => Bytes | Promise<Bytes>): Damage =>
  async (finds) => {
    const { vault } = deployment.runtime.context;
    const { content } = pageRecord.from((await ledger().get(key.page(1)))!);
    const octets = await edit(await vault.get(content));
    const other = await vault.put(`orders/other/page-${octets.length}`, octets);
    await whileChanged(
      key.page(1),
      pageRecord,
      (record) => ({ ...record, content: other, leaf: leafHash(octets) }),
      finds,
    );
  };

const inTree = (edit: (record: ReturnType<typeof treeRecord.from>) => ReturnType<typeof treeRecord.from>) =>
  ((finds) => whileChanged(key.tree(), treeRecord, edit, finds)) satisfies Damage;

const LEDGER_DAMAGES: readonly (readonly [what: string, told: RegExp, damage: Damage])[] = [
  [
    'the root of the tree is another one',
    /branches of the tree do not hash to its root/,
    inTree((tree) => ({ ...tree, done: { ...tree.done!, root: flipped(tree.done!.root) } })),
  ],
  [
    'the tree counts something as withheld that is not',
    /counts of the tree/,
    inTree((tree) => ({ ...tree, done: { ...tree.done!, withheld: 1 } })),
  ],
  [
    'the tree has a page too many',
    /has 4 pages, which are not those of 70 chunks/,
    inTree((tree) => ({ ...tree, pages: 4 })),
  ],
  [
    'the tree is not made, and nobody is at work on it',
    /nothing says that it is open work/,
    inTree(({ done: _, ...tree }) => tree),
  ],
  [
    'the branch is gone',
    /a branch of the tree is missing/,
    (finds) => whileChanged(key.branch(), branchRecord, () => undefined, finds),
  ],
  [
    'a leaf of the branch is another one',
    /leaves of a branch do not hash.*not the leaf of its branch/s,
    (finds) =>
      whileChanged(key.branch(), branchRecord, (one) => ({ ...one, leaves: flipped(one.leaves, 40) }), finds),
  ],
  [
    'the branch has a leaf too few',
    /has 2 leaves, and 3 pages/,
    (finds) =>
      whileChanged(
        key.branch(),
        branchRecord,
        (one) => ({ ...one, leaves: one.leaves.subarray(0, 64) }),
        finds,
      ),
  ],
  [
    'a page is gone',
    /a page of the manifest is missing/,
    (finds) => whileChanged(key.page(1), pageRecord, () => undefined, finds),
  ],
  [
    'a page names the octets of another one',
    /page is not the one that its record tells of/,
    async (finds) => {
      const { content } = pageRecord.from((await ledger().get(key.page(0)))!);
      await whileChanged(key.page(1), pageRecord, (page) => ({ ...page, content }), finds);
    },
  ],
  ['a page is cut', /page is not the one that its record tells of/, otherPage((all) => all.subarray(0, -1))],
  [
    'a page names another part',
    /contradicts the commit|is of another chunk/,
    otherPage((all) => flipped(all, Buffer.from(all).indexOf('parts/') + 8)),
  ],
  [
    'a page is of another request',
    /page is not the one that its record tells of/,
    otherPage((all) => flipped(all, 6)),
  ],
  [
    'a page counts a refusal that is none',
    /counts are not those of its chunks/,
    (finds) => whileChanged(key.page(0), pageRecord, (page) => ({ ...page, chains: 2 }), finds),
  ],
  [
    'the failed items of a page are gone',
    /list of the 1 failed items of a page is missing/,
    (finds) => whileChanged(ledgerKeys.pageFailures(jobId, 2), pageFailures, () => undefined, finds),
  ],
  [
    'a commit that a page names is gone',
    /names this chunk, and it is missing/,
    (finds) => whileChanged(ledgerKeys.chunk(jobId, 40), chunkRecord, () => undefined, finds),
  ],
  [
    'a commit has another part than its page',
    /part 40 of the page/,
    async (finds) => {
      const { part } = chunkRecord.from((await ledger().get(ledgerKeys.chunk(jobId, 41)))!);
      await whileChanged(ledgerKeys.chunk(jobId, 40), chunkRecord, (chunk) => ({ ...chunk, part }), finds);
    },
  ],
];

describe('the manifest of a large job, when it is verified', { tags: ['I11'] }, () => {
  it('is whole before: nothing is found', async () => {
    expect(await found('ledger', 'jobs', 'vault')).toEqual([]);
  });

  it('is looked at with all items of the ledger: a page that is gone is found', async () => {
    await whileChanged(
      key.page(1),
      pageRecord,
      () => undefined,
      async () => expect(problems(await found('ledger'))).toBe('a page of the manifest is missing'),
    );
  });

  it.each(LEDGER_DAMAGES)('%s: it is found', async (_, told, damage) => {
    await damage(async () => expect(await foundInTree()).toMatch(told));
    count('mutations', 1);
  });

  it('whose root is signed by a stranger, or is that of another tree: it is found', async () => {
    const { context } = deployment.runtime;
    const { done } = treeRecord.from((await ledger().get(key.tree()))!);
    const job = jobRecord.from((await ledger().get(ledgerKeys.job(jobId)))!);
    // under the name that the root has in a tree that nobody has asked for yet
    const root = flipped(done!.root);
    const { name } = await signedName(context, jobId, rootNames(root));
    const { requestId, items } = job;
    const tbs = manifestRootTbs({ requestId, chains: [], items, parts: 1, pages: 1, root });
    await context.vault.put(name, encodeManifestRoot(tbs, new Uint8Array(64)), { lock: true });
    expect(problems(await found('vault'))).toMatch(/no delivery key of this deployment has signed/);
    await inTree((tree) => ({ ...tree, done: { ...tree.done!, root, branches: root } }))(async () =>
      expect(await foundInTree()).toMatch(/the signed root is that of another manifest/),
    );
  });
});

describe('a job of more chunks than are read one by one', { tags: ['I11', 'I13'] }, () => {
  const slices = async (from = '', chunks = 20) => {
    const all = [];
    for await (const slice of verifyJobs(deployment.runtime.unguarded, from, chunks)) all.push(slice);
    return all;
  };
  const problemsOf = async (from?: string) =>
    problems((await slices(from)).flatMap(({ findings }) => findings));

  it('comes to its end by its counts, whose reads do not grow with it', async () => {
    const cost = new CallCost();
    expect(await counting(cost, () => finishJob(deployment.runtime.context, jobId))).toBe(true);
    expect(cost.reads).toBeLessThan(20);
    const job = jobRecord.from((await ledger().get(ledgerKeys.job(jobId)))!);
    expect(await progressOfJob(ledger(), jobId, job)).toMatchObject({
      chunks: ITEMS,
      finished: ITEMS,
      bound: ITEMS - 1,
      refused: 1,
      causes: { eidUnknown: 1 },
    });
  });

  it('is verified in slices, each of which goes on where the one before ended', async () => {
    const all = await slices();
    expect(all.map(({ looked }) => looked)).toEqual([1, 20, 20, 20, 10]);
    const chunk = ledgerKeys.chunkProgress(jobId, 50);
    await whileChanged(
      chunk,
      chunkProgress,
      () => undefined,
      async () => {
        expect(await problemsOf()).toMatch(/^1 of the chunks from 40 to 59 are not committed and finished/);
        expect(await problemsOf(all[2]!.cursor)).toMatch(/^1 of the chunks from 40 to 59/);
        expect(await problemsOf(all[3]!.cursor)).toBe('');
      },
    );
    await whileChanged(
      chunk,
      chunkProgress,
      (one) => ({ ...one, refused: 3 }),
      async () => {
        for (const { cursor } of all.slice(0, 3))
          expect(await problemsOf(cursor)).toBe('the counts of the job are not those of its chunks');
      },
    );
  });

  it.each([
    ['less', -1],
    ['more', 1],
  ])('that is counted as %s finished than it is: that is found, and repaired', async (_, by) => {
    const { unguarded } = deployment.runtime;
    const job = jobRecord.from((await ledger().get(ledgerKeys.job(jobId)))!);
    const whole: Counted = await progressOfJob(ledger(), jobId, job);
    await changeItem(ledger(), await finishedCount(), (item) => {
      const counted = jobCount.from(item!);
      return becomes(jobCount.to({ ...counted, finished: counted.finished + by }));
    });
    const [finding] = (await slices()).flatMap(({ findings }) => findings);
    expect(finding).toMatchObject({ repair: { recountJob: jobId } });
    expect(await finishJob(unguarded, jobId)).toBe(by > 0);
    expect(await repair(unguarded, finding!)).toBe(true);
    expect(differ({ counted: await progressOfJob(ledger(), jobId, job), found: whole })).toBe(false);
    expect(await problemsOf()).toBe('');
    expect(await finishJob(unguarded, jobId)).toBe(true);
  });

  /** One of the counts of the job that has finished chunks. */
  async function finishedCount(): Promise<ItemKey> {
    for (const key of countKeys(jobId)) {
      const item = await ledger().get(key);
      if (item !== undefined && jobCount.from(item).finished > 0) return key;
    }
    throw new Error('no chunk is counted as finished');
  }
});
