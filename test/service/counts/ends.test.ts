import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { LOG_EVENTS, type LogRecord } from '../../../shared/events/log-events.ts';
import { carries } from '../../../shared/events/members.ts';
import { commonest } from '../../../shared/service/counts/ends.ts';
import { encodeProfileLoadingReport } from '../../../sim/index.ts';
import { DEVICE_MAKER, Deployment, EUM, OPERATOR } from '../../support/deployment.ts';
import { boundOf, prepare, Request, TEMPLATE } from '../scenario.ts';

let deployment: Deployment;
const logged: LogRecord[] = [];
const ends = () =>
  logged
    .splice(0)
    .filter((record) => record.event === 'work.ended')
    .map(({ kind, outcome, done, refused, code }) => [kind, outcome, done, refused, code]);

beforeAll(async () => {
  deployment = await Deployment.create({
    memory: true,
    config: { chunkSize: 3, packSize: 4, inlineReport: 2 },
    log: (record) => {
      logged.push(record);
    },
  });
});
afterAll(() => deployment?.close());

it('an order that opens has a line, and one that is bad has one with its cause, once', async () => {
  await prepare(deployment, 'ENDS', 12);
  expect(ends()).toEqual([['order', 'done', 12, 0, undefined]]);
  const { orders } = deployment.runtime.services;
  const { personalisation } = deployment.order('ENDS', 12, TEMPLATE);
  const same = deployment.order('ENDS-AGAIN', 12, TEMPLATE, { personalisation });
  await expect(orders.prepareProfiles(OPERATOR, same)).rejects.toMatchObject({ code: 'iccidInUse' });
  expect(ends(), 'it was refused at once, before it was an order').toEqual([]);
});

it('a batch of eUICC data, a request and a report have a line with ids, counts, time and what most refusals were for', async () => {
  const { runtime, eum } = deployment;
  const euiccs = [...eum.production(6, 1)];
  const batch = eum.euiccDataBatch([...euiccs, euiccs[0]!], {
    deviceManufacturers: [DEVICE_MAKER.identifier],
  });
  const { batchId } = await runtime.services.ingest.registerEuiccData(EUM, batch);
  const told = logged.find((record) => record.event === 'work.ended');
  expect(told).toMatchObject({ batchId, party: EUM.identifier, durationMs: expect.any(Number) });
  expect(ends()).toEqual([['euiccData', 'partly', 6, 1, 'eidDuplicate']]);

  const strangers = Array.from({ length: 2 }, () => eum.personalise().eid);
  const request = new Request(
    'ENDS',
    [...euiccs.map(({ eid }) => eid), ...strangers].map((eid) => ({ eid })),
  );
  await request.send(runtime);
  const jobId = request.jobId(deployment.config.deployment);
  for (let chunk = 0; chunk < 3; chunk++) await runtime.work.runTask('job', jobId, chunk);
  for (let n = 0; n < 2; n++) expect(await runtime.work.finish('job', jobId)).toBe(true);
  expect(ends()).toEqual([['job', 'partly', 6, 2, 'eidUnknown']]);

  const items = boundOf(await request.fetch(runtime)).map(({ eid, bound: { transactionId } }) => ({
    fpaError: { transactionId, eid, cause: 'damaged' as const },
  }));
  const unknown = { fpaError: { ...items[0]!.fpaError, transactionId: randomBytes(16) } };
  for (const [sent, refused] of [
    [items.slice(0, 1), 0],
    [[...items.slice(1, 4), unknown], 1],
  ] as const) {
    const report = encodeProfileLoadingReport({ reportId: randomBytes(8), items: sent });
    await expect
      .poll(() => runtime.services.reports.sendProfileLoadingReport(DEVICE_MAKER, report))
      .toMatchObject({ state: 'Done', rejectedCount: refused });
  }
  expect(ends()).toEqual([
    ['report', 'done', 1, 0, undefined],
    ['report', 'partly', 3, 1, 'transactionUnknown'],
  ]);
});

it('what the end of an order leaves to be done has a line with how much was closed', async () => {
  await deployment.runtime.services.orders.closeOrder(OPERATOR, { orderId: 'ENDS' });
  expect(ends()).toEqual([['closing', 'done', 6, 0, undefined]]);
});

it('every line is what shared/events says of it', () => {
  const record: LogRecord<'work.ended'> = {
    event: 'work.ended',
    kind: 'job',
    id: 'J',
    done: 0,
    refused: 0,
    outcome: 'done',
    durationMs: 1,
  };
  expect(carries(LOG_EVENTS['work.ended'].members, record)).toBe(true);
  expect(carries(LOG_EVENTS['work.ended'].members, { ...record, outcome: 'well' })).toBe(false);
});

it('the word that occurs most is the first of several', () => {
  expect(commonest(['b', 'a', 'a', 'b', 'c'])).toBe('b');
  expect(commonest([])).toBeUndefined();
});
