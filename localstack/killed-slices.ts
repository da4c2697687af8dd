import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { throwAway } from '../cli/aws/smoke/front-door.ts';
import { SmokeSteps } from '../cli/aws/smoke/steps.ts';
import { tidy } from '../cli/aws/smoke/tidy.ts';
import { IDENTIFIERS, nothingMade, openSmokeWorld, type SmokeWorld } from '../cli/aws/smoke/world.ts';
import { readStack } from '../cli/aws/stack-description.ts';
import { DemoRecord } from '../cli/demo/steps.ts';
import { openRuntime, type Runtime } from '../shared/runtime.ts';
import type { Caller } from '../shared/service/api/caller.ts';
import { ingestProgress } from '../shared/service/esed1/euicc-batches.ts';
import { jobIdOf } from '../shared/service/records/transaction-id.ts';
import { encodeBppRequest } from '../sim/index.ts';
import { invoke } from './map-runs.ts';
import { OUTPUTS_FILE, readOutputs } from './outputs.ts';
import { emulatedPki } from './pki.ts';

/**
 * A request with the data of very many eUICCs to the deployed stack, whose task Lambda is killed every few seconds, as Lambda kills
 * what takes too long: `npm run localstack:kills -- EUICCS SECONDS`, 0 seconds to kill nothing. MiniStack runs Lambdas as
 * processes of this machine; killed are those that have the name of the function in their environment.
 */
const [euiccs, seconds] = process.argv.slice(2).map(Number) as [number, number];
const ITEMS = 20;
const TASK = 'emulated-jobs-runTask';
const BY = 'kill drill';
const GIVEN_UP_MS = Number(process.env.SMDPF_DRILL_MS ?? 300_000);

const outputs = readOutputs();
const runtime = await openRuntime(outputs.runtime, { lanes: 'none' });
const made = nothingMade();
let world: SmokeWorld | undefined;
try {
  const stack = await readStack(OUTPUTS_FILE, undefined);
  const certificates = throwAway(await emulatedPki());
  world = await openSmokeWorld({ stack, runtime, certificates, by: BY, made });
  await drill(runtime, world);
} finally {
  await tidy(runtime, made, BY, world?.operator);
  await runtime.close();
}

async function drill({ context, services }: Runtime, opened: SmokeWorld): Promise<void> {
  const record = new DemoRecord((text) => console.log(text));
  const steps = new SmokeSteps(opened, record, { ordered: ITEMS + 1, job: ITEMS, loaded: 0 });
  await steps.order();
  const production = [...opened.eum.production(euiccs)];
  const euiccData = opened.eum.euiccDataBatch(production);
  const items = production.slice(-ITEMS).map(({ eid }, i) => ({ itemId: i + 1, eid }));
  const id = randomBytes(8);
  const body = encodeBppRequest({ requestId: id, orderId: steps.orderId, euiccData, items });
  const maker: Caller = { identifier: IDENTIFIERS.maker, role: 'deviceMaker', fingerprint: '' };
  const sha256 = createHash('sha256').update(body).digest('hex');
  const opening = { purpose: 'bppRequest', size: body.length, sha256 } as const;
  const { transferId } = await services.transfers.openTransfer(maker, opening);
  await context.vault.put(`uploads/${transferId}`, body);
  const upload = await services.transfers.receivedObject(maker, transferId, 'bppRequest');
  const begun = Date.now();
  const since = () => `${((Date.now() - begun) / 1000).toFixed(1)} s`;
  assert.equal((await services.delivery.requestBpp(maker, upload)).state, 'Pending');
  const requestId = id.toString('hex');
  const jobId = jobIdOf(outputs.runtime.deployment, maker.identifier, requestId);
  console.log(`${euiccs} eUICCs in ${body.length} octets`);

  let [deaths, killedAt, resumedAt] = [0, Date.now(), Date.now()];
  for (;;) {
    const answer = await services.delivery.getBppBatch(maker, { requestId });
    const { slices } = await ingestProgress(context.ledger, jobId);
    if (answer.state === 'Done') {
      assert.equal(answer.failed.length, 0);
      console.log(`done after ${since()} and ${deaths} deaths, ${slices} slices of eUICC data`);
      return;
    }
    if (Date.now() - begun > GIVEN_UP_MS)
      throw new Error(`not done after ${since()} and ${deaths} deaths, ${slices} slices`);
    if (seconds > 0 && Date.now() - killedAt > seconds * 1000) {
      killedAt = Date.now();
      const killed = killTasks();
      deaths += killed;
      if (killed > 0)
        console.log(`${since()}: ${killed} killed, items ${answer.items}, ${slices} slices done`);
    }
    // as its schedule does
    if (Date.now() - resumedAt > 20_000) {
      resumedAt = Date.now();
      await invoke('emulated-jobs-resume', {}).catch((error) => console.log(String(error)));
    }
    await pause(500);
  }
}

/** Kills the processes in which the task Lambda runs; how many. */
function killTasks(): number {
  let killed = 0;
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      if (!readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`AWS_LAMBDA_FUNCTION_NAME=${TASK}\0`))
        continue;
      process.kill(Number(pid), 'SIGKILL');
      killed += 1;
    } catch {
      // gone already, or somebody else's
    }
  }
  return killed;
}
