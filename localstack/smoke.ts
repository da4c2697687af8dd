import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { throwAway } from '../cli/aws/smoke/front-door.ts';
import { BEHIND_MS, type BoundJob, type SmokeSizes, SmokeSteps } from '../cli/aws/smoke/steps.ts';
import { tidy } from '../cli/aws/smoke/tidy.ts';
import { IDENTIFIERS, nothingMade, openSmokeWorld, type SmokeWorld } from '../cli/aws/smoke/world.ts';
import { readStack } from '../cli/aws/stack-description.ts';
import { DemoRecord } from '../cli/demo/steps.ts';
import { openRuntime, type Runtime } from '../shared/runtime.ts';
import { jobIdOf } from '../shared/service/records/transaction-id.ts';
import type { Scrubbed } from '../shared/service/verify/scrub.ts';
import { verify } from '../shared/service/verify/verify.ts';
import { CallbackServer } from '../sim/index.ts';
import { orderEncrypted } from './encrypted-order.ts';
import { invoke, mapRunOf } from './map-runs.ts';
import { OUTPUTS_FILE, type Outputs, readOutputs } from './outputs.ts';
import { emulatedPki } from './pki.ts';

/**
 * The flow of `smdpf aws smoke` in larger numbers, and what an emulator lets one see besides: the Operator's callbacks, an
 * order of encrypted rows, a task that is delivered twice, the counts of the distributed map. `sizes` of the emulated
 * stack are small, so that there are several packs and chunks.
 */
const SIZES: SmokeSizes = { ordered: 1_100, job: 500, loaded: 20 };
const CHUNK = 50;
/** Not 127.0.0.1: in MiniStack's Lambdas HTTPS to that address is made plain HTTP. */
const CALLBACK_HOST = process.env.SMDPF_CALLBACK_HOST ?? '127.0.0.2';
const BY = 'smoke';

const record = new DemoRecord((text) => console.log(text));

async function smoke(outputs: Outputs): Promise<void> {
  const stack = await readStack(OUTPUTS_FILE, undefined);
  const runtime = await openRuntime(outputs.runtime, { lanes: 'none' });
  const pki = await emulatedPki();
  const tls = await pki.server([CALLBACK_HOST]);
  const callbacks = await CallbackServer.start({ tls, host: CALLBACK_HOST, failFirst: 1 });
  const made = nothingMade();
  let world: SmokeWorld | undefined;
  try {
    const certificates = throwAway(pki);
    world = await openSmokeWorld({ stack, runtime, certificates, callbacks, by: BY, made });
    await flow(world, runtime, outputs);
  } finally {
    const { failed } = await tidy(runtime, made, BY, world?.operator);
    await callbacks.stop();
    await runtime.close();
    assert.deepEqual(failed, []);
  }
}

async function flow(world: SmokeWorld, runtime: Runtime, outputs: Outputs): Promise<void> {
  const steps = new SmokeSteps(world, record, SIZES);
  await steps.refuseStranger();
  const rows = await steps.order();
  await tellMap(outputs, 'order', steps.orderId);
  await orderEncrypted(record, world);
  const euiccs = await steps.registerEuiccs();
  const first = await steps.bindOne(euiccs[0]!);
  const jobOf = (requestId: string) => jobIdOf(outputs.runtime.deployment, IDENTIFIERS.maker, requestId);
  const job = await steps.bindJob(euiccs.slice(1), (requestId) => driveJob(jobOf(requestId)));
  await tellMap(outputs, 'job', jobOf(job.requestId));
  await repeatChunk(job, jobOf(job.requestId));
  await steps.load(euiccs, [first, job.octets], rows);
  await chainAudit();
  for await (const { problem } of runtime.audit.verify()) assert.equal(problem, undefined);
  await verifyStores(runtime);
}

/** Where an emulator ran no distributed map, each task is invoked from here. */
async function driveJob(jobId: string): Promise<void> {
  console.log('[    -] this emulator ran no distributed map: each task is invoked from here');
  for (let task = 0; task < Math.ceil(SIZES.job / CHUNK); task++)
    await invoke('emulated-jobs-runTask', { kind: 'job', id: jobId, task });
}

async function tellMap({ stateMachine }: Outputs, kind: 'order' | 'job', id: string): Promise<void> {
  const deadline = Date.now() + BEHIND_MS;
  let run = await mapRunOf(stateMachine, kind, id);
  while (run.execution === 'RUNNING' && Date.now() < deadline) {
    await pause(200);
    run = await mapRunOf(stateMachine, kind, id);
  }
  console.log(`[    -] the map of this ${kind}: ${JSON.stringify(run)}`);
}

/** I4 where Lambda delivers a task twice, at once: the answer stays the same to the octet. */
async function repeatChunk({ octets, again }: BoundJob, id: string): Promise<void> {
  const task = { kind: 'job', id, task: 0 };
  await Promise.all([invoke('emulated-jobs-runTask', task), invoke('emulated-jobs-runTask', task)]);
  assert.ok(Buffer.from(await again()).equals(octets));
  console.log('[    -] a task delivered twice more: the same answer to the octet');
}

async function chainAudit(): Promise<void> {
  const { sequence } = (await invoke('emulated-audit-chain', {})) as { sequence: number };
  assert.ok(sequence > 0);
  console.log(`[    -] audit chain of ${sequence} lines, its head locked`);
}

/** A share by the Lambda of the upkeep, with its own grants, and everything from here: all of it holds (I11). */
async function verifyStores({ unguarded }: Runtime): Promise<void> {
  const share = (await invoke('emulated-verify-scrub', {})) as Scrubbed;
  assert.ok(share.looked > 0);
  assert.equal(share.found, 0);
  let looked = 0;
  for await (const step of verify(unguarded)) {
    assert.deepEqual(step.findings, []);
    looked += step.looked;
  }
  console.log(`[    -] the stores hold: ${share.looked} things by the Lambda, all ${looked} from here`);
}

await smoke(readOutputs());
console.log('smoke: all of it held');
