import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ItemKey } from '../../../shared/ledger/ledger.ts';
import { jobRecord, requestSlice } from '../../../shared/service/records/job.ts';
import { ledgerKeys } from '../../../shared/service/records/keys.ts';
import { packAttempts, ppkNames } from '../../../shared/service/records/object-names.ts';
import {
  extraPacks,
  iccidOwner,
  orderStateRecord,
  packRecord,
} from '../../../shared/service/records/order.ts';
import { restore } from '../../../shared/service/restore/restore.ts';
import { repair } from '../../../shared/service/verify/repair.ts';
import { encodeProfileLoadingReport } from '../../../sim/index.ts';
import { DEVICE_MAKER, Deployment, OPERATOR } from '../../support/deployment.ts';
import { MortalProcess } from '../mortal.ts';
import { boundOf, outcomesOf, prepare, Request, registered } from '../scenario.ts';
import { findingsOf } from '../verify/findings.ts';

/* A disk that had said of the last writes that they were made, and they were not: what tells of them lies elsewhere. */

let deployment: Deployment;

beforeAll(async () => {
  deployment = await Deployment.create({ memory: true, config: { packSize: 2, chunkSize: 1 } });
});
afterAll(() => deployment?.close());

const findings = () => findingsOf(deployment.runtime);

async function lose(...keys: readonly ItemKey[]): Promise<void> {
  const { ledger } = deployment.runtime.context;
  for (const item of await ledger.getMany(keys))
    if (item !== undefined) await ledger.write({ remove: item, when: { revision: item.revision } });
}

async function restored(): Promise<void> {
  const { unguarded, standing } = deployment.runtime;
  await standing.freeze('test');
  await restore(unguarded, standing);
}

it('verification names a job that the ledger has lost, and a restore brings it back (I9, I11)', async () => {
  await prepare(deployment, 'JOB', 4);
  const euiccs = await registered(deployment, 2);
  const request = new Request(
    'JOB',
    euiccs.map(({ eid }) => ({ eid })),
  );
  const jobId = request.jobId(deployment.config.deployment);
  const job = ledgerKeys.job(jobId);
  const { ledger } = deployment.runtime.context;
  const isRecorded = async () => (await ledger.get(ledgerKeys.orderDraw('JOB', 0, jobId))) !== undefined;
  for (let call = 1; !(await isRecorded()); call++) {
    const process = await MortalProcess.start(deployment, { call, when: 'after' });
    await process.run((runtime) => request.send(runtime));
  }
  const taken = jobRecord.from((await ledger.get(job))!);
  expect(await findings()).toEqual([]);
  await lose(job, ledgerKeys.openWork('job', jobId));
  expect((await findings()).map(({ problem }) => problem)).toContain(
    'a locked record tells of this job, and the ledger does not know it',
  );
  await restored();
  expect(jobRecord.from((await ledger.get(job))!)).toEqual(taken);
  expect(await findings()).toEqual([]);
});

it('a profile that was made as a replacement is there for a job that has drawn it (I2, I9)', async () => {
  const { services, context } = deployment.runtime;
  await prepare(deployment, 'ONE', 1);
  const [euicc, other] = await registered(deployment, 2, { keys: 2 });
  const [item] = boundOf(await new Request('ONE', [{ eid: euicc!.eid }]).send(deployment.runtime));
  const { iccid, transactionId } = item!.bound;
  const failed = { fpaError: { transactionId, eid: euicc!.eid, cause: 'damaged' } } as const;
  const report = encodeProfileLoadingReport({ reportId: randomBytes(8), items: [failed] });
  await services.reports.sendProfileLoadingReport(DEVICE_MAKER, report);
  const replacement = await services.orders.replaceProfile(OPERATOR, { orderId: 'ONE', iccid });

  // a job of two chunks draws it, and its process dies before either is bound
  const request = new Request('ONE', [{ eid: euicc!.eid }, { eid: other!.eid }]);
  const jobId = request.jobId(deployment.config.deployment);
  const drawn = ledgerKeys.orderDraw('ONE', 2, jobId);
  for (let call = 1; (await context.ledger.get(drawn)) === undefined; call++) {
    const process = await MortalProcess.start(deployment, { call, when: 'after' });
    await process.run((runtime) => request.send(runtime));
  }
  await lose(
    drawn,
    ledgerKeys.job(jobId),
    ledgerKeys.openWork('job', jobId),
    ledgerKeys.tie('ONE', euicc!.eid, 2),
    ledgerKeys.orderPack('ONE', 1),
    ledgerKeys.orderPackMade('ONE', 1),
    ledgerKeys.iccid(replacement.iccid),
    ledgerKeys.replacement('ONE', iccid),
    ledgerKeys.orderExtras('ONE'),
  );
  await restored();
  expect(extraPacks(await context.ledger.get(ledgerKeys.orderExtras('ONE')))).toBe(1);
  const pack = packRecord.from((await context.ledger.get(ledgerKeys.orderPack('ONE', 1)))!);
  expect(pack.iccids).toEqual([replacement.iccid]);
  for (let chunk = 0; chunk < 2; chunk++) await deployment.runtime.work.runTask('job', jobId, chunk);
  // what was kept for it is in no record but the ledger's own
  expect(outcomesOf(await request.fetch(deployment.runtime))).toEqual([
    'noNewBinding',
    'profileTypeExhausted',
  ]);
  const again = await services.orders.replaceProfile(OPERATOR, { orderId: 'ONE', iccid });
  expect(again).toEqual(replacement);
  const [bound] = boundOf(await new Request('ONE', [{ eid: euicc!.eid }]).send(deployment.runtime));
  expect(bound).toMatchObject({ eid: euicc!.eid, bound: { iccid: replacement.iccid } });
});

it('a profile whose end the ledger has lost with its PPK destroyed is closed by a repair (I5, I11)', async () => {
  const { services, context } = deployment.runtime;
  const [first] = await prepare(deployment, 'ENDED', 2);
  await services.orders.cancelOrder(OPERATOR, { orderId: 'ENDED', iccid: first! });
  const supply = (await context.ledger.get(ledgerKeys.orderSupply('ENDED')))!;
  const before = { ...supply.attributes, next: 0, taken: [] };
  await context.ledger.write({ put: supply, attributes: before, when: { revision: supply.revision } });
  await lose(ledgerKeys.profile('ENDED', 0));

  const gone = (await findings()).filter(({ where }) => where === 'PPK vault');
  expect(gone.map(({ problem }) => problem)).toEqual(['PPKs 0 are gone, though nobody has their profiles']);
  expect(await repair(context, gone[0]!)).toBe(true);
  expect((await findings()).filter(({ where }) => where === 'PPK vault')).toEqual([]);
  const { items } = await services.orders.getOrderStatus(OPERATOR, { orderId: 'ENDED' });
  expect(items.map(({ state }) => state)).toEqual(['Closed', 'Available']);
  const [euicc] = await registered(deployment, 1);
  const answer = await new Request('ENDED', [{ eid: euicc!.eid }]).send(deployment.runtime);
  expect(outcomesOf(answer)).toEqual(['bound']);
});

it('a replacement whose PPK is gone is closed by a repair, and another one is kept when asked again (I5, I11)', async () => {
  const { services, context } = deployment.runtime;
  await prepare(deployment, 'KEPT', 3);
  const [euicc] = await registered(deployment, 1, { keys: 2 });
  const [item] = boundOf(await new Request('KEPT', [{ eid: euicc!.eid }]).send(deployment.runtime));
  const { iccid, transactionId } = item!.bound;
  const failed = { fpaError: { transactionId, eid: euicc!.eid, cause: 'damaged' } } as const;
  const report = encodeProfileLoadingReport({ reportId: randomBytes(8), items: [failed] });
  await services.reports.sendProfileLoadingReport(DEVICE_MAKER, report);
  const lost = await services.orders.replaceProfile(OPERATOR, { orderId: 'KEPT', iccid });
  const { position } = iccidOwner.from((await context.ledger.get(ledgerKeys.iccid(lost.iccid)))!);
  const pack = await context.ledger.get(ledgerKeys.orderPack('KEPT', Math.floor(position / 2)));
  await context.ppks.destroy(packRecord.from(pack!).ppks, [position % 2]);

  const gone = (await findings()).filter(({ where }) => where === 'PPK vault');
  expect(gone.map(({ problem }) => problem)).toEqual([
    `PPKs ${position % 2} are gone, though nobody has their profiles`,
  ]);
  expect(await repair(context, gone[0]!)).toBe(true);
  expect((await findings()).filter(({ where }) => where === 'PPK vault')).toEqual([]);
  const another = await services.orders.replaceProfile(OPERATOR, { orderId: 'KEPT', iccid });
  expect(another).toEqual({ iccid: expect.not.stringMatching(lost.iccid), eid: euicc!.eid });
  const { items } = await services.orders.getOrderStatus(OPERATOR, { orderId: 'KEPT' });
  expect(items.map(({ state }) => state).sort()).toEqual(['Available', 'Closed', 'Unreported']);
  const [bound] = boundOf(await new Request('KEPT', [{ eid: euicc!.eid }]).send(deployment.runtime));
  expect(bound).toMatchObject({ eid: euicc!.eid, bound: { iccid: another.iccid } });
});

it('a data key whose move to another wrapping key the ledger has lost is found again, and no profile is closed (I9, I11)', async () => {
  const { context, keys, wrappingRotation } = deployment.runtime;
  await prepare(deployment, 'MOVED', 2);
  const key = ledgerKeys.orderPack('MOVED', 0);
  const { dataKey: former } = packRecord.from((await context.ledger.get(key))!);
  const uri = `softkey:path=${join(deployment.folder, 'wrapping-next.key')}`;
  await keys.generate(uri, 'aes-256', 'wrapping');
  await context.keyAssignments.assign('wrapping', uri, 'test');
  await wrappingRotation.rewrap();
  const item = (await context.ledger.get(key))!;
  const { dataKey, ...record } = packRecord.from(item);
  expect(dataKey).not.toBe(former);
  const attributes = packRecord.to({ ...record, dataKey: former });
  await context.ledger.write({ put: item, attributes, when: { revision: item.revision } });
  await lose(ledgerKeys.wrappedUnder(uri, dataKey));

  const found = (await findings()).filter(({ where }) => where === 'PPK vault');
  expect(found.map(({ name }) => name)).toEqual([former, dataKey]);
  for (const finding of found) expect(await repair(context, finding)).toBe(true);
  expect((await findings()).filter(({ where }) => where === 'PPK vault')).toEqual([]);
  expect(await context.ledger.get(ledgerKeys.wrappedUnder(uri, dataKey))).toBeDefined();
  const euiccs = await registered(deployment, 2);
  const answer = await new Request(
    'MOVED',
    euiccs.map(({ eid }) => ({ eid })),
  ).send(deployment.runtime);
  expect(answer.failed).toEqual([]);
});

it('an order with a pack that nobody can tell for certain is closed, and what was bound of it comes again (I5, I9)', async () => {
  const { runtime } = deployment;
  const { ledger, vault, ppks } = runtime.context;
  await prepare(deployment, 'UNSURE', 4);
  const [euicc] = await registered(deployment, 1);
  const request = new Request('UNSURE', [{ eid: euicc!.eid }]);
  const [bound] = boundOf(await request.send(runtime));
  const jobId = request.jobId(deployment.config.deployment);
  const packs = await ledger.getMany([0, 1].map((pack) => ledgerKeys.orderPack('UNSURE', pack)));
  const [first, second] = packs.map((item) => packRecord.from(item!));
  // another attempt at the first pack, whose keys are there as well
  const other = ppkNames('UNSURE', 0, 'other');
  await vault.put(`${packAttempts('UNSURE', 0)}other`, await vault.get(first!.object));
  await ppks.putPack(other.dataKey, (await ppks.header(first!.dataKey))!, []);
  await ppks.putPack(other.ppks, new Uint8Array(), [Uint8Array.of(1)]);
  await lose(
    ledgerKeys.orderPack('UNSURE', 0),
    ledgerKeys.orderPackMade('UNSURE', 0),
    ledgerKeys.chunk(jobId, 0),
    ledgerKeys.chunkProgress(jobId, 0),
  );
  const state = (await ledger.get(ledgerKeys.orderState('UNSURE')))!;
  const attributes = orderStateRecord.to({ state: 'Preparing' });
  await ledger.write({ put: state, attributes, when: { revision: state.revision } });
  await restored();
  const now = await ledger.get(ledgerKeys.orderState('UNSURE'));
  expect(orderStateRecord.from(now!).state).toBe('Closed');
  const keysOf = (...of: readonly { readonly ppks: string; readonly dataKey: string }[]) =>
    Promise.all(of.flatMap(({ ppks: name, dataKey }) => [ppks.header(name), ppks.header(dataKey)]));
  expect(await keysOf(first!, other)).toEqual([undefined, undefined, undefined, undefined]);
  const [again] = boundOf(await request.fetch(runtime));
  expect(again).toEqual(bound);
  // what is left of its end is open work
  expect(await ledger.get(ledgerKeys.openWork('closing', 'UNSURE'))).toBeDefined();
  await runtime.work.runTask('closing', 'UNSURE', 0);
  await runtime.work.finish('closing', 'UNSURE');
  expect(await keysOf(second!)).toEqual([undefined, undefined]);
});

it('a large request that became a job of one slice since is that job, without the slice that it was planned by (I9, I11)', async () => {
  const { runtime } = deployment;
  const { ledger } = runtime.context;
  await prepare(deployment, 'SLICE', 4);
  const euiccs = await registered(deployment, 2);
  const request = new Request(
    'SLICE',
    euiccs.map(({ eid }) => ({ eid })),
  );
  await request.send(runtime);
  const jobId = request.jobId(deployment.config.deployment);
  const whole = (await ledger.get(ledgerKeys.job(jobId)))!;
  const job = jobRecord.from(whole);
  const slices = { chunks: 2, ofSlice: 2 };
  const planned = { ...job, slices, planning: { namesIccids: false } };
  const { runs, chunkOffsets, chunkHashes } = job;
  const plan = { runs, chunkOffsets, chunkHashes };
  await ledger.write({ put: whole, attributes: jobRecord.to(planned), when: { revision: whole.revision } });
  const slice = ledgerKeys.requestSlice(jobId, 0);
  await ledger.write({ put: slice, attributes: requestSlice.to({ ...plan, drawn: 'all' }), when: 'absent' });
  await restored();
  expect(jobRecord.from((await ledger.get(ledgerKeys.job(jobId)))!)).toEqual(job);
  expect(await ledger.get(slice)).toBeUndefined();
  expect((await findings()).filter(({ where }) => where.includes(jobId))).toEqual([]);
});
