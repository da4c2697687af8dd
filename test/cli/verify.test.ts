import { chmodSync, existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ownTemplate } from '../../shared/profile/package/template/own-profile.ts';
import { ledgerKeys } from '../../shared/service/records/keys.ts';
import { packRecord } from '../../shared/service/records/order.ts';
import { verificationRecord } from '../../shared/service/records/verification.ts';
import { scrub } from '../../shared/service/verify/scrub.ts';
import { STAGE_NAMES } from '../../shared/service/verify/verify.ts';
import { Request } from '../service/scenario.ts';
import { DEVICE_MAKER, OPERATOR } from '../support/deployment.ts';
import { SANDBOX_EUM_CALLER, SandboxFolder } from './support/sandbox-folder.ts';

interface Verdict {
  readonly holds: boolean;
  readonly looked: number;
  readonly found: number;
  readonly findings: readonly { where: string; name: string; problem: string; state: string }[];
}

let sandbox: SandboxFolder;
/** A PPK that was there before its profile was bound. */
let spent: { readonly pack: string; readonly entry: Uint8Array };

beforeAll(async () => {
  sandbox = await SandboxFolder.create();
  await sandbox.withRuntime(async (runtime) => {
    await runtime.services.orders.prepareProfiles(OPERATOR, {
      orderId: 'ORD',
      profileType: 'test',
      quantity: 6,
      requesterDms: [DEVICE_MAKER.identifier],
      template: ownTemplate(),
      personalisation: { iccidStart: '890000000000000000', keys: 'template' },
      eligibility: {},
      metadata: { serviceProviderName: 'Operator', profileName: 'Profile', profileClass: 'test' },
    });
    const item = await runtime.context.ledger.get(ledgerKeys.orderPack('ORD', 0));
    const pack = packRecord.from(item!).ppks;
    const [entry] = await runtime.context.ppks.entries(pack, [0]);
    spent = { pack, entry: entry! };
    const euiccs = [...sandbox.eum.production(2, 1)];
    const batch = sandbox.eum.euiccDataBatch(euiccs, { deviceManufacturers: [DEVICE_MAKER.identifier] });
    await runtime.services.ingest.registerEuiccData(SANDBOX_EUM_CALLER, batch);
    const answer = await new Request('ORD', [{ eid: euiccs[0]!.eid }]).send(runtime);
    expect(answer.bppBatch).toBeDefined();
  });
});
afterAll(() => sandbox.remove());

async function verdict(...args: string[]): Promise<Verdict & { code: number | null; stderr: string }> {
  const { code, stderr, json } = await sandbox.run('verify', ...args);
  return { code, stderr, ...json<Verdict & Record<string, never>>() };
}

describe('smdpf verify', () => {
  it('says how much it looked at where all holds, and leaves nothing behind', async () => {
    const before = readdirSync(sandbox.folder).sort();
    const found = await verdict();
    expect(found).toMatchObject({ code: 0, holds: true, found: 0, findings: [] });
    expect(found.looked).toBeGreaterThan(40);
    expect(readdirSync(sandbox.folder).sort()).toEqual(before);
  });

  it('finds what attempts left, and removes it with --repair', async () => {
    const attempt = '00000000-0000-4000-8000-000000000000';
    await sandbox.withRuntime(async ({ context }) => {
      await context.vault.put(`orders/ORD/packs/0-${attempt}`, new Uint8Array(10));
      await context.vault.put(`parts/${'ab'.repeat(12)}/0-${attempt}`, new Uint8Array(10));
      await context.ppks.putPack(`ORD/0/${attempt}`, new Uint8Array(0), [new Uint8Array(76).fill(1)]);
    });
    const found = await verdict();
    expect([found.code, found.holds, found.findings.map(({ state }) => state)]).toEqual([
      1,
      false,
      ['repairable', 'repairable', 'repairable'],
    ]);
    const repaired = await verdict('--repair');
    expect([repaired.code, repaired.holds, repaired.found]).toEqual([0, true, 3]);
    expect(await verdict()).toMatchObject({ code: 0, holds: true, found: 0 });
  });

  it('finds files that others can read, and closes them with --repair', async () => {
    const path = join(sandbox.folder, 'keys', 'wrapping.key');
    chmodSync(path, 0o644);
    expect((await verdict()).findings).toMatchObject([{ where: 'files', name: path, state: 'repairable' }]);
    expect(await verdict('--repair')).toMatchObject({ code: 0, holds: true });
    expect(await verdict()).toMatchObject({ found: 0 });
  });

  it('destroys a PPK that had to be destroyed and is there again', async () => {
    await sandbox.withRuntime(async ({ context: { ppks } }) => {
      const others = await ppks.entries(spent.pack, [1, 2, 3, 4, 5]);
      await ppks.destroyPack(spent.pack);
      await ppks.putPack(spent.pack, new Uint8Array(0), [spent.entry, ...others.map((one) => one!)]);
    });
    const { findings } = await verdict();
    expect(findings).toMatchObject([{ where: 'PPK vault', name: spent.pack, state: 'repairable' }]);
    await verdict('--repair');
    await sandbox.withRuntime(async ({ context: { ppks } }) => {
      const there = (await ppks.entries(spent.pack, [0, 1, 2, 3, 4, 5])).map((one) => one !== undefined);
      expect(there).toEqual([false, true, true, true, true, true]);
    });
    expect(await verdict()).toMatchObject({ code: 0, found: 0 });
  });

  it('goes on where a run was cut off', async () => {
    const journal = join(sandbox.folder, 'verify.json');
    const whole = await verdict();
    writeFileSync(journal, JSON.stringify({ stage: 'audit log', after: '', looked: 7 }), { mode: 0o600 });
    const rest = await verdict('--resume');
    expect(rest).toMatchObject({ holds: true });
    expect(rest.looked).toBeLessThan(whole.looked);
    expect(existsSync(journal)).toBe(false);
    writeFileSync(journal, 'no journal', { mode: 0o600 });
    expect((await verdict('--resume')).looked).toBe(whole.looked);
  });

  it('tells what cannot be repaired as an alarm, and exits with 1', async () => {
    await sandbox.withRuntime(async ({ context: { ledger } }) => {
      const key = ledgerKeys.orderSupply('ORD');
      const item = (await ledger.get(key))!;
      await ledger.write({
        put: key,
        attributes: { ...item.attributes, next: 0 },
        when: { revision: item.revision },
      });
    });
    const found = await verdict('--repair');
    expect(found).toMatchObject({ code: 1, holds: false, findings: [{ where: 'ledger', state: 'open' }] });
    expect(found.findings[0]!.problem).toBe('positions 0 are drawn, and may be drawn again');
    expect(found.stderr).toContain('"event":"alarm.verify.found"');
  });

  it('runs by itself, a share at a time, and raises an alarm for what it finds', async () => {
    const alarms: unknown[] = [];
    await sandbox.withRuntime(async ({ context }) => {
      const log = (record: unknown) => void alarms.push(record);
      const stages = new Set<string>();
      let rounds = 0;
      for (let ended = false; !ended; rounds++) {
        await scrub({ ...context, log }, 1);
        const record = verificationRecord.from((await context.ledger.get(ledgerKeys.verification))!);
        stages.add(record.stage);
        ended = record.endedAt !== undefined;
        expect(rounds).toBeLessThan(100);
      }
      expect(rounds).toBeGreaterThan(3);
      expect(stages.size).toBeGreaterThan(3);
      expect(STAGE_NAMES).toContain([...stages][0]);
    });
    expect(alarms).toMatchObject([{ event: 'alarm.verify.found', where: 'ledger' }]);
  });
});
