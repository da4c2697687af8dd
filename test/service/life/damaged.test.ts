import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LogRecord } from '../../../shared/events/log-events.ts';
import { jobRecord } from '../../../shared/service/records/job.ts';
import { ledgerKeys } from '../../../shared/service/records/keys.ts';
import { packRecord } from '../../../shared/service/records/order.ts';
import { toFileName } from '../../../shared/vault/names.ts';
import { DamagedObject } from '../../../shared/vault/vault.ts';
import { encodeProfileLoadingReport } from '../../../sim/index.ts';
import { DEVICE_MAKER, Deployment, OPERATOR } from '../../support/deployment.ts';
import { randomNumbers } from '../../support/random-numbers.ts';
import { csvOf, secretRows } from '../../support/row-sources.ts';
import { MortalProcess } from '../mortal.ts';
import { boundOf, outcomesOf, prepare, Request, registered, TEMPLATE } from '../scenario.ts';

/**
 * Octets of the vault that are not those that were stored (I11): nothing is made of them, an alarm is raised, and what
 * stands beside them goes on.
 */
/** A machine with much else to do is slow. */
let deployment: Deployment;
const lines: LogRecord[] = [];
let orders = 0;
const random = randomNumbers(815);
/** Octets of a file of the vault before the content of its object. */
const HEADER = 128;

beforeAll(async () => {
  deployment = await Deployment.create({
    memory: true,
    config: { packSize: 3, chunkSize: 2, inlineOrder: 3, inlineReport: 1 },
    log: (line) => void lines.push(line),
  });
});
afterAll(() => deployment?.close());

async function fileOf(name: string): Promise<string> {
  const folder = `${join(deployment.folder, 'vault', 'objects', ...name.split('/').map(toFileName))}@`;
  return join(folder, (await readdir(folder)).sort().at(-1)!);
}

/** Flips a bit of an octet; returns what takes it back. */
async function flip(name: string, at: number): Promise<() => Promise<void>> {
  const file = await fileOf(name);
  const before = await readFile(file);
  const after = Buffer.from(before);
  after[at]! ^= 1 << random(8);
  await writeFile(file, after);
  return () => writeFile(file, before);
}

const alarms = () => lines.filter(({ event }) => event === 'alarm.object.damaged');

describe('a pack of which any octet was altered', { tags: ['I11'] }, () => {
  it.each(Array.from({ length: 12 }, (_, i) => i))(
    '%i: its profile is bound to nobody, the others are',
    async () => {
      const orderId = `DAMAGED-${orders++}`;
      const iccids = await prepare(deployment, orderId, 3);
      const { ledger } = deployment.runtime.context;
      const record = packRecord.from((await ledger.get(ledgerKeys.orderPack(orderId, 0)))!);
      const at = random(record.object.size);
      const place = record.offsets.findIndex((_, i) => at < record.offsets[i + 1]!);
      await flip(record.object.name, HEADER + at);
      const euiccs = await registered(deployment, 3);
      lines.length = 0;
      const request = new Request(
        orderId,
        euiccs.map(({ eid }) => ({ eid })),
      );
      await request.send(deployment.runtime);
      await expect.poll(async () => (await request.fetch(deployment.runtime)).state).toBe('Done');
      const answer = await request.fetch(deployment.runtime);
      const wanted = ['bound', 'bound', 'bound'].with(place, 'executionError');
      expect(outcomesOf(answer)).toEqual(wanted);
      expect(boundOf(answer).map(({ bound }) => bound.iccid)).toEqual(iccids.toSpliced(place, 1));
      expect(alarms()).toEqual([
        { event: 'alarm.object.damaged', object: record.object.name, order: orderId, iccid: iccids[place] },
      ]);
      // it goes to nobody else either, and its eUICC has its key still
      const { items } = await deployment.runtime.services.orders.getOrderStatus(OPERATOR, { orderId });
      expect(items[place]).toMatchObject({ state: 'Closed', detail: 'what is stored of it was damaged' });
      const again = new Request(orderId, [{ eid: euiccs[place]!.eid }]);
      expect(outcomesOf(await again.send(deployment.runtime))).toEqual(['profileTypeExhausted']);
      const other = `DAMAGED-${orders++}`;
      await prepare(deployment, other, 1);
      const elsewhere = new Request(other, [{ eid: euiccs[place]!.eid }]);
      expect(outcomesOf(await elsewhere.send(deployment.runtime))).toEqual(['bound']);
    },
  );
});

describe('PPKs that are lost', () => {
  it.each([
    ['one of a pack', [1]],
    ['all of a pack', [0, 1, 2]],
  ])(
    '%s cost their profiles alone: each item is refused by name, and the others are bound',
    async (_, lost) => {
      const orderId = `DAMAGED-${orders++}`;
      const iccids = await prepare(deployment, orderId, 3);
      const { ledger, ppks } = deployment.runtime.context;
      const pack = packRecord.from((await ledger.get(ledgerKeys.orderPack(orderId, 0)))!);
      if (lost.length === 3) await ppks.destroyPack(pack.ppks);
      else await ppks.destroy(pack.ppks, lost);
      const euiccs = await registered(deployment, 3);
      lines.length = 0;
      const request = new Request(
        orderId,
        euiccs.map(({ eid }) => ({ eid })),
      );
      await request.send(deployment.runtime);
      await expect.poll(async () => (await request.fetch(deployment.runtime)).state).toBe('Done');
      const outcomes = [0, 1, 2].map((place) => (lost.includes(place) ? 'executionError' : 'bound'));
      expect(outcomesOf(await request.fetch(deployment.runtime))).toEqual(outcomes);
      expect(
        alarms()
          .map((line) => 'iccid' in line && line.iccid)
          .sort(),
      ).toEqual(lost.map((place) => iccids[place]).sort());
      const { items } = await deployment.runtime.services.orders.getOrderStatus(OPERATOR, { orderId });
      expect(items.map(({ state }) => state === 'Closed')).toEqual(outcomes.map((one) => one !== 'bound'));
    },
  );
});

describe('a request of which any octet was altered', () => {
  it('is bound chunk by chunk where it is whole, and not where it is not; the same call again repairs it', async () => {
    const orderId = `DAMAGED-${orders++}`;
    await deployment.runtime.services.orders.prepareProfiles(
      OPERATOR,
      deployment.order(orderId, 3, TEMPLATE),
    );
    const euiccs = await registered(deployment, 3);
    const request = new Request(
      orderId,
      euiccs.map(({ eid }) => ({ eid })),
    );
    // a process that takes the request on and dies before it is bound
    const jobId = request.jobId(deployment.config.deployment);
    const { runtime } = deployment;
    const taken = async () => (await runtime.context.ledger.get(ledgerKeys.job(jobId))) !== undefined;
    const mortal = await MortalProcess.start(deployment, {
      hold: async () => {
        if (await taken()) await new Promise(() => {});
      },
    });
    void mortal.run(() => request.send(mortal.runtime));
    await expect.poll(taken).toBe(true);
    const job = jobRecord.from((await runtime.context.ledger.get(ledgerKeys.job(jobId)))!);
    const [first, second] = job.chunkOffsets;
    await flip(job.request!.name, HEADER + first! + random(second! - first!));
    lines.length = 0;
    await expect(runtime.work.runTask('job', jobId, 0)).rejects.toThrow(DamagedObject);
    expect(alarms()).toEqual([{ event: 'alarm.object.damaged', object: job.request!.name }]);
    await runtime.work.runTask('job', jobId, 1);
    expect(await runtime.context.ledger.get(ledgerKeys.chunk(jobId, 0))).toBeUndefined();
    expect(await runtime.context.ledger.get(ledgerKeys.chunk(jobId, 1))).toBeDefined();
    await request.send(runtime);
    await expect.poll(async () => (await request.fetch(runtime)).state).toBe('Done');
    expect(outcomesOf(await request.fetch(runtime))).toEqual(['bound', 'bound', 'bound']);
  });
});

describe('a part of which any octet was altered', { tags: ['I11'] }, () => {
  it('is not delivered', async () => {
    const orderId = `DAMAGED-${orders++}`;
    await prepare(deployment, orderId, 1);
    const [euicc] = await registered(deployment, 1);
    const request = new Request(orderId, [{ eid: euicc!.eid }]);
    await request.send(deployment.runtime);
    const jobId = request.jobId(deployment.config.deployment);
    for await (const name of deployment.runtime.context.vault.names(`parts/${jobId}/`)) {
      const { size } = (await deployment.runtime.context.vault.head(name))!;
      const repair = await flip(name, HEADER + random(size));
      lines.length = 0;
      await expect(request.fetch(deployment.runtime)).rejects.toThrow(DamagedObject);
      expect(alarms()).toEqual([{ event: 'alarm.object.damaged', object: name }]);
      await repair();
    }
    expect(outcomesOf(await request.fetch(deployment.runtime))).toEqual(['bound']);
  });
});

describe('rows of which any octet was altered', () => {
  it('become no profile; the packs of other blocks are made', async () => {
    const orderId = `DAMAGED-${orders++}`;
    const rows = secretRows(9).map(({ iccid, imsi }) => ({ iccid: iccid!, imsi: imsi! }));
    const { runtime } = deployment;
    const stalled = await MortalProcess.start(deployment);
    const order = deployment.order(orderId, rows.length, TEMPLATE, {
      rows: csvOf(rows),
      personalisation: { format: 'csv', keys: 'template' },
    });
    // nothing runs the order's work but this test
    stalled.runtime.context.dispatcher.submit = async () => undefined;
    await stalled.runtime.services.orders.prepareProfiles(OPERATOR, order);
    await runtime.work.runTask('rows', orderId, 0);
    const names: string[] = [];
    for await (const name of runtime.context.vault.names(`orders/${orderId}/rows-`)) names.push(name);
    const text = csvOf(rows).toString();
    const line = text.split('\n')[4]!;
    const repair = await flip(names[0]!, HEADER + text.indexOf(line) + random(line.length));
    lines.length = 0;
    await expect(runtime.work.runTask('order', orderId, 1)).rejects.toThrow(DamagedObject);
    expect(alarms()).toEqual([{ event: 'alarm.object.damaged', object: names[0] }]);
    await runtime.work.runTask('order', orderId, 0);
    await runtime.work.runTask('order', orderId, 2);
    expect(await runtime.context.ledger.get(ledgerKeys.orderPack(orderId, 1))).toBeUndefined();
    await repair();
    await runtime.work.runTask('order', orderId, 1);
    expect(await runtime.work.finish('order', orderId)).toBe(true);
  });
});

describe('a large report of which any octet was altered', () => {
  it('is not taken where it is not whole, slice by slice', async () => {
    const { runtime } = deployment;
    const stalled = await MortalProcess.start(deployment);
    stalled.runtime.context.dispatcher.submit = async () => undefined;
    const report = encodeProfileLoadingReport({
      reportId: Buffer.from('0102030405060708', 'hex'),
      items: [1, 2].map((n) => ({
        fpaError: { eid: '8'.repeat(32), transactionId: Buffer.alloc(16, n), cause: 'other' as const },
      })),
    });
    await stalled.runtime.services.reports.sendProfileLoadingReport(DEVICE_MAKER, report);
    const names: string[] = [];
    for await (const name of runtime.context.vault.names('reports/')) names.push(name);
    const id = /^reports\/([0-9a-f]{32})-/.exec(names[0]!)![1]!;
    const repair = await flip(names[0]!, HEADER + report.length - 1);
    lines.length = 0;
    await runtime.work.runTask('report', id, 0);
    await expect(runtime.work.runTask('report', id, 1)).rejects.toThrow(DamagedObject);
    expect(alarms()).toEqual([{ event: 'alarm.object.damaged', object: names[0] }]);
    await repair();
    await runtime.work.runTask('report', id, 1);
  });
});
