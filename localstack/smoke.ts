import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { compactDecrypt } from 'jose';
import { DemoRecord } from '../cli/demo/steps.ts';
import { auditPersonalisation } from '../shared/profile/package/audit.ts';
import { ownTemplate } from '../shared/profile/package/template/own-profile.ts';
import { openRuntime } from '../shared/runtime.ts';
import { jobIdOf } from '../shared/service/records/transaction-id.ts';
import {
  decodeBppBatch,
  encodeBppRequest,
  Factory,
  type PersonalisedEuicc,
  SoftEuicc,
} from '../sim/index.ts';
import { type EmulatedWorld, MAKER_ID, openEmulatedWorld } from './emulated-world.ts';
import { orderEncrypted } from './encrypted-order.ts';
import { invoke, mapRunOf } from './map-runs.ts';
import { type Outputs, readOutputs } from './outputs.ts';

/**
 * The flow of SGP.41 over HTTP against a stack that an emulator of AWS runs: order, eUICC data by presigned upload,
 * just-in-time binding, a job of 500 through the distributed map, loading by simulators, report, callbacks. What
 * counts is what comes back and holds, never a status.
 */
const ORDERED = 1_100;
const JOB_ITEMS = 500;
/** Devices that load their profile. */
const LOADED = 20;
/** Time for a map that an emulator should run by itself. */
const MAP_TIMEOUT_MS = 120_000;

const run = randomBytes(4).toString('hex');
const orderId = `SMOKE-${run}`;
const record = new DemoRecord((text) => console.log(text));

async function smoke(outputs: Outputs): Promise<void> {
  const runtime = await openRuntime(outputs.runtime, { lanes: 'none' });
  const world = await openEmulatedWorld(outputs, runtime);
  try {
    await refuseStranger(world);
    const rows = await order(world, outputs);
    await orderEncrypted(record, world, run);
    const euiccs = await registerEuiccs(world);
    const first = await bindOne(world, euiccs[0]!);
    const batch = await bindJob(world, outputs, euiccs.slice(1));
    await repeatChunk(batch);
    await load(world, euiccs, [first, batch.octets], rows);
    await chainAudit();
    for await (const { problem } of runtime.audit.verify()) assert.equal(problem, undefined);
  } finally {
    await world.callbacks.stop();
    await runtime.close();
  }
}

async function refuseStranger({ stranger }: EmulatedWorld): Promise<void> {
  const { httpStatus } = await stranger.client.call('esbpp', 'getBppBatch', { requestId: '00' });
  assert.equal(httpStatus, 403);
  console.log('[    -] a certificate that nobody registered: HTTP 403');
}

async function order(
  { operator, callbacks, outputKey }: EmulatedWorld,
  outputs: Outputs,
): Promise<Map<string, Record<string, string>>> {
  const input = {
    orderId,
    profileType: 'smoke',
    quantity: ORDERED,
    requesterDms: [MAKER_ID],
    template: ownTemplate(),
    personalisation: {
      iccidStart: `8900${String(Number.parseInt(run, 16)).padStart(10, '0')}0000`,
      imsiStart: '001010000000001',
      keys: 'generate',
    },
    eligibility: {},
    metadata: {
      serviceProviderName: 'Smoke',
      profileName: 'In-factory profile',
      profileClass: 'operational',
    },
    outputKey: outputKey.jwk,
    callbackUrl: callbacks.url,
  };
  await record.step(
    '1',
    'ES2f',
    'The Operator orders profiles; the map prepares the packs',
    async () => {
      let answer = await operator.prepareProfiles(input);
      const deadline = Date.now() + MAP_TIMEOUT_MS;
      while (answer.state === 'Preparing' && Date.now() < deadline) {
        await pause(500);
        answer = await operator.getOrderStatus(orderId, { limit: 1 });
      }
      assert.equal(answer.state, 'Open');
      return { answer, map: await mapRunOf(outputs.stateMachine, 'order', orderId) };
    },
    ({ answer, map }) => `${answer.prepared} prepared; ${JSON.stringify(map)}`,
  );
  const rows = new Map<string, Record<string, string>>();
  for (let pack = 0, packs = 1; pack < packs; pack++) {
    const output = await operator.client.execute('es2f', 'getOrderOutput', { orderId, pack });
    packs = Number(output.packs);
    const { plaintext } = await compactDecrypt(String(output.jwe), outputKey.privateKey);
    for (const line of Buffer.from(plaintext).toString('utf8').trim().split('\n')) {
      const row = JSON.parse(line) as Record<string, string>;
      rows.set(row.iccid!, row);
    }
  }
  assert.equal(rows.size, ORDERED);
  return rows;
}

function registerEuiccs({ eum, eumClient }: EmulatedWorld): Promise<PersonalisedEuicc[]> {
  return record.step(
    '3',
    'Esed1',
    'The EUM sends eUICC data by presigned upload',
    async () => {
      const euiccs = Array.from({ length: JOB_ITEMS + 1 }, () => eum.personalise());
      const batch = eum.euiccDataBatch(euiccs, { deviceManufacturers: [MAKER_ID] });
      const sha256 = createHash('sha256').update(batch).digest('hex');
      const { client } = eumClient;
      const opened = await client.execute('esed1', 'openTransfer', {
        purpose: 'euiccData',
        size: batch.length,
        sha256,
      });
      const upload = await fetch(String(opened.uploadUrl), {
        method: 'PUT',
        headers: opened.headers as Record<string, string>,
        body: Buffer.from(batch),
      });
      assert.equal(upload.status, 200);
      const answer = await client.execute('esed1', 'registerEuiccData', { transferId: opened.transferId });
      assert.deepEqual([answer.accepted, answer.rejectedCount], [euiccs.length, 0]);
      return euiccs;
    },
    (euiccs) => `${euiccs.length} accepted`,
  );
}

function bindOne({ maker }: EmulatedWorld, { eid }: PersonalisedEuicc): Promise<Uint8Array> {
  return record.step(
    '5',
    'Esbpp',
    'One profile is bound while the caller waits',
    async () => {
      const der = encodeBppRequest({ requestId: randomBytes(8), orderId, items: [{ itemId: 0, eid }] });
      const { body } = await maker.callRequestBpp(der);
      assert.equal(body.state, 'Done');
      const batch = Buffer.from(String(body.bppBatch), 'base64');
      assert.equal(decodeBppBatch(batch).items.filter(({ bound }) => bound !== undefined).length, 1);
      return batch;
    },
    ({ length }) => `${length} octets`,
  );
}

interface JobBatch {
  readonly jobId: string;
  readonly octets: Uint8Array;
  readonly request: { readonly requestId: Uint8Array; readonly orderId: string };
  readonly refetch: () => Promise<Uint8Array>;
}

function bindJob(
  { maker }: EmulatedWorld,
  outputs: Outputs,
  euiccs: readonly PersonalisedEuicc[],
): Promise<JobBatch> {
  const request = {
    requestId: randomBytes(8),
    orderId,
    items: euiccs.map(({ eid }, itemId) => ({ itemId, eid })),
  };
  const requestId = request.requestId.toString('hex');
  const jobId = jobIdOf(outputs.runtime.deployment, MAKER_ID, requestId);
  let driven = '';
  return record.step(
    '6-7',
    'Esbpp',
    `A job of ${JOB_ITEMS} is bound in chunks and pulled`,
    async () => {
      const refetch = () => maker.requestBpp(request, { timeoutMs: MAP_TIMEOUT_MS, pollMs: 500 });
      const octets = await refetch().catch(async () => {
        const chunks = Math.ceil(JOB_ITEMS / 50);
        for (let task = 0; task < chunks; task++)
          await invoke('emulated-jobs-runTask', { kind: 'job', id: jobId, task });
        driven = ' (the emulator ran no distributed map: each task was invoked from here)';
        return await refetch();
      });
      const { items } = decodeBppBatch(octets);
      const iccids = new Set(
        items.flatMap(({ bound }) => (bound === undefined ? [] : [String(bound.iccid)])),
      );
      assert.deepEqual([items.length, iccids.size], [JOB_ITEMS, JOB_ITEMS]);
      const map = await mapRunOf(outputs.stateMachine, 'job', jobId);
      return { jobId, octets, request, refetch, map };
    },
    ({ octets, map }) =>
      `${JOB_ITEMS} different profiles, ${octets.length} octets; ${JSON.stringify(map)}${driven}`,
  );
}

/** I4 where Lambda delivers a task twice, at once: the answer stays the same to the octet. */
async function repeatChunk(batch: JobBatch): Promise<void> {
  const task = { kind: 'job', id: batch.jobId, task: 0 };
  await Promise.all([invoke('emulated-jobs-runTask', task), invoke('emulated-jobs-runTask', task)]);
  assert.ok(Buffer.from(await batch.refetch()).equals(batch.octets));
  console.log('[    -] a task delivered twice more: the same answer to the octet');
}

async function load(
  { maker, field, operator, callbacks }: EmulatedWorld,
  euiccs: readonly PersonalisedEuicc[],
  batches: readonly Uint8Array[],
  rows: ReadonlyMap<string, Record<string, string>>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'smdpf-smoke-line-'));
  const cards = new Map(
    euiccs
      .slice(0, LOADED)
      .map((euicc) => [euicc.eid, SoftEuicc.create(euicc, { file: join(folder, `${euicc.eid}.json`) })]),
  );
  const factory = new Factory({
    journalFile: join(folder, 'journal.jsonl'),
    reader: (eid) => cards.get(eid),
  });
  await record.step(
    '8-12',
    'ES10f',
    `${LOADED} devices load their profile offline; the others are not on the line`,
    async () => {
      for (const batch of batches) await factory.load(batch);
      return factory.outcomes.filter(({ result }) => result !== undefined).length;
    },
    (signed) => `${signed} signed results`,
  );
  let equal = 0;
  for (const { eid, bound } of batches.flatMap((batch) => decodeBppBatch(batch).items)) {
    const upp = bound && cards.get(eid)?.installedProfile(bound.iccid);
    const row = bound && rows.get(bound.iccid);
    if (upp && row && !auditPersonalisation(upp, row).some(({ code }) => code === 'differs')) equal += 1;
  }
  assert.equal(equal, LOADED);

  await record.step(
    '13-15',
    'Esbpp',
    'The reports are verified, the large one by the map',
    async () => {
      let verified = 0;
      let noted = 0;
      for (const batch of batches) {
        const answer = await maker.sendProfileLoadingReport(factory.report(randomBytes(4), [batch]));
        assert.equal(answer.state, 'Done');
        verified += Number(answer.verified);
        noted += Number(answer.noted);
      }
      assert.deepEqual([verified, noted], [LOADED, JOB_ITEMS + 1 - LOADED]);
      return { verified, noted };
    },
    ({ verified, noted }) => `${verified} verified, ${noted} words of the FPA noted`,
  );
  await record.step(
    '15b',
    'ES9+',
    'A device sends its result from the field once more',
    async () => {
      const signed = [...cards.values()][0]!.retrieveNotifications()[0]!.signed;
      const { httpStatus } = await field.handleNotification(signed);
      assert.equal(httpStatus, 204);
    },
    () => 'HTTP 204',
  );
  await record.step(
    '16',
    'ES2f',
    'The Operator is called back, by queue and Lambda',
    async () => {
      await callbacks.waitFor(JOB_ITEMS + 1, MAP_TIMEOUT_MS);
      return new Set(callbacks.received.map(({ iccid }) => iccid)).size;
    },
    (profiles) => `${profiles} profiles told of, ${callbacks.calls} calls`,
  );
  const { counts } = (await operator.getOrderStatus(orderId, { limit: 1 })) as { counts: object };
  assert.deepEqual(counts, {
    Installed: LOADED,
    Unreported: JOB_ITEMS + 1 - LOADED,
    Available: ORDERED - JOB_ITEMS - 1,
  });
  console.log(`[    -] states add up: ${JSON.stringify(counts)}`);
}

async function chainAudit(): Promise<void> {
  const { sequence } = (await invoke('emulated-audit-chain', {})) as { sequence: number };
  assert.ok(sequence > 0);
  console.log(`[    -] audit chain of ${sequence} lines, its head locked`);
}

await smoke(readOutputs());
console.log('smoke: all of it held');
