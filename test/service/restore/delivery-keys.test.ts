import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { toHex } from '../../../shared/codec/bytes.ts';
import { assignKey } from '../../../shared/service/keys/assign-key.ts';
import { deliveryPublicKeys } from '../../../shared/service/keys/delivery-keys.ts';
import { recordedDeliveryKeys } from '../../../shared/service/records/locked-records.ts';
import { restore } from '../../../shared/service/restore/restore.ts';
import type { Vault } from '../../../shared/vault/vault.ts';
import { Deployment } from '../../support/deployment.ts';
import { prepare, Request, registered } from '../scenario.ts';
import { findingsOf } from '../verify/findings.ts';
import { backUp, putBack } from './backup.ts';

let deployment: Deployment;

beforeEach(async () => {
  deployment = await Deployment.create({ config: { inlineLimit: 1_000, chunkSize: 2 } });
});
afterEach(() => deployment.close());

/** A new key, in use from now on. */
async function rotate(name: string): Promise<string> {
  const { context, keys } = deployment.runtime;
  const uri = keyUri(name);
  await keys.generate(uri, 'ecdsa-p256', 'delivery');
  await assignKey(context, 'delivery', uri, 'test');
  return publicKeyOf(uri);
}

const keyUri = (name: string) => `softkey:path=${join(deployment.folder, 'keys', name)}.key`;

async function publicKeyOf(uri: string): Promise<string> {
  return toHex((await deployment.runtime.context.keyRing.delivery(uri)).publicKey);
}

/** Has the key in use sign a manifest. */
async function sign(eids: readonly string[]): Promise<void> {
  const request = new Request(
    'SIGNED',
    eids.map((eid) => ({ eid })),
  );
  await request.send(deployment.runtime);
  await vi.waitFor(async () => {
    const { state, manifest } = await request.fetch(deployment.runtime);
    expect(state).toBe('Done');
    expect(manifest).toBeDefined();
  }, 60_000);
}

async function recorded(): Promise<{ readonly publicKey: string; readonly since: number }[]> {
  const records = [];
  for await (const { publicKey, since } of recordedDeliveryKeys(deployment.runtime.context.vault))
    records.push({ publicKey: toHex(publicKey), since });
  return records;
}

it('delivery keys that a ledger from before them does not know verify what they signed (I9, I11)', async () => {
  await prepare(deployment, 'SIGNED', 12);
  const eids = (await registered(deployment, 12)).map(({ eid }) => eid);
  await deployment.runtime.audit.chain();
  await backUp(deployment);

  const first = await publicKeyOf(deployment.config.keys.delivery);
  await sign(eids.slice(0, 4));
  const second = await rotate('second');
  await sign(eids.slice(4, 8));
  const third = await rotate('third');
  await sign(eids.slice(8));
  await deployment.runtime.audit.chain();
  await deployment.runtime.audit.archive();
  await putBack(deployment);

  const { unguarded, standing } = deployment.runtime;
  await standing.freeze('test');
  await restore(unguarded, standing);
  expect(await findingsOf({ unguarded })).toEqual([]);
  const named = (await deliveryPublicKeys(deployment.runtime.context)).map(toHex);
  expect(named[0]).toBe(first);
  expect(named.slice(1).sort()).toEqual([second, third].sort());
});

it('a key is in the vault before it is in use, once, and is not in use where the vault refuses', async () => {
  const { context, keys } = deployment.runtime;
  const uri = keyUri('next');
  await keys.generate(uri, 'ecdsa-p256', 'delivery');
  const inUse = () => context.keyAssignments.current('delivery');

  const refusing = new Proxy(context.vault, {
    get: (vault, name) =>
      name === 'put'
        ? () => Promise.reject(new Error('full'))
        : Reflect.get(vault, name, vault)?.bind?.(vault),
  }) as Vault;
  await expect(assignKey({ ...context, vault: refusing }, 'delivery', uri, 'test')).rejects.toThrow('full');
  expect(await inUse()).toBe(deployment.config.keys.delivery);

  const dead = { find: () => Promise.resolve(undefined), assign: () => Promise.reject(new Error('dead')) };
  const dying = { ...context, keyAssignments: dead as unknown as typeof context.keyAssignments };
  await expect(assignKey(dying, 'delivery', uri, 'test')).rejects.toThrow('dead');
  const before = await recorded();
  expect(before.map(({ publicKey }) => publicKey)).toEqual([await publicKeyOf(uri)]);

  await assignKey(context, 'delivery', uri, 'test');
  expect(await inUse()).toBe(uri);
  expect(await recorded()).toEqual(before);
});

it('a delivery key that was retired since the backup counts no more after a restore, and cannot be in use again', async () => {
  const first = await publicKeyOf(deployment.config.keys.delivery);
  await deployment.runtime.audit.chain();
  await backUp(deployment);

  await rotate('second');
  const third = await rotate('third');
  const { keyAssignments } = deployment.runtime.context;
  await keyAssignments.retire('delivery', keyUri('second'), 'test');
  await keyAssignments.retire('delivery', deployment.config.keys.delivery, 'test');
  await deployment.runtime.audit.chain();
  await deployment.runtime.audit.archive();
  await putBack(deployment);

  const { context, unguarded, standing } = deployment.runtime;
  await standing.freeze('test');
  const dying = restore(unguarded, standing, (step, done) => {
    // the third line since is the first retirement
    if (step === 'restrictions' && done === 3) throw new Error('dead');
  });
  await expect(dying).rejects.toThrow('dead');
  const { toRepeat } = await restore(unguarded, standing);
  expect(toRepeat.filter(({ event }) => event === 'key.delivery.retired')).toHaveLength(2);
  // the one in use again is for an administrator to replace
  expect((await deliveryPublicKeys(context)).map(toHex)).toEqual([first, third]);
  const { former } = await context.keyAssignments.get('delivery');
  expect(former.map(({ uri }) => uri)).toEqual([keyUri('second')]);
  await expect(assignKey(context, 'delivery', keyUri('second'), 'test')).rejects.toThrow('in use before');
});
