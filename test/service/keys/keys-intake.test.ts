import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest';
import { Fault } from '../../../shared/errors.ts';
import type { RuntimeOptions } from '../../../shared/runtime.ts';
import type { OrderInput } from '../../../shared/service/api/es2f.ts';
import { retireIntakeKey } from '../../../shared/service/keys/intake-keys.ts';
import { ledgerKeys } from '../../../shared/service/records/keys.ts';
import { orderRecord } from '../../../shared/service/records/order.ts';
import { freshSoftHsm } from '../../keys/softhsm.ts';
import { Deployment, OPERATOR } from '../../support/deployment.ts';
import { blocksOf, intakeKeyOf, intakeUri, secretRows, withIntakeKey } from '../../support/row-sources.ts';
import { sharedSoftkey } from '../../support/softkeys.ts';
import { sendUpload } from '../../support/uploads.ts';
import { TEMPLATE } from '../scenario.ts';

const METADATA = { serviceProviderName: 'Operator', profileName: 'Profile', profileClass: 'test' };
let deployment: Deployment;
let made = 0;
afterEach(() => deployment.close());

async function deploy(intake?: string, options: RuntimeOptions = {}): Promise<void> {
  deployment = await Deployment.create({ config: { packSize: 3, inlineOrder: 5 }, ...options });
  if (intake === undefined) return await withIntakeKey(deployment);
  await deployment.runtime.keys.generate(intake, 'rsa-oaep', 'intake');
  deployment.config = { ...deployment.config, keys: { ...deployment.config.keys, intake } };
  await deployment.reopen();
}

/** An order of rows that are encrypted to the key that the Operator has. */
async function encrypted(jwk: Readonly<Record<string, unknown>>, alg = jwk.alg, quantity = 4) {
  const orderId = `INTAKE-${made++}`;
  const rows = secretRows(quantity, made * 1000);
  const blocks = await blocksOf(jwk, rows, { orderId, rowsPerBlock: 3, header: () => ({ alg }) });
  return deployment.order(orderId, quantity, TEMPLATE, {
    personalisation: { format: 'jwe', keys: 'template' },
    rows: Buffer.from(blocks.join('\n')),
    metadata: METADATA,
  });
}

const prepare = async (...order: Parameters<typeof encrypted>) =>
  deployment.runtime.services.orders.prepareProfiles(OPERATOR, await encrypted(...order));

async function rotate(): Promise<string> {
  const uri = `softkey:path=${join(deployment.folder, 'keys', `intake-${made++}`)}.key`;
  await sharedSoftkey(deployment.runtime.keys, uri, 'rsa-oaep', 'intake', 1);
  await deployment.runtime.context.keyAssignments.assign('intake', uri, 'test');
  return uri;
}

const retire = (uri: string) => retireIntakeKey(deployment.runtime.context, uri, 'test');

async function listed(): Promise<Record<string, string>> {
  const keys = await deployment.runtime.keyInventory.list();
  return Object.fromEntries(
    keys.filter(({ role }) => role === 'intake').map(({ uri, state }) => [uri, state]),
  );
}

describe('rotation of the intake key', () => {
  test('rows encrypted before it are taken until the old key is retired', async () => {
    await deploy();
    const old = intakeUri(deployment.folder);
    const before = await intakeKeyOf(deployment.runtime);
    expect(await listed()).toEqual({ [old]: 'active' });

    const next = await rotate();
    const after = await intakeKeyOf(deployment.runtime);
    expect(after.kid).not.toBe(before.kid);
    expect(await listed()).toEqual({ [next]: 'active', [old]: 'former' });
    expect((await prepare(before)).state).toBe('Open');
    expect((await prepare(after)).state).toBe('Open');

    await retire(old);
    await deployment.reopen();
    expect(await listed()).toEqual({ [next]: 'active', [old]: 'retired' });
    expect((await prepare(after)).state).toBe('Open');
    await expect(prepare(before)).rejects.toMatchObject({ code: 'protocolFormat' });
  });

  test('the old key is not retired while an order is being prepared with it', async () => {
    await deploy();
    const old = intakeUri(deployment.folder);
    await deployment.reopen({ lanes: 'none' });
    const order = await encrypted(await intakeKeyOf(deployment.runtime), undefined, 6);
    const { orders } = deployment.runtime.services;
    expect((await orders.prepareProfiles(OPERATOR, order)).state).toBe('Preparing');
    await rotate();
    await expect(retire(old)).rejects.toMatchObject({ code: 'configuration' });

    await deployment.reopen();
    await deployment.runtime.work.resume();
    await expect
      .poll(async () => (await deployment.runtime.services.orders.prepareProfiles(OPERATOR, order)).state, {
        timeout: 50_000,
      })
      .toBe('Open');
    // the order is open a moment before its work is off the list
    const retired = () =>
      retire(old).then(
        () => 'retired',
        ({ code }) => code,
      );
    await expect.poll(retired).toBe('retired');
  });

  test('a server without an intake key gets one, and the one in use is not retired', async () => {
    deployment = await Deployment.create();
    expect(await listed()).toEqual({});
    expect(await intakeKeyOf(deployment.runtime)).toBeUndefined();
    const uri = await rotate();
    expect(await intakeKeyOf(deployment.runtime)).toMatchObject({ kty: 'RSA', alg: 'RSA-OAEP-256' });
    await expect(retire(uri)).rejects.toMatchObject({ code: 'configuration' });
  });
});

describe('rows that were encrypted to the intake key', () => {
  const stored = async () => {
    const names: string[] = [];
    for (const prefix of ['orders/', 'uploads/'])
      for await (const { name } of deployment.runtime.context.vault.list(prefix)) names.push(name);
    return names.filter((name) => name.startsWith('uploads/') || /\/rows-/.test(name));
  };
  const send = (order: OrderInput) => deployment.runtime.services.orders.prepareProfiles(OPERATOR, order);

  test('are destroyed once they are packs, and the same call is answered alike', async () => {
    await deploy();
    const order = await encrypted(await intakeKeyOf(deployment.runtime));
    const answer = await send(order);
    expect(answer.state).toBe('Open');
    expect(await stored()).toEqual([]);
    expect(await send(order)).toEqual(answer);
    expect(await stored()).toEqual([]);
  });

  test('are destroyed where the same call came several times at once', async () => {
    await deploy();
    const order = await encrypted(await intakeKeyOf(deployment.runtime));
    await Promise.all([send(order), send(order), send(order)]);
    await expect.poll(async () => (await send(order)).state).toBe('Open');
    await expect.poll(stored).toEqual([]);
    // one that stored its rows late, and then found that the other had been faster
    const { context } = deployment.runtime;
    const { rows } = orderRecord.from((await context.ledger.get(ledgerKeys.order(order.orderId)))!);
    await context.vault.put(rows!.name, order.rows as Uint8Array);
    await send(order);
    expect(await stored()).toEqual([]);
  });

  test('are destroyed where they were uploaded, and are good for one order', async () => {
    await deploy();
    const inline = await encrypted(await intakeKeyOf(deployment.runtime), undefined, 6);
    const file = inline.rows as Uint8Array;
    const { transfers } = deployment.runtime.services;
    const transferId = await sendUpload(deployment.runtime, OPERATOR, 'rows', file);
    const again = async () =>
      send({ ...inline, rows: await transfers.receivedObject(OPERATOR, transferId, 'rows') });
    expect((await again()).state).toBe('Preparing');
    await expect.poll(async () => (await again()).state).toBe('Open');
    await expect.poll(stored).toEqual([]);
    expect((await again()).state).toBe('Open');
    const other = {
      ...inline,
      orderId: 'ANOTHER',
      rows: await transfers.receivedObject(OPERATOR, transferId, 'rows'),
    };
    await expect(send(other)).rejects.toMatchObject({ code: 'requestUnknown' });
  });

  test('are destroyed with an order that is cancelled while it is prepared', async () => {
    await deploy();
    await deployment.reopen({ lanes: 'none' });
    const order = await encrypted(await intakeKeyOf(deployment.runtime), undefined, 6);
    expect((await send(order)).state).toBe('Preparing');
    expect(await stored()).toHaveLength(1);
    await deployment.runtime.services.orders.cancelOrder(OPERATOR, { orderId: order.orderId });
    expect(await stored()).toEqual([]);
  });

  test('are destroyed with an order that its rows make bad', async () => {
    await deploy();
    const jwk = await intakeKeyOf(deployment.runtime);
    const orderId = `INTAKE-${made++}`;
    const twice = [...secretRows(3, 900_000), ...secretRows(3, 900_000)];
    const blocks = await blocksOf(jwk, twice, { orderId, rowsPerBlock: 3 });
    const order = deployment.order(orderId, 6, TEMPLATE, {
      personalisation: { format: 'jwe', keys: 'template' },
      rows: Buffer.from(blocks.join('\n')),
      metadata: METADATA,
    });
    expect((await send(order)).state).toBe('Preparing');
    await expect.poll(async () => (await send(order)).state).toBe('Rejected');
    await expect.poll(stored).toEqual([]);
  });

  test('are destroyed by the repeat where a crash came before it', async () => {
    await deploy();
    const { vault } = deployment.runtime.context;
    const remove = vi.spyOn(vault, 'remove').mockRejectedValueOnce(new Fault('vault', 'the process ended'));
    const order = await encrypted(await intakeKeyOf(deployment.runtime));
    await expect(send(order)).rejects.toMatchObject({ code: 'vault' });
    remove.mockRestore();
    expect(await stored()).toHaveLength(1);
    await deployment.reopen();
    await deployment.runtime.work.resume();
    await expect.poll(stored).toEqual([]);
    expect((await send(order)).state).toBe('Open');
  });
});

const hsm = freshSoftHsm();
afterAll(() => hsm.remove());

describe.skipIf(hsm.unavailable !== undefined)(
  `the intake key is in SoftHSM2${hsm.unavailable === undefined ? '' : ` (skipped: ${hsm.unavailable})`}`,
  () => {
    test('its alg says how to encrypt to it, and rows are opened in the token', async () => {
      await deploy(hsm.uri('intake'));
      const jwk = await intakeKeyOf(deployment.runtime);
      const { description } = await deployment.runtime.keys.openIntakeKey(hsm.uri('intake'));
      expect(description).toMatchObject({ oaepHash: 'sha-1', exportable: false });
      expect(jwk).toMatchObject({ kty: 'RSA', alg: 'RSA-OAEP', use: 'enc' });
      expect((await prepare(jwk)).state).toBe('Open');
      const opened = () => deployment.runtime.keys.counts().get(description.uri)?.decrypt?.done ?? 0;
      const before = opened();
      expect(before).toBeGreaterThan(0);

      // another alg than the key's is refused, and the key is not asked
      await expect(prepare(jwk, 'RSA-OAEP-256')).rejects.toMatchObject({
        code: 'protocolFormat',
        message: 'the intake key of this server is for RSA-OAEP',
      });
      expect(opened()).toBe(before);
    });
  },
);
