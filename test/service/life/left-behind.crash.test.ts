import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { scanAllSpread } from '../../../shared/ledger/scan.ts';
import { preparePack } from '../../../shared/service/es2f/order-packs.ts';
import { bindChunk } from '../../../shared/service/esbpp/binding.ts';
import { closeLane } from '../../../shared/service/esbpp/just-in-time/lane-closing.ts';
import { Reaper } from '../../../shared/service/life/reaper.ts';
import { CLAIMED_MS, LIFE_MS } from '../../../shared/service/life/traces.ts';
import { chunkRecord } from '../../../shared/service/records/job.ts';
import { ledgerKeys, traceStripes } from '../../../shared/service/records/keys.ts';
import { packRecord } from '../../../shared/service/records/order.ts';
import { traceRecord } from '../../../shared/service/records/trace.ts';
import { count } from '../../support/counts.ts';
import { Deployment, OPERATOR } from '../../support/deployment.ts';
import { openProfile } from '../es2f/open-pack.ts';
import { type Fate, MortalProcess } from '../mortal.ts';
import { operational, Request, registered, TEMPLATE } from '../scenario.ts';

/**
 * A process dies, or is overtaken by the reaper, before and after each of its store calls. What then is in the stores is
 * what a commit names, and nothing else: no PPK, no data key, no pack, no output rows, no part of a lost attempt.
 */
let deployment: Deployment;
const orderId = 'LEFT-1';
const PACK = 2;
let nextPack = 0;

beforeAll(async () => {
  deployment = await Deployment.create({
    memory: true,
    lanes: 'none',
    config: { packSize: PACK, inlineOrder: 1 },
  });
  const { order } = operational('8933188000000000000');
  const big = deployment.order(orderId, 400, TEMPLATE, order);
  await deployment.runtime.services.orders.prepareProfiles(OPERATOR, big);
}, 600_000);

afterAll(() => deployment?.close());

/** Reaps as if so many milliseconds had passed. */
const reap = (afterMs: number) => {
  const { context } = deployment.runtime;
  return new Reaper({ ...context, now: () => Date.now() + afterMs }, closeLane).round();
};

/** A round when traces are due, and one when those that it claimed are. */
async function reapAll(): Promise<void> {
  await reap(LIFE_MS.pack + 1);
  await reap(LIFE_MS.pack + CLAIMED_MS + 2);
}

/** Traces of attempts. */
async function traces(): Promise<number> {
  const { ledger } = deployment.runtime.context;
  const kinds = (await scanAllSpread(ledger, traceStripes)).map((item) => traceRecord.from(item).kind);
  // batches of eUICC data that were done with, whose day is not over
  return kinds.filter((kind) => kind !== 'used').length;
}

async function namesOf(prefix: string): Promise<string[]> {
  const names: string[] = [];
  for await (const name of deployment.runtime.context.vault.names(prefix)) names.push(name);
  return names.sort();
}

/** Every entry of the PPK vault of a pack, by the files on disk. */
async function ppkEntries(pack: number): Promise<string[]> {
  const folder = join(deployment.folder, 'ppks', 'packs', '=l=e=f=t-1', String(pack));
  const files = await readdir(folder).catch(() => []);
  return files.map((file) => `${orderId}/${pack}/${file.replace(/@$/, '')}`).sort();
}

/** What the stores have of a pack is what its record names. */
async function expectOnlyCommitted(pack: number): Promise<void> {
  const item = await deployment.runtime.context.ledger.get(ledgerKeys.orderPack(orderId, pack));
  const record = item && packRecord.from(item);
  expect(await ppkEntries(pack)).toEqual(record ? [record.ppks, record.dataKey].sort() : []);
  expect(await namesOf(`orders/${orderId}/packs/${pack}-`)).toEqual(record ? [record.object.name] : []);
  expect(await namesOf(`orders/${orderId}/output/${pack}-`)).toEqual(record ? [record.output!.name] : []);
}

async function callsOf(work: (mortal: MortalProcess) => Promise<unknown>): Promise<number> {
  const mortal = await MortalProcess.start(deployment);
  await work(mortal);
  return mortal.calls;
}

const fates = (calls: number): Fate[] =>
  Array.from({ length: calls }, (_, i) => i + 1).flatMap((call) => [
    { call, when: 'before' } as const,
    { call, when: 'after' } as const,
  ]);

describe('of a pack', { tags: ['I5', 'I10'] }, () => {
  const prepare = (pack: number) => (mortal: MortalProcess) =>
    mortal.run(({ context }) => preparePack(context, orderId, pack));

  it('nothing of an attempt that died stays in vault, PPK vault or ledger (I5, I10)', async () => {
    const calls = await callsOf(prepare(nextPack++));
    for (const fate of fates(calls)) {
      const pack = nextPack++;
      await prepare(pack)(await MortalProcess.start(deployment, fate));
      await reapAll();
      await expectOnlyCommitted(pack);
      expect(await traces(), `traces after death ${fate.when} call ${fate.call}`).toBe(0);
      await preparePack(deployment.runtime.context, orderId, pack);
      await expectOnlyCommitted(pack);
    }
    count('crashes', 2 * calls);
  }, 600_000);

  it('an attempt that the reaper overtakes makes the pack under another name, or not at all (I10)', async () => {
    const calls = await callsOf(prepare(nextPack++));
    for (let call = 1; call <= calls; call++) {
      const pack = nextPack++;
      const hold = async (at: number) => {
        if (at === call) await reap(LIFE_MS.pack + 1);
      };
      await prepare(pack)(await MortalProcess.start(deployment, { hold }));
      await preparePack(deployment.runtime.context, orderId, pack);
      const place = pack * PACK;
      expect((await openProfile(deployment.runtime, orderId, place)).iccid).toMatch(/^8933188/);
      await reapAll();
      await expectOnlyCommitted(pack);
      expect((await openProfile(deployment.runtime, orderId, place)).iccid).toMatch(/^8933188/);
      expect(await traces()).toBe(0);
    }
  }, 600_000);

  it('a reaper that dies is followed by one that finishes', async () => {
    for (const fate of fates(24)) {
      const pack = nextPack++;
      // the last store call before the commit: everything is written
      await prepare(pack)(await MortalProcess.start(deployment, { call: 11, when: 'before' }));
      const reaper = await MortalProcess.start(deployment, fate);
      await reaper.run(({ context }) =>
        new Reaper({ ...context, now: () => Date.now() + LIFE_MS.pack + 1 }, closeLane).round(),
      );
      await reapAll();
      await reap(LIFE_MS.pack + 2 * CLAIMED_MS + 3);
      await expectOnlyCommitted(pack);
      expect(await traces()).toBe(0);
    }
  }, 600_000);

  it('a trace that a backup brought back does not destroy what a commit made count', async () => {
    const pack = nextPack++;
    const { context } = deployment.runtime;
    await preparePack(context, orderId, pack);
    const item = await context.ledger.get(ledgerKeys.orderPack(orderId, pack));
    const { object, ppks, dataKey, output } = packRecord.from(item!);
    const attempt = object.name.slice(object.name.indexOf('-', object.name.lastIndexOf('/')) + 1);
    const { beginAttempt } = await import('../../../shared/service/life/attempts.ts');
    await beginAttempt(context, 'pack', attempt, {
      ppks: [ppks, dataKey],
      objects: [object.name, output!.name],
      holder: ledgerKeys.orderPack(orderId, pack),
    });
    await reapAll();
    await expectOnlyCommitted(pack);
    expect(await traces()).toBe(0);
  });
});

describe('of a chunk', { tags: ['I2', 'I10'] }, () => {
  const small = 'LEFT-2';
  const jobs: string[] = [];

  beforeAll(async () => {
    const order = deployment.order(small, 60, TEMPLATE);
    await deployment.runtime.services.orders.prepareProfiles(OPERATOR, order);
    for (let pack = 0; pack < 30; pack++) await preparePack(deployment.runtime.context, small, pack);
    await deployment.runtime.work.finish('order', small);
  }, 600_000);

  /** A job that was taken on and is not bound. */
  async function takenJob(): Promise<string> {
    const [euicc] = await registered(deployment, 1);
    const request = new Request(small, [{ eid: euicc!.eid }]);
    const mortal = await MortalProcess.start(deployment);
    const { delivery } = mortal.runtime.services;
    await mortal.run(async ({ context, trust }) => {
      const { Requests } = await import('../../../shared/service/esbpp/requests.ts');
      const { IngestService } = await import('../../../shared/service/esed1/ingest.ts');
      const requests = new Requests(context, new IngestService(context, trust));
      await requests.take(await requests.receive(request.by, request.der));
    });
    expect(delivery).toBeDefined();
    const jobId = request.jobId(deployment.config.deployment);
    jobs.push(jobId);
    return jobId;
  }

  const bind = (jobId: string) => (mortal: MortalProcess) =>
    mortal.run(({ context, trust }) => bindChunk(context, trust, jobId, 0));

  async function expectOnePart(jobId: string): Promise<void> {
    const item = await deployment.runtime.context.ledger.get(ledgerKeys.chunk(jobId, 0));
    expect(await namesOf(`parts/${jobId}/`)).toEqual(item ? [chunkRecord.from(item).part.name] : []);
  }

  it('no part of an attempt that died stays: a whole BPP that nobody may have (I2, I10)', async () => {
    const calls = await callsOf(bind(await takenJob()));
    for (const fate of fates(calls)) {
      const jobId = await takenJob();
      await bind(jobId)(await MortalProcess.start(deployment, fate));
      await reapAll();
      await expectOnePart(jobId);
      expect(await traces()).toBe(0);
    }
    count('crashes', 2 * calls);
  }, 600_000);

  it('of two attempts at once, the reaper between them, one part stays and it is the one committed', async () => {
    for (let call = 1; call < 14; call++) {
      const jobId = await takenJob();
      const hold = async (at: number) => {
        if (at === call) await reap(LIFE_MS.part + 1);
      };
      const both = await Promise.all([
        MortalProcess.start(deployment, { hold }),
        MortalProcess.start(deployment),
      ]);
      const [one, other] = await Promise.all(both.map(bind(jobId)));
      expect(one!.part).toEqual(other!.part);
      await reapAll();
      await expectOnePart(jobId);
      expect(await deployment.runtime.context.vault.get(one!.part)).toHaveLength(one!.part.size);
      expect(await traces()).toBe(0);
    }
  }, 600_000);
});
