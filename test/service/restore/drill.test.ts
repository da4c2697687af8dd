import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openLedger } from '../../../shared/ledger/open.ts';
import { openRuntime, type Runtime } from '../../../shared/runtime.ts';
import type { RuntimeConfig } from '../../../shared/runtime-config.ts';
import type { BppAnswer } from '../../../shared/service/api/esbpp.ts';
import { euiccRecord } from '../../../shared/service/records/euicc.ts';
import { ledgerKeys } from '../../../shared/service/records/keys.ts';
import { planRestore, type RestoreResult, restore } from '../../../shared/service/restore/restore.ts';
import { openPpkVault, openVault } from '../../../shared/vault/open.ts';
import type { PersonalisedEuicc } from '../../../sim/index.ts';
import { count } from '../../support/counts.ts';
import { caller, DEVICE_MAKER, Deployment, EUM, OPERATOR } from '../../support/deployment.ts';
import { effort } from '../../support/effort.ts';
import { MortalProcess } from '../mortal.ts';
import {
  outcomesOf,
  positionsOf,
  prepare,
  Request,
  register,
  registered,
  shareOf,
  triplesOf,
} from '../scenario.ts';
import { backUp, putBack } from './backup.ts';

/**
 * The drill: bind, back up, go on, restore the backup, run the restore, go on again. Everything that was answered since
 * the backup must be answered alike, and nothing that was spent since may be spent again (I9).
 */
/** Store calls between two deaths that each have a ledger of their own; odd, so that both ways to die come up. */
const STRIDE = effort({ short: 85, long: 17 });
const SHARE_MAKER = caller('2.999.51', 'deviceMaker');

let deployment: Deployment;
/** What was asked before and after the backup, with the answers of then. */
const asked: { name: string; request: Request; answer: BppAnswer }[] = [];
let early: PersonalisedEuicc[];
let late: PersonalisedEuicc[];
let closed: PersonalisedEuicc;
const folders: string[] = [];

const ask = async (name: string, request: Request) => {
  let answer = await request.send(deployment.runtime);
  for (const end = Date.now() + 30_000; answer.state === 'Pending' && Date.now() < end; ) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    answer = await request.fetch(deployment.runtime);
  }
  asked.push({ name, request, answer });
};
const itemsFor = (euiccs: readonly PersonalisedEuicc[]) => euiccs.map(({ eid }) => ({ eid }));

beforeAll(async () => {
  deployment = await Deployment.create({ config: { packSize: 4, chunkSize: 2, inlineOrder: 100 } });
  await prepare(deployment, 'OLD', 12, { shares: { [DEVICE_MAKER.identifier]: 11 } });
  await prepare(deployment, 'CANCELLED', 2);
  early = await registered(deployment, 7, { keys: 2 });
  closed = (await registered(deployment, 1))[0]!;
  await deployment.runtime.services.parties.add(
    SHARE_MAKER.fingerprint,
    { identifier: SHARE_MAKER.identifier, role: 'deviceMaker' },
    'test',
  );
  await ask('before', new Request('OLD', itemsFor(early.slice(0, 1))));
  await deployment.runtime.audit.chain();
  await backUp(deployment);

  const { runtime } = deployment;
  const { services } = runtime;
  await ask('one at once', new Request('OLD', itemsFor(early.slice(1, 2))));
  // its second item is refused, and gives its position back, which the next request draws
  const unknown = deployment.eum.personalise();
  await ask('in part refused', new Request('OLD', itemsFor([early[2]!, unknown])));
  await ask('in three chunks', new Request('OLD', itemsFor(early.slice(3, 6))));
  await ask(
    'another profile for the same eUICC',
    new Request('OLD', [{ eid: early[0]!.eid, additional: true }]),
  );
  await prepare(deployment, 'NEW', 5);
  late = await registered(deployment, 2, { keys: 2 });
  await ask('of a new order, for a new eUICC', new Request('NEW', itemsFor(late.slice(0, 1))));
  await services.ingest.closeKeys(EUM, [{ eid: closed.eid }]);
  await services.orders.cancelOrder(OPERATOR, { orderId: 'CANCELLED' });
  await services.parties.revoke(SHARE_MAKER.fingerprint, 'test');
  await runtime.trustAdministration.setPolicy({ missing: 'refuse', expired: 'accept' }, 'test');
  await runtime.audit.chain();
  await runtime.audit.archive();
  await putBack(deployment);
}, 120_000);

afterAll(async () => {
  await deployment?.close();
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

/** The stores as they are after the old ledger was put back, copied: each run restores one of its own. */
async function restoredCopy(): Promise<Pick<Deployment, 'config' | 'runtime'>> {
  const folder = await mkdtemp(join(tmpdir(), 'smdpf-restore-'));
  folders.push(folder);
  await mkdir(folder, { recursive: true });
  for (const name of ['vault', 'ppks'])
    await cp(join(deployment.folder, name), join(folder, name), { recursive: true });
  await cp(join(deployment.folder, 'ledger.sqlite.backup'), join(folder, 'ledger.sqlite'));
  const config: RuntimeConfig = {
    ...deployment.config,
    ledger: `sqlite:${join(folder, 'ledger.sqlite')}`,
    vault: `file:${join(folder, 'vault')}`,
    ppks: `file:${join(folder, 'ppks')}`,
  };
  const stores = {
    ledger: await openLedger(config.ledger),
    vault: await openVault(config.vault, { baseUrl: 'https://localhost', transferSecret: Buffer.alloc(32) }),
    ppks: await openPpkVault(config.ppks),
  };
  return { config, runtime: await openRuntime(config, { stores, keys: deployment.runtime.keys }) };
}

const run = ({ unguarded, standing }: Runtime) => restore(unguarded, standing);

/** Everything that must hold after a whole run, however many had died before it. */
async function expectReconciled(runtime: Runtime): Promise<void> {
  const { services, context, standing } = runtime;
  expect(await standing.why()).toBeUndefined();

  // what was asked before is answered as before, but for the eUICC that the ledger has yet to hear of again
  for (const { name, request, answer } of asked) {
    if (name === 'of a new order, for a new eUICC') continue;
    expect([name, await request.fetch(runtime)]).toEqual([name, answer]);
    expect([name, await request.send(runtime)]).toEqual([name, answer]);
  }
  const newOne = asked.find(({ name }) => name === 'of a new order, for a new eUICC')!;
  expect((await newOne.request.fetch(runtime)).failed).toMatchObject([{ code: 'eidUnknown' }]);
  await register({ ...deployment, runtime } as Deployment, late);
  expect(await newOne.request.send(runtime)).toEqual(newOne.answer);

  // every position of every order is in one place
  for (const [orderId, quantity] of [
    ['OLD', 12],
    ['NEW', 5],
  ] as const) {
    const { supply, returned, bound } = await positionsOf(runtime, orderId);
    const all = [...supply, ...returned, ...bound].sort((a, b) => a - b);
    expect([orderId, all]).toEqual([orderId, Array.from({ length: quantity }, (_, i) => i)]);
  }

  // what is asked anew gets nothing that anybody had
  const spent = new Set(
    asked.flatMap(({ answer }) => triplesOf(answer).flatMap((one) => one.split(' ').slice(1))),
  );
  const again = [
    await new Request('OLD', itemsFor([early[6]!])).send(runtime),
    await new Request('OLD', [{ eid: early[1]!.eid, additional: true }]).send(runtime),
    await new Request('NEW', itemsFor([late[1]!])).send(runtime),
    await new Request('NEW', [{ eid: late[0]!.eid, additional: true }]).send(runtime),
  ];
  const triples = again.flatMap(triplesOf);
  expect(triples).toHaveLength(4);
  for (const triple of triples) {
    const [, iccid, keyId] = triple.split(' ') as [string, string, string];
    expect(spent.has(iccid)).toBe(false);
    // key identifiers are unique in this run: the simulator draws them at random
    expect(spent.has(keyId)).toBe(false);
  }
  const keysGone = await new Request('OLD', [{ eid: early[0]!.eid, additional: true }]).send(runtime);
  expect(outcomesOf(keysGone)).toEqual(['oneTimeKeyUnavailable']);
  // the share of 11 counts what was drawn since the backup: 1 + 1 + 1 + 3 + 1 before, 2 now
  const many = await registered({ ...deployment, runtime } as Deployment, 2);
  expect(outcomesOf(await new Request('OLD', itemsFor(many)).send(runtime))).toEqual(['bound', 'bound']);
  const share = await shareOf(context.ledger, 'OLD', DEVICE_MAKER.identifier);
  expect(share.drawn - share.returned).toBe(11 + share.inLanes);

  // what was taken away stays away
  const { keys } = euiccRecord.from((await context.ledger.get(ledgerKeys.euicc(closed.eid)))!);
  expect(keys.map(({ state }) => state)).toEqual(['closed']);
  expect(await services.orders.getOrderStatus(OPERATOR, { orderId: 'CANCELLED' })).toMatchObject({
    state: 'Cancelled',
  });
  await expect(
    runtime.services.parties.identify({
      fingerprint: SHARE_MAKER.fingerprint,
      notBeforeMs: 0,
      notAfterMs: Number.MAX_SAFE_INTEGER,
    }),
  ).rejects.toMatchObject({
    code: 'requesterNotAllowed',
  });

  // the audit log goes on where its archive ends, and tells of the restore
  await runtime.audit.chain();
  const problems = [];
  for await (const { sequence, problem } of runtime.audit.verify())
    if (problem !== undefined) problems.push({ sequence, problem });
  expect(problems).toEqual([]);
  let restores = 0;
  for await (const { event } of runtime.audit.lines()) if (event === 'ledger.restored') restores += 1;
  expect(restores).toBeGreaterThanOrEqual(1);
}

describe('a restored ledger', { tags: ['I9'] }, () => {
  it('is reconciled from the vault: nothing is bound twice, and repeats are answered alike', async () => {
    const { runtime } = await restoredCopy();
    expect(await planRestore(runtime.unguarded, runtime.standing)).toMatchObject({
      frozen: expect.stringMatching(/restored/),
      commits: 6,
      jobs: 1,
      orders: 1,
    });
    const result: RestoreResult = await run(runtime);
    expect(result).toMatchObject({
      orders: { restored: 1, closed: [] },
      jobs: 1,
      commits: 6,
      bound: 7,
      positions: { closed: 0 },
      problems: [],
      twice: [],
    });
    expect(result.toRepeat.map(({ event }) => event)).toEqual(['trust.policy.set']);
    await expectReconciled(runtime);
    // a second run finds a ledger that is not frozen
    await expect(run(runtime)).rejects.toMatchObject({ code: 'configuration' });
  });

  it('whose PPK vault is lost has its unbound profiles closed, and is reconciled all the same', async () => {
    const copy = await restoredCopy();
    const folder = copy.config.ppks.slice('file:'.length);
    await rm(folder, { recursive: true });
    await mkdir(join(folder, 'packs'), { recursive: true });
    await mkdir(join(folder, 'tmp'), { recursive: true });
    const { runtime } = copy;
    const result = await run(runtime);
    expect(result).toMatchObject({ commits: 6, bound: 7, problems: [], twice: [] });
    expect(result.positions.closed).toBeGreaterThan(0);
    const { counts } = await runtime.services.orders.getOrderStatus(OPERATOR, { orderId: 'OLD' });
    expect(counts.Available).toBeUndefined();
    const answer = await new Request('OLD', itemsFor([early[6]!])).send(runtime);
    expect(outcomesOf(answer)).toEqual(['profileTypeExhausted']);
  });

  it('is reconciled by the next run after one that died at any store call, and frozen until then', async () => {
    const whole = await MortalProcess.start(await restoredCopy());
    await whole.run(run);
    const { calls } = whole;
    expect(calls).toBeGreaterThan(100);
    // afresh for some calls; and one ledger whose every restore dies a call later than the one before
    for (let call = 1; call <= calls; call += STRIDE) {
      const copy = await restoredCopy();
      const died = await MortalProcess.start(copy, { call, when: call % 2 === 0 ? 'before' : 'after' });
      const result = await died.run(run);
      if (result === undefined) count('crashes', 1);
      const why = await copy.runtime.standing.why();
      if (result === undefined && call < calls - 2) expect([call, why]).toEqual([call, expect.any(String)]);
      if (why !== undefined) await run(copy.runtime);
      await expectReconciled(copy.runtime);
    }
    const copy = await restoredCopy();
    for (let call = 1; ; call++) {
      const died = await MortalProcess.start(copy, { call, when: call % 3 === 0 ? 'before' : 'after' });
      if ((await died.run(run)) !== undefined) break;
      count('crashes', 1);
      if ((await copy.runtime.standing.why()) === undefined) break;
    }
    expect(await copy.runtime.standing.why()).toBeUndefined();
    await expectReconciled(copy.runtime);
  }, 600_000);
});
