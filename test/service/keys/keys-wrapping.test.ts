import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { rewrapSlice } from '../../../lambdas/keys/rewrap.ts';
import { toHex } from '../../../shared/codec/bytes.ts';
import { decodeWrappedKey } from '../../../shared/keys/wrapped-key.ts';
import { ownTemplate } from '../../../shared/profile/package/template/own-profile.ts';
import { ledgerKeys } from '../../../shared/service/records/keys.ts';
import { orderRecord, packRecord } from '../../../shared/service/records/order.ts';
import { decodeBppBatch, encodeBppRequest } from '../../../sim/index.ts';
import { chainedAuditLines } from '../../support/audit.ts';
import { DEVICE_MAKER, Deployment, EUM, OPERATOR } from '../../support/deployment.ts';

const ORDER = 'ORDER-1';
const PACKS = 4;

let deployment: Deployment;
let logged: { event: string; about: Readonly<Record<string, unknown>> }[];

beforeEach(async () => {
  logged = [];
  deployment = await Deployment.create({
    config: { packSize: 5, chunkSize: 5 },
    log: ({ event, ...about }) => logged.push({ event, about }),
  });
});
afterEach(() => deployment.close());

const newWrappingKey = async (name: string) => {
  const uri = `softkey:path=${join(deployment.folder, 'keys', name)}.key`;
  await deployment.runtime.keys.generate(uri, 'aes-256', 'wrapping');
  return uri;
};

async function prepare(quantity = PACKS * 5): Promise<void> {
  const { orders } = deployment.runtime.services;
  await orders.prepareProfiles(OPERATOR, deployment.order(ORDER, quantity, ownTemplate()));
}

async function bind(count: number): Promise<number> {
  const { ingest, delivery } = deployment.runtime.services;
  const euiccs = Array.from({ length: count }, () => deployment.eum.personalise({ keys: 1 }));
  const batch = deployment.eum.euiccDataBatch(euiccs, { deviceManufacturers: [DEVICE_MAKER.identifier] });
  expect((await ingest.registerEuiccData(EUM, batch)).rejectedCount).toBe(0);
  const items = euiccs.map(({ eid }, itemId) => ({ itemId, eid }));
  const requestId = randomBytes(8);
  const request = encodeBppRequest({ requestId, orderId: ORDER, items });
  let answer = await delivery.requestBpp(DEVICE_MAKER, request);
  while (answer.state === 'Pending') {
    await new Promise((resolve) => setTimeout(resolve, 20));
    answer = await delivery.getBppBatch(DEVICE_MAKER, { requestId: toHex(requestId) });
  }
  return decodeBppBatch(answer.bppBatch!).items.filter(({ bound }) => bound !== undefined).length;
}

/** Which key wraps the template and each pack. */
async function wrappedBy(): Promise<string[]> {
  const { ledger, ppks } = deployment.runtime.context;
  const template = orderRecord.from((await ledger.get(ledgerKeys.order(ORDER)))!).templateKey;
  const packs = await Promise.all(
    Array.from({ length: PACKS }, async (_, pack) => {
      const record = packRecord.from((await ledger.get(ledgerKeys.orderPack(ORDER, pack)))!);
      return (await ppks.header(record.dataKey))!;
    }),
  );
  return [template, ...packs].map((stored) => decodeWrappedKey(stored).keyUri);
}

describe('rotation of the wrapping key', { tags: ['INO1'] }, () => {
  test('moves every data key, and profiles made before and after are bound', async () => {
    const { keyAssignments } = deployment.runtime.context;
    const { wrappingRotation } = deployment.runtime;
    const old = await keyAssignments.current('wrapping');
    await prepare();
    expect(new Set(await wrappedBy())).toEqual(new Set([old]));
    expect(await bind(6)).toBe(6);

    const next = await newWrappingKey('wrapping-2');
    await keyAssignments.assign('wrapping', next, 'test');
    // both keys are in use until everything is moved
    expect(await wrappingRotation.remaining(old)).toBe(PACKS + 1);
    await expect(wrappingRotation.retire(old, 'test')).rejects.toMatchObject({ code: 'configuration' });
    expect(await bind(1)).toBe(1);

    expect(await wrappingRotation.rewrap()).toEqual({ moved: PACKS + 1, waiting: 0, stopped: false });
    expect(new Set(await wrappedBy())).toEqual(new Set([next]));
    expect(await wrappingRotation.rewrap()).toEqual({ moved: 0, waiting: 0, stopped: false });
    await wrappingRotation.retire(old, 'test');
    await deployment.reopen();
    expect(await bind(6)).toBe(6);
    expect((await deployment.runtime.context.keyAssignments.get('wrapping')).former).toMatchObject([
      { uri: old, retiredAt: expect.any(Number) },
    ]);
  });

  test('destroys the old form of a data key', async () => {
    const { ledger, ppks, keyAssignments } = deployment.runtime.context;
    await prepare();
    const before = packRecord.from((await ledger.get(ledgerKeys.orderPack(ORDER, 0)))!).dataKey;
    await keyAssignments.assign('wrapping', await newWrappingKey('wrapping-2'), 'test');
    await deployment.runtime.wrappingRotation.rewrap();
    expect(await ppks.header(before)).toBeUndefined();
  });

  test('goes on after it stopped anywhere, and twice at once does no harm', async () => {
    const { keyAssignments } = deployment.runtime.context;
    await prepare();
    const old = await keyAssignments.current('wrapping');
    await keyAssignments.assign('wrapping', await newWrappingKey('wrapping-2'), 'test');
    const { wrappingRotation } = deployment.runtime;
    const stopped = wrappingRotation.rewrap({
      onMoved: () => {
        throw new Error('the process ended');
      },
    });
    await expect(stopped).rejects.toThrow('the process ended');
    await Promise.all([wrappingRotation.rewrap(), wrappingRotation.rewrap()]);
    await wrappingRotation.rewrap();
    expect(await wrappingRotation.remaining(old)).toBe(0);
    expect(await bind(20)).toBe(20);
  });

  test('goes in slices, each of which goes on where the last one ended, and says when it is late', async () => {
    let days = 0;
    await deployment.reopen({
      now: () => Date.now() + days * 86_400_000,
      log: ({ event, ...about }) => logged.push({ event, about }),
    });
    const { keyAssignments } = deployment.runtime.context;
    const { wrappingRotation } = deployment.runtime;
    await prepare();
    const old = await keyAssignments.current('wrapping');
    const next = await newWrappingKey('wrapping-2');
    await keyAssignments.assign('wrapping', next, 'test');
    // a slice has time for two data keys
    const slice = () => {
      let clock = -1;
      return rewrapSlice(wrappingRotation, () => 45_000 * ++clock);
    };
    expect(await slice()).toEqual({ moved: 2, waiting: 0, stopped: true });
    expect(logged.filter(({ event }) => event === 'alarm.key.rewrap')).toEqual([]);
    days = 2;
    expect(await slice()).toEqual({ moved: 2, waiting: 0, stopped: true });
    expect(logged.filter(({ event }) => event === 'alarm.key.rewrap')).toEqual([
      { event: 'alarm.key.rewrap', about: { from: old, to: next, hoursSinceRotation: 48 } },
    ]);
    expect(await wrappingRotation.remaining(old)).toBe(1);
    expect(await slice()).toEqual({ moved: 1, waiting: 0, stopped: false });
    expect(logged.filter(({ event }) => event === 'alarm.key.rewrap')).toHaveLength(1);
    await wrappingRotation.retire(old, 'test');
    expect(await bind(20)).toBe(20);
  });

  test('a cancelled order leaves nothing that blocks the retirement', async () => {
    const { keyAssignments } = deployment.runtime.context;
    await prepare();
    const old = await keyAssignments.current('wrapping');
    await deployment.runtime.services.orders.cancelOrder(OPERATOR, { orderId: ORDER });
    await keyAssignments.assign('wrapping', await newWrappingKey('wrapping-2'), 'test');
    await deployment.runtime.wrappingRotation.rewrap();
    await deployment.runtime.wrappingRotation.retire(old, 'test');
  });

  test('a key that was in use before is not taken again', async () => {
    const { keyAssignments } = deployment.runtime.context;
    const old = await keyAssignments.current('wrapping');
    await keyAssignments.assign('wrapping', await newWrappingKey('wrapping-2'), 'test');
    await expect(keyAssignments.assign('wrapping', old, 'test')).rejects.toMatchObject({
      code: 'configuration',
    });
  });
});

describe('uses of keys', { tags: ['DPFS01'] }, () => {
  test('are summed up in the audit log, all of them, and never one by one', async () => {
    await prepare();
    await bind(12);
    const { runtime } = deployment;
    await runtime.keyUses.round();
    await runtime.keyUses.round();
    await runtime.audit.chain();
    const items = await chainedAuditLines(runtime.context.ledger);
    const used = items
      .filter(({ attributes }) => attributes.event === 'key.used')
      .map(({ attributes }) => attributes.about as Record<string, unknown>);
    const counts = used.map(({ role, operation, done, failed }) => ({ role, operation, done, failed }));
    expect(counts).toContainEqual({ role: 'binding', operation: 'sign', done: 12, failed: 0 });
    expect(counts).toContainEqual({
      role: 'wrapping',
      operation: 'generateDataKey',
      done: PACKS + 1,
      failed: 0,
    });
    expect(used).toHaveLength(3);
  });

  test('a pack is unwrapped once while its data key is kept', async () => {
    await prepare();
    const unwraps = () =>
      [...deployment.runtime.keys.counts().values()].reduce(
        (sum, { unwrapDataKey }) => sum + (unwrapDataKey?.done ?? 0),
        0,
      );
    await bind(1);
    const before = unwraps();
    await bind(1);
    await bind(1);
    expect(unwraps()).toBe(before);
  });
});
