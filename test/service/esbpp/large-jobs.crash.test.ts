import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Bytes } from '../../../shared/codec/bytes.ts';
import { toHex } from '../../../shared/codec/bytes.ts';
import { BRANCH, leafHash, treeRoot } from '../../../shared/ifpp-draft1/hash-tree.ts';
import { decodeManifestPage, requirePageOf } from '../../../shared/ifpp-draft1/manifest-page.ts';
import { decodeManifestRoot } from '../../../shared/ifpp-draft1/manifest-root.ts';
import { becomes, changeItem, goes, unchanged } from '../../../shared/ledger/change.ts';
import type { Runtime } from '../../../shared/runtime.ts';
import { progressOfJob } from '../../../shared/service/counts/job-counts.ts';
import {
  chunkCount,
  chunkRecord,
  isBound,
  type JobRecord,
  jobRecord,
} from '../../../shared/service/records/job.ts';
import { ledgerKeys } from '../../../shared/service/records/keys.ts';
import { branchRecord, treeRecord } from '../../../shared/service/records/manifest-tree.ts';
import { openWorkRecord } from '../../../shared/service/records/work.ts';
import type { PersonalisedEuicc } from '../../../sim/index.ts';
import { count } from '../../support/counts.ts';
import { Deployment } from '../../support/deployment.ts';
import { effort } from '../../support/effort.ts';
import { MortalProcess, rests } from '../mortal.ts';
import { positionsOf, ppksLeft, prepare, Request, registered } from '../scenario.ts';

/** One item a chunk, one chunk a page. */
const CONFIG = { chunkSize: 1, packSize: 50, inlineOrder: 2_000, manifest: { whole: 4, page: 1 } };
/** eUICCs of a batch that is registered within the call. */
const REGISTERED = 100;
let deployment: Deployment;
let made = 0;

beforeAll(async () => {
  deployment = await Deployment.create({ memory: true, lanes: 'none', config: CONFIG });
});
afterAll(() => deployment?.close());

interface Given {
  readonly orderId: string;
  readonly request: Request;
  readonly jobId: string;
  readonly job: JobRecord;
}

/** A job of so many chunks that nobody has worked at; some are for an eUICC that nobody knows. */
async function given(chunks: number, isUnknown: (chunk: number) => boolean): Promise<Given> {
  const orderId = `LARGE-${made++}`;
  await prepare(deployment, orderId, chunks);
  const euiccs: PersonalisedEuicc[] = [];
  for (let left = chunks; left > 0; left -= REGISTERED)
    euiccs.push(...(await registered(deployment, Math.min(left, REGISTERED))));
  const unknown = deployment.eum.personalise();
  const request = new Request(
    orderId,
    euiccs.map(({ eid }, chunk) => ({ eid: isUnknown(chunk) ? unknown.eid : eid })),
  );
  await request.send(deployment.runtime);
  const jobId = request.jobId('test');
  const job = jobRecord.from((await deployment.runtime.context.ledger.get(ledgerKeys.job(jobId)))!);
  expect(chunkCount(job)).toBe(chunks);
  return { orderId, request, jobId, job };
}

/** A process that dies in this work at its n-th store call, and then another one, or two at once, that live. False where it came to its end before. */
async function dies(call: number, when: 'before' | 'after', work: (runtime: Runtime) => Promise<unknown>) {
  const dying = await MortalProcess.start(deployment, { call, when });
  await dying.run(work);
  if (dying.calls < call) return false;
  count('crashes', 1);
  const seeds = call % 2 === 0 ? [call, -call] : [];
  const others =
    seeds.length === 0
      ? [await MortalProcess.start(deployment)]
      : await Promise.all(seeds.map((seed) => MortalProcess.start(deployment, { restMs: rests(seed) })));
  await Promise.all(others.map((other) => other.run(work)));
  return true;
}

/** Store calls of this work where nothing goes wrong. */
async function callsOf(work: (runtime: Runtime) => Promise<unknown>): Promise<number> {
  const process = await MortalProcess.start(deployment);
  await process.run(work);
  return process.calls;
}

describe('a job of so many chunks that what it has done is counted', { tags: ['I3', 'I4'] }, () => {
  /** More than are read one by one; in the long run enough for a death at each call, before it and after it. */
  const CHUNKS = effort({ short: 65, long: 150 });
  /** Chunks from one that dies to the next. */
  const STRIDE = effort({ short: 8, long: 1 });
  const isUnknown = (chunk: number) => chunk % 5 === 4;
  let large: Given;
  beforeAll(async () => {
    large = await given(CHUNKS, isUnknown);
  });

  it('is counted once, wherever the processes that bind its chunks die', async () => {
    const { jobId, job, orderId } = large;
    const bind = (chunk: number) => (runtime: Runtime) => runtime.work.runTask('job', jobId, chunk);
    // the first one enters the chain that all are bound under
    await bind(0)(deployment.runtime);
    const calls = await callsOf(bind(1));
    expect(calls).toBeGreaterThan(20);
    if (STRIDE === 1) expect(CHUNKS).toBeGreaterThan((2 * calls * 5) / 4);
    let [bound, deaths] = [2, 0];
    for (let chunk = 2; chunk < CHUNKS; chunk++) {
      if (chunk === CHUNKS - 1) expect(await deployment.runtime.work.finish('job', jobId)).toBe(false);
      // those that are refused take fewer calls, and none of the deaths
      if (isUnknown(chunk) || chunk % STRIDE > 0) await bind(chunk)(deployment.runtime);
      else {
        // from the last one on, where it is counted
        const call = calls - ((deaths >> 1) % calls);
        await dies(call, deaths % 2 === 0 ? 'before' : 'after', bind(chunk));
        deaths += 1;
      }
      if (!isUnknown(chunk)) bound += 1;
    }
    const { ledger } = deployment.runtime.context;
    const refused = CHUNKS - bound;
    expect(await progressOfJob(ledger, jobId, job)).toEqual({
      chunks: CHUNKS,
      finished: CHUNKS,
      bound,
      refused,
      causes: { eidUnknown: refused },
    });
    const records = await ledger.getMany(
      Array.from({ length: CHUNKS }, (_, chunk) => ledgerKeys.chunk(jobId, chunk)),
    );
    const outcomes = records.flatMap((record) => chunkRecord.from(record!).outcomes);
    expect(outcomes.map(isBound)).toEqual(Array.from({ length: CHUNKS }, (_, i) => !isUnknown(i)));
    const returned = outcomes.flatMap((_, i) => (isUnknown(i) ? [i] : []));
    expect(await positionsOf(deployment.runtime, orderId)).toMatchObject({ supply: [], returned });
    expect(await ppksLeft(deployment.runtime, orderId)).toEqual(returned);
  });

  it('ends once, with one manifest to be made, wherever the process that ends it dies', async () => {
    const { jobId } = large;
    const { ledger } = deployment.runtime.context;
    const finish = (runtime: Runtime) => runtime.work.finish('job', jobId);
    for (let call = 1; ; call++) {
      const dying = await MortalProcess.start(deployment, {
        call,
        when: call % 2 === 0 ? 'before' : 'after',
      });
      await dying.run(finish);
      if (dying.calls < call) break;
      count('crashes', 1);
    }
    expect(await finish(deployment.runtime)).toBe(true);
    expect(await ledger.get(ledgerKeys.openWork('job', jobId))).toBeUndefined();
    const tree = treeRecord.from((await ledger.get(ledgerKeys.manifestTree(jobId)))!);
    expect(tree).toMatchObject({ version: 1, pages: CHUNKS });
    expect(await ledger.get(ledgerKeys.openWork('manifest', `${jobId}-1`))).toBeDefined();
  });
});

describe('the manifest of a job of more pages than one branch has', { tags: ['I4'] }, () => {
  const PAGES = effort({ short: 5, long: BRANCH + 1 });
  let large: Given;
  let leaves: Bytes[];

  const tree = async () =>
    treeRecord.from((await deployment.runtime.context.ledger.get(ledgerKeys.manifestTree(large.jobId)))!);
  const branches = Math.ceil(PAGES / BRANCH);

  beforeAll(async () => {
    large = await given(PAGES, (chunk) => chunk === 2 || chunk === PAGES - 1);
    const { work } = deployment.runtime;
    for (let chunk = 0; chunk < PAGES; chunk++) await work.runTask('job', large.jobId, chunk);
    await work.finish('job', large.jobId);
    const id = `${large.jobId}-1`;
    for (let page = 0; page < PAGES; page++) await work.runTask('manifest', id, page);
    expect(await work.finish('manifest', id)).toBe(true);
    // all at once: each marks what it delivers, in the counts of one order
    leaves = await Promise.all(
      Array.from({ length: PAGES }, async (_, page) => {
        const { manifestPage } = await ask(page);
        return leafHash(decodeManifestPage(manifestPage!).content);
      }),
    );
  });

  const ask = (page?: number) =>
    deployment.runtime.services.delivery.getBppBatch(large.request.by, {
      requestId: large.request.hex,
      page,
    });

  /** Takes branches and root away, as if the last page had just been made. */
  async function unfinish(): Promise<string> {
    const { ledger } = deployment.runtime.context;
    for (let branch = 0; branch < branches; branch++)
      await changeItem(ledger, ledgerKeys.manifestBranch(large.jobId, branch), () => goes());
    const { done, ...open } = await tree();
    expect(done).toBeDefined();
    await changeItem(ledger, ledgerKeys.manifestTree(large.jobId), () => becomes(treeRecord.to(open)));
    const id = `${large.jobId}-${open.version}`;
    const work = openWorkRecord.to({ tasks: PAGES, since: open.startedAt });
    await changeItem(ledger, ledgerKeys.openWork('manifest', id), (item) =>
      item === undefined ? becomes(work) : unchanged(),
    );
    return id;
  }

  async function expectFinished(id: string): Promise<void> {
    const { ledger } = deployment.runtime.context;
    const { done, version } = await tree();
    expect(toHex(done!.root)).toBe(toHex(treeRoot(leaves)));
    expect(await ledger.get(ledgerKeys.openWork('manifest', id))).toBeUndefined();
    for (let branch = 0; branch < branches; branch++) {
      const item = await ledger.get(ledgerKeys.manifestBranch(large.jobId, branch));
      const record = branchRecord.from(item!);
      expect(record.version).toBe(version);
      expect(toHex(record.leaves)).toBe(
        toHex(Buffer.concat(leaves.slice(branch * BRANCH, (branch + 1) * BRANCH))),
      );
    }
    const { manifestRoot, pages } = await ask();
    expect(pages).toBe(PAGES);
    const root = decodeManifestRoot(manifestRoot!);
    for (const page of new Set([0, Math.min(BRANCH, PAGES) - 1, PAGES - 1])) {
      const { manifestPage } = await ask(page);
      requirePageOf(root, decodeManifestPage(manifestPage!), page);
    }
  }

  it('has one root over all pages, each of which is proven under it', async () => {
    const root = decodeManifestRoot((await ask()).manifestRoot!);
    expect(toHex(root.root)).toBe(toHex(treeRoot(leaves)));
    for (let page = 0; page < PAGES; page++)
      requirePageOf(root, decodeManifestPage((await ask(page)).manifestPage!), page);
  });

  it('is finished under the same root after a death at any store call', async () => {
    const stride = effort({ short: 5, long: 1 });
    const finish = (id: string) => (runtime: Runtime) => runtime.work.finish('manifest', id);
    for (const when of ['before', 'after'] as const)
      for (let call = 1; ; call += stride) {
        const id = await unfinish();
        if (!(await dies(call, when, finish(id)))) break;
        await expectFinished(id);
      }
  });

  it('is gone on with at the next branch where one was made before a death', async () => {
    const finish = (id: string) => (runtime: Runtime) => runtime.work.finish('manifest', id);
    const whole = await callsOf(finish(await unfinish()));
    const id = await unfinish();
    const { ledger } = deployment.runtime.context;
    for (let call = 1; ; call++) {
      await (await MortalProcess.start(deployment, { call, when: 'after' })).run(finish(id));
      if ((await ledger.get(ledgerKeys.manifestBranch(large.jobId, 0))) !== undefined) break;
    }
    expect(await callsOf(finish(id))).toBeLessThan(whole - 1);
    await expectFinished(id);
  });
});
