import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { missing, recount, repairCounts } from '../../../shared/service/inventory/recount.ts';
import { orderCount } from '../../../shared/service/records/inventory.ts';
import { ledgerKeys } from '../../../shared/service/records/keys.ts';
import { encodeProfileLoadingReport, type PersonalisedEuicc } from '../../../sim/index.ts';
import { DEVICE_MAKER, Deployment, OPERATOR } from '../../support/deployment.ts';
import { type BoundBppItem, boundOf, prepare, Request, registered } from '../scenario.ts';

let deployment: Deployment;
let euiccs: PersonalisedEuicc[];
const bound: BoundBppItem[] = [];

beforeAll(async () => {
  deployment = await Deployment.create({ memory: true, config: { chunkSize: 3, packSize: 4 } });
  const { runtime } = deployment;
  await runtime.services.parties.add(
    'ab'.repeat(32),
    { identifier: DEVICE_MAKER.identifier, role: 'deviceMaker' },
    'test',
  );
  await prepare(deployment, 'COUNTED', 40);
  euiccs = await registered(deployment, 12, { keys: 2 });
  // eleven through the batch path in chunks, one of them unknown; then some just in time, less than a lane
  const strangers = [deployment.eum.personalise().eid];
  const items = [...euiccs.slice(0, 10).map(({ eid }) => eid), ...strangers].map((eid) => ({ eid }));
  const request = new Request('COUNTED', items);
  await request.send(runtime);
  for (let chunk = 0; chunk < 4; chunk++)
    await runtime.work.runTask('job', request.jobId(deployment.config.deployment), chunk);
  await runtime.work.finish('job', request.jobId(deployment.config.deployment));
  bound.push(...boundOf(await request.fetch(runtime)));
  for (const { eid } of euiccs.slice(9, 12))
    await new Request('COUNTED', [{ eid, additional: true }]).send(runtime);
});
afterAll(() => deployment?.close());

const inventory = () => deployment.runtime.services.inventory;

async function word(count: number, cause: 'damaged' | 'unreachable') {
  const items = bound.slice(0, count).map(({ eid, bound: { transactionId } }) => ({
    fpaError: { transactionId, eid, cause },
  }));
  const report = encodeProfileLoadingReport({ reportId: randomBytes(8), items });
  return await deployment.runtime.services.reports.sendProfileLoadingReport(DEVICE_MAKER, report);
}

describe('the counts of an order', () => {
  it('are kept by what binds in chunks and just in time, and agree with a recount', async () => {
    expect(missing(await recount(deployment.runtime.context, 'COUNTED'))).toEqual({});
    const { counts } = await inventory().getOrder({ orderId: 'COUNTED' });
    expect(counts).toEqual({ Available: 27, Delivered: 13 });
    const status = await deployment.runtime.services.orders.getOrderStatus(OPERATOR, { orderId: 'COUNTED' });
    expect(status.counts).toEqual(counts);
  });

  it('follow reports, once for each, and profiles that are cancelled', async () => {
    await word(4, 'damaged');
    await word(4, 'unreachable');
    const { iccid } = (await inventory().listProfiles({ orderId: 'COUNTED', state: 'Available', limit: 1 }))
      .profiles[0]!;
    await deployment.runtime.services.orders.cancelOrder(OPERATOR, { orderId: 'COUNTED', iccid });
    const { counts, days } = await inventory().getOrder({ orderId: 'COUNTED' });
    expect(counts).toEqual({ Available: 26, Delivered: 9, Unreported: 4, Closed: 1 });
    expect(days.at(-1)?.changes).toMatchObject({ Unreported: 4 });
    expect(missing(await recount(deployment.runtime.context, 'COUNTED'))).toEqual({});
  });

  it('that are wrong are found by a recount, and repaired', async () => {
    const { context } = deployment.runtime;
    const put = ledgerKeys.orderCount('COUNTED', '2026-01-01', 0);
    await context.ledger.write({ put, attributes: orderCount.to({ changes: { Bound: 5 } }), when: 'absent' });
    expect(missing(await recount(context, 'COUNTED'))).toEqual({ Bound: -5 });
    expect(await repairCounts(context, 'COUNTED')).toBe(true);
    expect(missing(await recount(context, 'COUNTED'))).toEqual({});
  });
});

describe('what people look for', () => {
  it('jobs are listed whichever way they were bound, and how far they are', async () => {
    const { jobs } = await inventory().listJobs({});
    expect(jobs.map(({ items }) => items).sort()).toEqual([1, 1, 1, 11]);
    const large = jobs.find(({ items }) => items === 11)!;
    expect(large).toMatchObject({ bound: 10, refused: 1, chunks: 4, committedChunks: 4, state: 'Done' });
    const { refusedItems } = await inventory().getJob({ jobId: large.jobId });
    expect(refusedItems).toMatchObject([{ code: 'eidUnknown' }]);
  });

  it('a device tells its keys, its profiles and their history', async () => {
    const [{ eid } = { eid: '' }] = bound;
    const device = await inventory().findDevice({ eid });
    expect(device.keys.map(({ state }) => state).sort()).toEqual(['free', 'used']);
    expect(device.history.map(({ event }) => event)).toEqual(['ordered', 'Bound', 'Delivered', 'Unreported']);
    const { iccid, transactionId } = device.profiles[0]!;
    expect(await inventory().findProfile({ iccid })).toEqual(device.profiles[0]);
    expect(await inventory().findProfile({ transactionId: transactionId!.toLowerCase() })).toEqual(
      device.profiles[0],
    );
  });

  it('failures are counted with their meaning and the way out', async () => {
    const { failures } = await inventory().countFailures({});
    expect(failures.map(({ kind, code, count }) => [kind, code, count])).toEqual(
      expect.arrayContaining([
        ['profile', 'damaged', 4],
        ['item', 'eidUnknown', 1],
      ]),
    );
    for (const { meaning, todo } of failures) expect([meaning, todo]).not.toContain('');
  });

  it('one-time keys left are told by device manufacturer and EUM', async () => {
    const { keysLeft } = await inventory().listKeysLeft({});
    expect(keysLeft).toMatchObject([
      { deviceManufacturers: [DEVICE_MAKER.identifier], registered: 24, bound: 13, left: 11 },
    ]);
  });

  it('a page has a cursor to the next one, and a cursor of somebody else is refused', async () => {
    const all = (await inventory().listJobs({})).jobs;
    const paged = [];
    let cursor: string | undefined;
    do {
      const page = await inventory().listJobs({ limit: 1, ...(cursor !== undefined && { cursor }) });
      paged.push(...page.jobs);
      cursor = page.cursor;
    } while (cursor !== undefined);
    expect(paged).toEqual(all);
    await expect(inventory().listJobs({ cursor: 'x' })).rejects.toMatchObject({ code: 'protocolFormat' });
  });
});
