import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { illSpace } from '../../../cli/server/disk-space.ts';
import { Fault } from '../../../shared/errors.ts';
import type { KeyProvider, Slowed } from '../../../shared/keys/provider.ts';
import { KeyRegistry } from '../../../shared/keys/registry.ts';
import { ownChecks, Probes } from '../../../shared/service/inventory/health.ts';
import { observe, observedLine, observeStock } from '../../../shared/service/inventory/observe.ts';
import { SlowedKeys } from '../../../shared/service/keys/slowed-keys.ts';
import { ledgerKeys } from '../../../shared/service/records/keys.ts';
import { parkedNotice } from '../../../shared/service/records/notice.ts';
import { Deployment } from '../../support/deployment.ts';
import { prepare } from '../scenario.ts';

let deployment: Deployment;
beforeAll(async () => {
  deployment = await Deployment.create({ memory: true });
  await prepare(deployment, 'HEALTH', 5);
});
afterAll(() => deployment?.close());

describe('probes', () => {
  it('run once in five seconds however many ask, those of keys once in thirty', async () => {
    let now = 0;
    const asked: Record<string, number> = {};
    const ask = (name: string) => async () => {
      asked[name] = (asked[name] ?? 0) + 1;
      return undefined;
    };
    const probes = new Probes(() => now);
    const checks = { keys: ask('keys'), vault: ask('vault') };
    await Promise.all(Array.from({ length: 50 }, () => probes.look(checks)));
    expect(asked).toEqual({ keys: 1, vault: 1 });
    now = 5_001;
    await probes.look(checks);
    expect(asked).toEqual({ keys: 1, vault: 2 });
    now = 30_001;
    await probes.look(checks);
    expect(asked).toEqual({ keys: 2, vault: 3 });
  });

  it('one that hangs is ill after five seconds, is not begun again, and the next answer comes at once', async () => {
    vi.useFakeTimers();
    try {
      let begun = 0;
      const { promise, resolve } = Promise.withResolvers<undefined>();
      const probes = new Probes(() => Date.now());
      const checks = {
        vault: () => {
          begun += 1;
          return promise;
        },
      };
      const first = probes.look(checks);
      await vi.advanceTimersByTimeAsync(5_000);
      const late = { name: 'vault', state: 'ill', problem: 'gave no answer in 5 s' };
      expect(await first).toEqual({ ready: false, checks: [late] });
      await vi.advanceTimersByTimeAsync(60_000);
      expect((await probes.look(checks)).checks).toEqual([late]);
      expect(begun).toBe(1);
      resolve(undefined);
      await vi.advanceTimersByTimeAsync(5_001);
      expect((await probes.look(checks)).ready).toBe(true);
      expect(begun).toBe(2);
    } finally {
      vi.useRealTimers();
    }
  });

  it('a full disk is not ready, by its system code and without a path', async () => {
    const full = async () => {
      throw Object.assign(new Error('ENOSPC: no space left on device, write /secret'), { code: 'ENOSPC' });
    };
    const { ready, checks } = await new Probes(() => 0).look({ disk: full, vault: async () => undefined });
    expect(ready).toBe(false);
    expect(checks).toEqual([
      { name: 'disk', state: 'ill', problem: 'failed: ENOSPC' },
      { name: 'vault', state: 'ok' },
    ]);
    const stores = {
      ledger: `sqlite:${deployment.folder}/ledger.sqlite`,
      vault: `file:${deployment.folder}`,
    };
    expect(await illSpace(stores, 1)).toBeUndefined();
    expect(await illSpace(stores, Number.MAX_SAFE_INTEGER)).toMatch(/^ledger: \d+ MiB left; vault: /);
  });

  it('tell the words of an error of ours, and of no other', async () => {
    const fails = async () => {
      throw new Fault('keyProvider', 'the token is not there');
    };
    const { checks } = await new Probes(() => 0).look({ keys: fails });
    expect(checks).toMatchObject([{ problem: 'the token is not there' }]);
  });
});

describe('the health of a deployment', () => {
  it('asks keys, ledger, revocation lists, callbacks and clock', async () => {
    const health = await deployment.runtime.services.inventory.getHealth();
    expect(health.checks.map(({ name }) => name)).toEqual(['keys', 'ledger', 'CRLs', 'callbacks', 'clock']);
    expect(health.ready).toBe(true);
  });

  it('says which is ill: callbacks that were given up, a ledger that cannot be written', async () => {
    const { context, trust, keyInventory } = deployment.runtime;
    const parked = {
      orderId: 'HEALTH',
      url: 'https://operator.example.com/',
      content: '{}',
      createdAt: context.now(),
      attempts: 36,
      dueAt: context.now(),
      parkedAt: context.now(),
    };
    const key = ledgerKeys.parkedNotice('HEALTH#1');
    await context.ledger.write({ put: key, attributes: parkedNotice.to(parked), when: 'absent' });
    const dead = new Proxy(context.ledger, {
      get(target, name) {
        const member: unknown = Reflect.get(target, name, target);
        if (name === 'write') return () => Promise.reject(new Fault('ledger', 'the disk is full'));
        return typeof member === 'function' ? member.bind(target) : member;
      },
    });
    const checks = ownChecks({ ...context, ledger: dead }, trust, keyInventory);
    const health = await new Probes(() => 0).look(checks);
    expect(health.ready).toBe(false);
    expect(health.checks.filter(({ state }) => state === 'ill')).toEqual([
      { name: 'ledger', state: 'ill', problem: 'the disk is full' },
      { name: 'callbacks', state: 'ill', problem: '1 were given up: `smdpf callbacks`' },
    ]);
    const item = await context.ledger.get(key);
    await context.ledger.write({ remove: key, when: { revision: item?.revision ?? 0 } });
  });
});

describe('slow keys', () => {
  it('a use that takes more than half a second is told of, and a fast one is not', async () => {
    const slowed: Slowed[] = [];
    let clock = 0;
    const spy = vi.spyOn(performance, 'now').mockImplementation(() => clock);
    const takes: number[] = [700, 20];
    const provider = {
      scheme: 'pkcs11',
      describe: async () => ({ algorithm: 'ecdsa-p256', identity: 'k' }),
      publicKey: async () => new Uint8Array(91),
      sign: async () => {
        clock += takes.shift() ?? 0;
        return new Uint8Array(64);
      },
    };
    try {
      const registry = new KeyRegistry(
        { pkcs11: async () => provider as never as KeyProvider },
        undefined,
        (one) => slowed.push(one),
      );
      const key = await registry.openSigningKey('pkcs11:token=op;object=dppb', 'binding');
      for (let n = 0; n < 2; n++) await key.sign(new Uint8Array(32) as never);
      expect(slowed).toEqual([
        { call: 'sign', keyId: 'pkcs11:token=op;object=dppb', reason: 'slow', wait: 700 },
      ]);
    } finally {
      spy.mockRestore();
    }
  });

  it('stand in the overview and in the figures for 15 minutes, whichever process was slowed', async () => {
    const { context, trust, services } = deployment.runtime;
    const slowed = new SlowedKeys(() => undefined, context.ledger, context.now);
    for (let n = 0; n < 3; n++) slowed.add({ call: 'sign', keyId: 'dppb', reason: 'throttled', wait: 40 });
    await slowed.close();
    const { slowKeys, health } = await services.inventory.getOverview();
    expect(slowKeys).toMatchObject([
      { key: 'dppb', call: 'sign', reason: 'throttled', times: 3, waitedMs: 120 },
    ]);
    const figure = async (afterMs: number) => {
      const now = () => context.now() + afterMs;
      const measures = await observe({ ...context, now }, trust, [], health);
      return measures.find(({ metric }) => metric === 'smdpf_slow_keys')?.value;
    };
    expect(await figure(0)).toBe(1);
    expect(await figure(16 * 60_000)).toBe(0);
  });
});

describe('figures', () => {
  it('tell stock, open work, callbacks and what ends, and one line of the log tells them for AWS', async () => {
    const { context, trust, services } = deployment.runtime;
    const health = await services.inventory.getHealth();
    const measures = [...(await observe(context, trust, [], health)), ...(await observeStock(context))];
    const value = (metric: string, label?: string) =>
      measures.find(
        (one) => one.metric === metric && (label === undefined || Object.values(one.labels).includes(label)),
      )?.value;
    expect(value('smdpf_profiles', 'Available')).toBe(5);
    expect(value('smdpf_orders', 'Open')).toBe(1);
    expect(value('smdpf_ready')).toBe(1);
    expect(value('smdpf_ends_seconds', 'dppb')).toBeGreaterThan(86_400);
    expect(value('smdpf_one_time_keys_short')).toBe(0);
    expect(observedLine(measures)).toMatchObject({
      profilesAvailable: 5,
      oneTimeKeysShort: 0,
      event: 'state.observed',
      ready: true,
      openWork: 0,
      callbacksWaiting: 0,
      firstEndSeconds: expect.any(Number),
    });
    const ill = { ready: false, checks: [{ name: 'CRLs', state: 'ill', problem: 'old' }] } as const;
    expect(observedLine(await observe(context, trust, [], ill))).toMatchObject({ ready: false, ill: 'CRLs' });
  });
});
