import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { CallCost, counting } from '../../../shared/call-cost.ts';
import { type Bytes, toHex } from '../../../shared/codec/bytes.ts';
import { decodeManifestPage, requirePageOf } from '../../../shared/ifpp-draft1/manifest-page.ts';
import { decodeManifestRoot } from '../../../shared/ifpp-draft1/manifest-root.ts';
import { changeItem, goes } from '../../../shared/ledger/change.ts';
import type { Runtime } from '../../../shared/runtime.ts';
import type { BppAnswer } from '../../../shared/service/api/esbpp.ts';
import { chunkProgress } from '../../../shared/service/records/job.ts';
import { ledgerKeys } from '../../../shared/service/records/keys.ts';
import { pageRecord, treeRecord } from '../../../shared/service/records/manifest-tree.ts';
import { assemblePagedBatch, decodeBppBatch, type PersonalisedEuicc } from '../../../sim/index.ts';
import { count } from '../../support/counts.ts';
import { Deployment } from '../../support/deployment.ts';
import { effort } from '../../support/effort.ts';
import { MortalProcess, rests } from '../mortal.ts';
import { prepare, Request, registered } from '../scenario.ts';

/** One chunk an item, three chunks a page, and pages for jobs of more than four chunks. */
const CONFIG = { inlineLimit: 1_000, chunkSize: 1, packSize: 50, manifest: { whole: 4, page: 3 } };
let deployment: Deployment;
let made = 0;

beforeAll(async () => {
  deployment = await Deployment.create({ config: CONFIG });
});
afterAll(() => deployment?.close());

interface Given {
  readonly request: Request;
  readonly euiccs: readonly PersonalisedEuicc[];
  readonly jobId: string;
}

/** A request for so many eUICCs, and for one that is not registered at its end. */
async function given(items: number): Promise<Given> {
  const orderId = `PAGES-${made++}`;
  await prepare(deployment, orderId, items);
  const euiccs = await registered(deployment, items - 1);
  const all = [...euiccs, deployment.eum.personalise()];
  const request = new Request(
    orderId,
    all.map(({ eid }) => ({ eid })),
  );
  await request.send(deployment.runtime);
  return { request, euiccs, jobId: request.jobId('test') };
}

const ask = ({ request }: Given, page?: number, { services }: Runtime = deployment.runtime) =>
  services.delivery.getBppBatch(request.by, { requestId: request.hex, page });

async function done(job: Given, page?: number, runtime?: Runtime): Promise<BppAnswer> {
  return await vi.waitFor(
    async () => {
      const answer = await ask(job, page, runtime);
      expect(answer.state).toBe('Done');
      return answer;
    },
    { timeout: 60_000 },
  );
}

async function whole(
  job: Given,
): Promise<{ readonly root: BppAnswer; readonly pages: readonly BppAnswer[] }> {
  const root = await done(job);
  const pages = [];
  for (let page = 0; page < root.pages!; page++) pages.push(await done(job, page));
  return { root, pages };
}

const recordOfTree = async ({ jobId }: Given) =>
  treeRecord.from((await deployment.runtime.context.ledger.get(ledgerKeys.manifestTree(jobId)))!);

async function batchOf({ request }: Given, { root, pages }: Awaited<ReturnType<typeof whole>>) {
  const parts = new Map<string, Bytes>();
  const { vault } = deployment.runtime.context;
  for (const { manifestPage } of pages)
    for (const { name } of decodeManifestPage(manifestPage!).parts) {
      const asked = { requestId: request.hex, name };
      await deployment.runtime.services.transfers.getTransfer(request.by, asked);
      parts.set(name, await vault.get((await vault.head(name))!));
    }
  const page = (place: number) => pages[place]!.manifestPage!;
  return decodeBppBatch(assemblePagedBatch(root.manifestRoot!, page, (name) => parts.get(name)!));
}

/** Chunks of the larger one of two jobs that are answered by as many reads. */
const LARGE = effort({ short: 16, long: 200 });

describe('the manifest of a large job', { tags: ['I3', 'I6'] }, () => {
  let job: Given;
  beforeAll(async () => {
    job = await given(10);
  });

  it('is a signed root and pages under it, which name all parts in the order of the request', async () => {
    const all = await whole(job);
    const { root, pages } = all;
    expect(root).toMatchObject({
      items: 10,
      processed: 10,
      pages: 4,
      failed: [{ itemId: 10, code: 'eidUnknown' }],
    });
    expect(root.manifest ?? root.bppBatch ?? root.parts).toBeUndefined();
    const manifest = decodeManifestRoot(root.manifestRoot!);
    expect(manifest).toMatchObject({ requestId: job.request.hex, items: 10, parts: 10, pages: 4 });
    for (const [place, { manifestPage }] of pages.entries())
      requirePageOf(manifest, decodeManifestPage(manifestPage!), place);
    expect(pages.map(({ failed }) => failed.length)).toEqual([0, 0, 0, 1]);
    const { items } = await batchOf(job, all);
    expect(items.map(({ itemId, bound }) => [itemId, bound !== undefined])).toEqual(
      Array.from({ length: 10 }, (_, i) => [i + 1, i < 9]),
    );
  });

  it('is answered with the same octets again, by another process as well (I4)', async () => {
    const before = await whole(job);
    await deployment.reopen();
    expect(await whole(job)).toEqual(before);
  });

  it('has the chunks of a page delivered once that page is asked for', async () => {
    const other = await given(7);
    await done(other);
    await done(other, 1);
    const { ledger } = deployment.runtime.context;
    const items = await ledger.getMany(
      [0, 3, 5, 6].map((chunk) => ledgerKeys.chunkProgress(other.jobId, chunk)),
    );
    expect(items.map((item) => chunkProgress.from(item!).deliveredAt !== undefined)).toEqual([
      false,
      true,
      true,
      false,
    ]);
  });

  it('has no page beyond its last one, and a job of few chunks has none', async () => {
    await expect(ask(job, 4)).rejects.toMatchObject({ code: 'requestUnknown' });
    const small = await given(4);
    await expect(ask(small, 0)).rejects.toMatchObject({ code: 'requestUnknown' });
    expect((await done(small)).manifest).toBeDefined();
  });

  it('shows a page that is missing, swapped, repeated, changed, or of another job', async () => {
    const other = await whole(await given(10));
    const { root, pages } = await whole(job);
    const manifest = decodeManifestRoot(root.manifestRoot!);
    const octets = pages.map(({ manifestPage }) => manifestPage!);
    const bad = (place: number, der: Bytes) => {
      expect(() => requirePageOf(manifest, decodeManifestPage(der), place)).toThrow('not under the root');
      expect(() =>
        assemblePagedBatch(
          root.manifestRoot!,
          (n) => (n === place ? der : octets[n]!),
          () => new Uint8Array(),
        ),
      ).toThrow();
    };
    for (const [place, der] of octets.entries()) {
      for (const [n, page] of octets.entries()) if (n !== place) bad(place, page);
      bad(place, other.pages[place]!.manifestPage!);
      const changed = Buffer.from(der);
      changed[changed.indexOf(Buffer.from('parts/')) + 8]! ^= 1;
      bad(place, changed);
    }
    const { signed } = manifest;
    expect(toHex(signed)).not.toBe(toHex(decodeManifestRoot(other.root.manifestRoot!).signed));
  });

  it('is answered by as many reads of a larger job (I13)', async () => {
    const large = await given(LARGE);
    await whole(large);
    await whole(job);
    await deployment.reopen();
    const once = async (of: Given, page?: number) => {
      const cost = new CallCost();
      await counting(cost, () => ask(of, page));
      return cost.reads;
    };
    // what a process reads once, and again after some time, is no part of a call
    const reads = async (of: Given, page?: number) =>
      Math.min(await once(of, page), await once(of, page), await once(of, page));
    // a read is of 4 KiB: the hashes of 67 pages are two in the long run, and those of a branch 1,024 at most
    const more = Math.ceil((Math.ceil(LARGE / CONFIG.manifest.page) * 64) / 4_096) - 1;
    expect((await reads(large, 1)) - (await reads(job, 1))).toBeOneOf([0, more]);
    expect((await reads(large)) - (await reads(job))).toBeOneOf([0, more]);
    expect(await reads(large, 4)).toBeLessThan(60);
  });
});

describe('pages of a manifest, when something changes', { tags: ['I6'] }, () => {
  it('lack what was revoked since, under another root, and no other page is changed', async () => {
    const job = await given(9);
    const before = await whole(job);
    await deployment.runtime.trustAdministration.revokeEuicc(job.euiccs[4]!.eid, 'test');
    const after = await whole(job);
    expect(after.root.failed.map(({ itemId }) => itemId)).toEqual([5, 9]);
    expect(toHex(after.root.manifestRoot!)).not.toBe(toHex(before.root.manifestRoot!));
    const content = ({ manifestPage }: BppAnswer) => toHex(decodeManifestPage(manifestPage!).content);
    expect(after.pages.map((page, i) => content(page) === content(before.pages[i]!))).toEqual([
      true,
      false,
      true,
    ]);
    const { items } = await batchOf(job, after);
    expect(items.filter(({ bound }) => bound === undefined).map(({ itemId }) => itemId)).toEqual([5, 9]);
    // a page of the root before is no page of the root after
    const root = decodeManifestRoot(after.root.manifestRoot!);
    expect(() => requirePageOf(root, decodeManifestPage(before.pages[0]!.manifestPage!), 0)).toThrow();
  });

  it('are made anew when trust moves, and are the same where that changes nothing of them', async () => {
    const job = await given(7);
    const before = await whole(job);
    const { version } = await recordOfTree(job);
    await deployment.runtime.trustAdministration.addCrl(deployment.ci.issueCrl({ number: 40 }), [], 'test');
    expect(await whole(job)).toEqual(before);
    expect((await recordOfTree(job)).version).toBe(version + 1);
  });

  it('are made anew where one was lost or damaged, under the same root', async () => {
    const job = await given(7);
    const before = await whole(job);
    const { ledger } = deployment.runtime.context;
    for (const [page, harm] of [
      [1, (file: string) => rm(file, { recursive: true })],
      [2, (file: string) => rm(file, { recursive: true }).then(() => writeFile(file, 'damaged'))],
    ] as const) {
      const { content } = pageRecord.from((await ledger.get(ledgerKeys.manifestPage(job.jobId, page)))!);
      await harm(join(deployment.folder, 'vault/objects', `${content.name}@`));
      const again = await ask(job, page).catch((error) => error);
      expect(again.state).toBe('Pending');
      expect(await whole(job)).toEqual(before);
    }
  });

  it('are made anew where the record of one, or of a branch, was lost', async () => {
    const job = await given(7);
    const before = await whole(job);
    const { ledger } = deployment.runtime.context;
    for (const key of [ledgerKeys.manifestPage(job.jobId, 1), ledgerKeys.manifestBranch(job.jobId, 0)]) {
      await changeItem(ledger, key, () => goes());
      expect((await ask(job, 1)).state).toBe('Pending');
      expect(await whole(job)).toEqual(before);
    }
  });

  it('stay as they are when their delivery key is retired: the root is signed anew', async () => {
    const job = await given(7);
    const before = await whole(job);
    const { keys, context } = deployment.runtime;
    const uri = `softkey:path=${join(deployment.folder, 'keys', 'delivery-2')}.key`;
    await keys.generate(uri, 'ecdsa-p256', 'delivery');
    await context.keyAssignments.assign('delivery', uri, 'test');
    expect(await whole(job)).toEqual(before);
    await context.keyAssignments.retire('delivery', deployment.config.keys.delivery, 'test');
    const after = await whole(job);
    expect(after.pages).toEqual(before.pages);
    const [old, anew] = [before, after].map(({ root }) => decodeManifestRoot(root.manifestRoot!));
    expect(toHex(anew!.root)).toBe(toHex(old!.root));
    expect(toHex(anew!.signature)).not.toBe(toHex(old!.signature));
  });
});

describe('pages of a manifest, after a death at any store call', { tags: ['I4'] }, () => {
  it('come to the same root, repeated by two at once', async () => {
    const job = await given(5);
    const { root } = await done(job).then((answer) => decodeManifestRoot(answer.manifestRoot!));
    const stride = effort({ short: 11, long: 1 });
    /** Has the tree made once more, by hand. */
    const again = async () => {
      const { context, trustAdministration } = deployment.runtime;
      await trustAdministration.addCrl(deployment.ci.issueCrl({ number: 100 + made++ }), [], 'test');
      const { version } = await recordOfTree(job);
      expect((await ask(job)).state).toBe('Pending');
      return { context, id: `${job.jobId}-${version + 1}` };
    };
    const work = (id: string) => async (runtime: Runtime) => {
      for (const page of [0, 1]) await runtime.work.runTask('manifest', id, page);
      return await runtime.work.finish('manifest', id);
    };
    for (let call = 1; ; call += stride) {
      const { id, context } = await again();
      const dying = await MortalProcess.start(deployment, {
        call,
        when: call % 2 === 0 ? 'before' : 'after',
      });
      await dying.run(work(id));
      if (dying.calls < call) break;
      count('crashes', 1);
      const twins = await Promise.all(
        [call, -call].map((seed) => MortalProcess.start(deployment, { restMs: rests(seed) })),
      );
      await Promise.all(twins.map((twin) => twin.run(work(id))));
      const { done: finished } = await recordOfTree(job);
      expect(toHex(finished!.root)).toBe(toHex(root));
      expect(await context.ledger.get(ledgerKeys.openWork('manifest', id))).toBeUndefined();
    }
  });
});
