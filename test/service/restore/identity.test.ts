import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openLedger } from '../../../shared/ledger/open.ts';
import { openRuntime } from '../../../shared/runtime.ts';
import {
  type OwnStores,
  readIdentities,
  requireIdentity,
  STORE_NAMES,
  type StoreName,
} from '../../../shared/service/restore/identity.ts';
import { StoredForm } from '../../../shared/service/upgrade/stored-form.ts';
import { openPpkVault, openVault } from '../../../shared/vault/open.ts';
import { count } from '../../support/counts.ts';
import { Deployment } from '../../support/deployment.ts';

const transfers = { baseUrl: 'https://localhost', transferSecret: new Uint8Array(32) };
let one: Deployment;
let other: Deployment;

beforeAll(async () => {
  one = await Deployment.create({ config: { deployment: 'one' } });
  other = await Deployment.create({ config: { deployment: 'other' } });
});
afterAll(async () => {
  await Promise.all([one.close(), other.close()]);
});

const fileOf = (uri: string) => uri.slice(uri.indexOf(':') + 1);
const starts = async (config: Deployment['config']) => await (await openRuntime(config)).close();

describe('a deployment knows itself (I12)', { tags: ['I12'] }, () => {
  it('each store says whose it is from the first start on, and a restart finds it so', async () => {
    const { ledger, vault, ppks } = one.runtime.context;
    for (let start = 0; start < 2; start++) {
      const found = await readIdentities({ ledger, vault, ppks });
      for (const store of STORE_NAMES)
        expect([store, found[store]]).toEqual([
          store,
          { deployment: 'one', address: 'smdpf.example.com', complete: true },
        ]);
      await starts(one.config);
    }
  });

  it('a configuration with another identity does not start, and both are named', async () => {
    await expect(starts({ ...one.config, deployment: 'lost' })).rejects.toThrow(
      /ledger .* belongs to deployment one, the configuration to lost/,
    );
  });

  it.each(STORE_NAMES)('a %s of another deployment stops the start', async (store) => {
    await expect(starts({ ...one.config, [store]: other.config[store] })).rejects.toMatchObject({
      code: 'configuration',
      message: expect.stringMatching(/belongs to deployment other, the configuration to one/),
    });
    await starts(one.config);
  });

  it('a process that has one store alone looks at that one', async () => {
    const none = { vault: 'none:', ppks: 'none:' };
    await starts({ ...one.config, ...none });
    await expect(starts({ ...one.config, ...none, deployment: 'lost' })).rejects.toThrow(/belongs to/);
  });

  it.each<[StoreName, RegExp]>([
    ['ledger', /the ledger of deployment gone is missing: .* smdpf restore put/],
    ['vault', /the vault of deployment gone is missing: .* smdpf restore put/],
    ['ppks', /the PPK vault of deployment gone is missing: .* smdpf restore run/],
  ])('a missing %s beside the others stops the start, with the way out', async (store, message) => {
    const deployment = await Deployment.create({ config: { deployment: 'gone' } });
    await deployment.runtime.close();
    for (const end of ['', '-wal', '-shm'])
      await rm(fileOf(deployment.config[store]) + end, { recursive: true, force: true });
    for (let start = 0; start < 2; start++)
      await expect(starts(deployment.config)).rejects.toMatchObject({ code: 'configuration', message });
    // what puts it back may do without it
    await (await openRuntime(deployment.config, { mayLack: [store] })).close();
    await rm(deployment.folder, { recursive: true });
  });

  it('a first start that dies at any store call is made up for by the next one', async () => {
    for (let call = 1, alive = false; !alive; call++) {
      for (const when of ['before', 'after'] as const) {
        const folder = `${one.folder}/first-${call}-${when}`;
        const stores = {
          ledger: await openLedger('sqlite::memory:'),
          vault: await openVault(`file:${folder}/vault`, transfers),
          ppks: await openPpkVault(`file:${folder}/ppks`),
        };
        const mortal = dying(stores, call, when);
        const form = new StoredForm(mortal.ledger, Date.now);
        const begin = () => form.begin();
        alive = await requireIdentity(mortal, { ...one.config, deployment: 'first' }, { begin }).then(
          () => true,
          () => false,
        );
        if (!alive) count('crashes', 1);
        form.close();
        // whoever comes next is the same deployment, or finds nothing that is another's
        await requireIdentity(stores, { ...one.config, deployment: 'first' });
        const found = await readIdentities(stores);
        expect(STORE_NAMES.map((store) => found[store]?.complete)).toEqual([true, true, true]);
        await expect(requireIdentity(stores, one.config)).rejects.toThrow(/belongs to deployment first/);
        await stores.ledger.close();
      }
    }
  });

  it('two deployments that start on the same stores at once: one of them has them', async () => {
    const stores = {
      ledger: await openLedger('sqlite::memory:'),
      vault: await openVault(`file:${one.folder}/twice/vault`, transfers),
      ppks: await openPpkVault(`file:${one.folder}/twice/ppks`),
    };
    const ends = await Promise.allSettled(
      ['left', 'right'].map((deployment) => requireIdentity(stores, { ...one.config, deployment })),
    );
    expect(ends.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const found = await readIdentities(stores);
    expect(new Set(STORE_NAMES.map((store) => found[store]?.deployment)).size).toBe(1);
    await stores.ledger.close();
  });
});

/** The stores as a process has them that dies before or after its n-th call to any of them. */
function dying<Stores extends Required<OwnStores>>(
  stores: Stores,
  last: number,
  when: 'before' | 'after',
): Stores {
  let calls = 0;
  const wrap = <Store extends object>(store: Store): Store =>
    new Proxy(store, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name, target);
        if (typeof member !== 'function') return member;
        return async (...args: unknown[]) => {
          const call = ++calls;
          if (call > last || (call === last && when === 'before')) throw new Error('dead');
          const result: unknown = await Reflect.apply(member, target, args);
          if (call >= last) throw new Error('dead');
          return result;
        };
      },
    });
  return { ...stores, ledger: wrap(stores.ledger!), vault: wrap(stores.vault!), ppks: wrap(stores.ppks!) };
}
