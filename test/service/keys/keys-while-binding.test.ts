import { randomUUID } from 'node:crypto';
import { readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest';
import { toHex } from '../../../shared/codec/bytes.ts';
import { bppAnswer } from '../../../shared/gsma/bpp-answer.ts';
import { callFailure } from '../../../shared/gsma/failure.ts';
import { loadCryptoki } from '../../../shared/keys/pkcs11/module.ts';
import type { KeyUse } from '../../../shared/keys/registry.ts';
import { decodeCertificate } from '../../../shared/pki/certificate.ts';
import { decodeBoundProfilePackage } from '../../../shared/rsp/bound-profile-package.ts';
import { verifySmdpSign } from '../../../shared/rsp/initialise-secure-channel.ts';
import type { RuntimeOptions } from '../../../shared/runtime.ts';
import type { RuntimeConfig } from '../../../shared/runtime-config.ts';
import type { BppAnswer } from '../../../shared/service/api/esbpp.ts';
import { decodeBppBatch, Factory, type PersonalisedEuicc, SoftEuicc } from '../../../sim/index.ts';
import { faultProxy } from '../../keys/fault-proxy.ts';
import { kmsEndpoint, useEmulatorCredentials } from '../../keys/kms-emulator.ts';
import { freshSoftHsm } from '../../keys/softhsm.ts';
import { chainedAuditLines } from '../../support/audit.ts';
import { count } from '../../support/counts.ts';
import { Deployment } from '../../support/deployment.ts';
import { effort } from '../../support/effort.ts';
import { auditLines, boundOf, prepare, Request, registered, triplesOf } from '../scenario.ts';

interface LogLine {
  readonly event: string;
  readonly about: Readonly<Record<string, unknown>>;
}

let deployment: Deployment;
let logged: LogLine[];
afterEach(() => deployment.close());

async function deploy(config: Partial<RuntimeConfig>, options: RuntimeOptions = {}): Promise<void> {
  logged = [];
  deployment = await Deployment.create({
    // whole batches inline, so that every package can be looked at
    config: { inlineLimit: 1e9, ...config },
    log: ({ event, ...about }) => logged.push({ event, about }),
    ...options,
  });
}

const events = (event: string) => logged.filter((line) => line.event === event);

/** A key for binding with a certificate of the CI, to be taken into use. */
async function makeBindingKey(uri: string): Promise<() => Promise<unknown>> {
  const { keys, trustAdministration } = deployment.runtime;
  await keys.generate(uri, 'ecdsa-p256', 'binding');
  const { publicKey } = await keys.openSigningKey(uri, 'binding');
  const certificate = deployment.ci.issueDpPb({ spki: publicKey }, { oid: '2.999.10' });
  return () =>
    trustAdministration.installDpPb(
      { keyUri: uri, ciPkId: deployment.ci.keyId, certificates: [certificate] },
      'test',
    );
}

/** The same, into use at once. */
const installBindingKey = async (uri: string) => (await makeBindingKey(uri))();

async function done(request: Request, onPending: (answer: BppAnswer) => Promise<void> | void = () => {}) {
  for (;;) {
    const answer = await request.fetch(deployment.runtime);
    if (answer.state === 'Done') return answer;
    await onPending(answer);
    await sleep(20);
  }
}

const requestFor = (orderId: string, euiccs: readonly PersonalisedEuicc[]) =>
  new Request(
    orderId,
    euiccs.map(({ eid }) => ({ eid })),
  );

function expectNoDuplicates(answer: BppAnswer): void {
  const triples = triplesOf(answer).map((triple) => triple.split(' '));
  for (const column of [0, 1, 2])
    expect(new Set(triples.map((triple) => triple[column])).size).toBe(triples.length);
}

/** Verifies every smdpSign with the certificate that the batch gives for it; returns how many each one signed. */
function signedByChain(answer: BppAnswer, euiccs: readonly PersonalisedEuicc[]): Map<number, number> {
  const { chains } = decodeBppBatch(answer.bppBatch!);
  const leaves = chains.map(({ certificates }) =>
    decodeCertificate(certificates[0]!, 'dpCertificateInvalid'),
  );
  const byEid = new Map(euiccs.map((euicc) => [euicc.eid, euicc]));
  const counts = new Map<number, number>();
  for (const { eid, bound } of boundOf(answer)) {
    const oneTimeKey = byEid.get(eid)!.oneTimeKeys.find(({ keyId }) => toHex(keyId) === toHex(bound.keyId))!;
    const { initialiseSecureChannelRequest } = decodeBoundProfilePackage(bound.bpp);
    verifySmdpSign(initialiseSecureChannelRequest, oneTimeKey.key.point, leaves[bound.chain]!.publicKey);
    counts.set(bound.chain, (counts.get(bound.chain) ?? 0) + 1);
  }
  return counts;
}

describe('the binding key and its certificate are rotated in the middle of a job', { tags: ['INO1'] }, () => {
  const ITEMS = effort({ short: 1_000, long: 5_000 });
  const LOADED = 100;

  test(`of ${ITEMS} items: nothing fails, both certificates appear, everything verifies`, {
    timeout: 240_000,
  }, async () => {
    // forty chunks, most of which begin after the rotation; and the key is there before: to make it takes as long as to bind them all
    await deploy({ chunkSize: ITEMS / 40 });
    const installKey = await makeBindingKey(`softkey:path=${join(deployment.folder, 'keys', 'dppb-2')}.key`);
    await prepare(deployment, 'ORD-1', ITEMS);
    await vi.waitFor(
      async () => {
        const { orders } = deployment.runtime.services;
        const status = await orders.getOrderStatus(
          { identifier: '2.999.60', role: 'operator', fingerprint: '' },
          { orderId: 'ORD-1', limit: 1 },
        );
        expect(status.state).toBe('Open');
      },
      { timeout: 120_000, interval: 100 },
    );
    const euiccs = await registered(deployment, ITEMS);
    const request = requestFor('ORD-1', euiccs);
    const before = (await deployment.runtime.keyInventory.list()).find(({ role }) => role === 'binding')!;
    await request.send(deployment.runtime);

    let rotated = false;
    const answer = await done(request, async ({ processed }) => {
      if (rotated || processed === 0) return;
      rotated = true;
      await installKey();
      // for a while both are active, and the newer one binds; then the old one goes
      await sleep(50);
      await deployment.runtime.trustAdministration.retireDpPb(before.certificate!.sha256, 'test');
    });
    expect(rotated).toBe(true);
    expect(answer.failed).toEqual([]);
    expect(answer.keysSlowed).toBeUndefined();
    expect(boundOf(answer)).toHaveLength(ITEMS);
    expectNoDuplicates(answer);
    count('items', ITEMS);
    const signed = signedByChain(answer, euiccs);
    expect([...signed.keys()].sort()).toEqual([0, 1]);
    expect([...signed.values()].reduce((sum, count) => sum + count, 0)).toBe(ITEMS);

    // of both certificates: the first items were bound before the rotation, the last ones after it
    const sample = new Map(
      [...euiccs.slice(0, LOADED), ...euiccs.slice(-LOADED)].map((euicc) => [
        euicc.eid,
        SoftEuicc.create(euicc, { file: join(deployment.folder, `${euicc.eid}.json`) }),
      ]),
    );
    const factory = new Factory({
      journalFile: join(deployment.folder, 'journal'),
      reader: (eid) => sample.get(eid),
    });
    await factory.load(answer.bppBatch!);
    const results = factory.outcomes.filter(({ result }) => result !== undefined);
    expect(results).toHaveLength(2 * LOADED);
    const report = factory.report(Buffer.from('0001', 'hex'), [answer.bppBatch!]);
    const { reports } = deployment.runtime.services;
    // thousands of items are work of the dispatcher
    await vi.waitFor(
      async () =>
        expect(await reports.sendProfileLoadingReport(request.by, report)).toMatchObject({
          state: 'Done',
          verified: 2 * LOADED,
          rejected: [],
        }),
      { timeout: 60_000, interval: 200 },
    );
  });
});

const endpoint = kmsEndpoint();
useEmulatorCredentials();

describe.skipIf(endpoint === undefined)(
  `KMS throttles nine of ten calls${endpoint === undefined ? ' (skipped: SMDPF_TEST_KMS_ENDPOINT names none)' : ''}`,
  () => {
    const ITEMS = 20;

    test('the job completes without duplicates and says that it was slowed', {
      timeout: 120_000,
    }, async () => {
      let throttling = false;
      const proxy = await faultProxy(endpoint!, (operation, count) =>
        throttling && operation === 'Sign' && count % 10 !== 0 ? 'ThrottlingException' : undefined,
      );
      try {
        await deploy({ chunkSize: 5 });
        await prepare(deployment, 'ORD-1', ITEMS);
        const euiccs = await registered(deployment, ITEMS);
        await installBindingKey(`awskms:alias=${randomUUID()};region=us-east-1;endpoint=${proxy.url}`);
        const signedBefore = proxy.passed.get('Sign') ?? 0;
        throttling = true;
        const request = requestFor('ORD-1', euiccs);
        await request.send(deployment.runtime);
        const answer = await done(request);

        expect(boundOf(answer)).toHaveLength(ITEMS);
        expectNoDuplicates(answer);
        expect([...signedByChain(answer, euiccs).values()]).toEqual([ITEMS]);
        expect(proxy.passed.get('Sign')! - signedBefore).toBe(ITEMS);
        // each signature that was refused was asked for again, and the answer says how often, the same each time
        const refused = proxy.seen.get('Sign')! - proxy.passed.get('Sign')!;
        expect(answer.keysSlowed).toEqual({ times: refused, waitedMs: expect.any(Number) });
        expect(bppAnswer(answer).members).toMatchObject({ keysSlowed: answer.keysSlowed });
        expect((await request.fetch(deployment.runtime)).keysSlowed).toEqual(answer.keysSlowed);
        const job = request.jobId('test');
        expect(events('job.slowed').length).toBeGreaterThan(0);
        for (const { about } of events('job.slowed'))
          expect(about).toMatchObject({ job, times: expect.any(Number), waitedMs: expect.any(Number) });
        await deployment.runtime.audit.chain();
        const items = await chainedAuditLines(deployment.runtime.context.ledger);
        const slowed = items.filter(
          ({ attributes }) => Number((attributes.about as { keysSlowed?: number }).keysSlowed) > 0,
        );
        expect(slowed.map(({ attributes }) => attributes.event)).toContain('chunk.committed');
      } finally {
        await proxy.close();
      }
    });
  },
);

const hsm = freshSoftHsm();
afterAll(() => hsm.remove());

describe.skipIf(hsm.unavailable !== undefined)(
  `the token is removed in the middle of a job${hsm.unavailable === undefined ? '' : ` (skipped: ${hsm.unavailable})`}`,
  () => {
    const ITEMS = 60;
    const tokens = () => join(hsm.folder, 'tokens');
    const pulled = () => join(hsm.folder, 'pulled');

    /** SoftHSM2 looks for its tokens when it is initialised: pulling a token ends its sessions, as with hardware. */
    function pull(): void {
      const [name] = readdirSync(tokens());
      renameSync(join(tokens(), name!), pulled());
      loadCryptoki(hsm.modulePath).library.C_Finalize();
    }

    function putBack(): void {
      renameSync(pulled(), join(tokens(), 'back'));
      loadCryptoki(hsm.modulePath).library.C_Finalize();
    }

    test('its items wait and go on when it is back; a just-in-time request gets a code', {
      timeout: 120_000,
    }, async () => {
      let signs = 0;
      // one signature at a time, so that none is under way in the library while it is ended
      const onKeyUse = ({ operation, role, outcome }: KeyUse) => {
        if (operation !== 'sign' || role !== 'binding' || outcome !== 'done') return;
        signs += 1;
        if (signs === ITEMS / 2) pull();
      };
      await deploy({ chunkSize: 10, signConcurrency: 1 }, { onKeyUse });
      await prepare(deployment, 'ORD-1', ITEMS + 1);
      const euiccs = await registered(deployment, ITEMS + 1);
      await installBindingKey(hsm.uri('dppb'));
      const request = requestFor('ORD-1', euiccs.slice(0, ITEMS));
      await request.send(deployment.runtime);

      await vi.waitFor(
        () => expect(events('task.failed').map(({ about }) => about.code)).toContain('keyProvider'),
        { timeout: 30_000 },
      );
      expect((await request.fetch(deployment.runtime)).state).toBe('Pending');
      const single = requestFor('ORD-1', euiccs.slice(ITEMS));
      await expect(single.send(deployment.runtime)).rejects.toMatchObject({
        code: 'keyProvider',
        retryable: true,
      });

      putBack();
      const answer = await done(request);
      expect(boundOf(answer)).toHaveLength(ITEMS);
      expectNoDuplicates(answer);
      expect([...signedByChain(answer, euiccs).values()]).toEqual([ITEMS]);
      expect(events('task.givenUp')).toEqual([]);
      expect(boundOf(await single.send(deployment.runtime))).toHaveLength(1);
      expect(await auditLines(deployment.runtime, 'chunk.committed', { job: request.jobId('test') })).toBe(
        ITEMS / 10,
      );
    });

    test('absent at the start: binding waits, everything else goes on, and it recovers without a restart', {
      timeout: 120_000,
    }, async () => {
      await deploy({ chunkSize: 10 });
      await prepare(deployment, 'ORD-1', 4);
      const [first, second, third] = await registered(deployment, 3);
      await installBindingKey(hsm.uri('at-start'));
      const earlier = requestFor('ORD-1', [first!]);
      const answered = await earlier.send(deployment.runtime);

      pull();
      await deployment.reopen({ log: ({ event, ...about }) => logged.push({ event, about }) });
      const { runtime } = deployment;
      const waiting = requestFor('ORD-1', [second!]);
      const refused = await waiting.send(runtime).catch((error: unknown) => error);
      expect(callFailure(refused, () => 'incident')).toMatchObject({
        statusCodeData: { subjectCode: '1.2', reasonCode: '5.1' },
      });
      expect(await runtime.keyInventory.check()).toMatchObject([
        { role: 'binding', uri: hsm.uri('at-start'), problem: expect.stringContaining('token') },
      ]);
      expect(events('alarm.key.unusable')).toHaveLength(1);

      // what needs no signature of that token is not held up: new eUICCs, an earlier answer
      const [another] = await registered(deployment, 1);
      expect(await earlier.send(runtime)).toEqual(answered);
      expect((await runtime.trust.current()).problems).toEqual([]);

      putBack();
      expect(boundOf(await waiting.send(runtime))).toHaveLength(1);
      expect(await runtime.keyInventory.check()).toEqual([]);
      const later = requestFor('ORD-1', [third!, another!]);
      expect(boundOf(await later.send(runtime))).toHaveLength(2);
    });

    test('another key under the name of the one that was certified signs nothing', async () => {
      await deploy({ chunkSize: 10 });
      await prepare(deployment, 'ORD-1', 1);
      const [euicc] = await registered(deployment, 1);
      const uri = `softkey:path=${join(deployment.folder, 'keys', 'swapped')}.key`;
      const path = join(deployment.folder, 'keys', 'swapped.key');
      await installBindingKey(uri);
      renameSync(path, `${path}-certified`);
      await deployment.reopen({ log: ({ event, ...about }) => logged.push({ event, about }) });
      await deployment.runtime.keys.generate(uri, 'ecdsa-p256', 'binding');
      const request = requestFor('ORD-1', [euicc!]);
      await expect(request.send(deployment.runtime)).rejects.toMatchObject({
        code: 'keyProvider',
        retryable: true,
        message: expect.stringMatching(
          /\(SKI [0-9a-f]{40}\) is not the key of its certificate \(SKI [0-9a-f]{40}\)/,
        ),
      });
      expect(await deployment.runtime.keyInventory.check()).toMatchObject([{ role: 'binding', uri }]);

      renameSync(`${path}-certified`, path);
      await deployment.reopen();
      const answer = await request.send(deployment.runtime);
      expect([...signedByChain(answer, [euicc!]).values()]).toEqual([1]);
    });
  },
);
