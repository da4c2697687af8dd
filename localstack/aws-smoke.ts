import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { clientCertificates } from '../cli/aws/smoke/front-door.ts';
import { runSmoke, type SmokeResult } from '../cli/aws/smoke/smoke.ts';
import { readStack } from '../cli/aws/stack-description.ts';
import { scanAll } from '../shared/ledger/scan.ts';
import { openRuntime, type Runtime } from '../shared/runtime.ts';
import { partitions } from '../shared/service/records/keys.ts';
import { dpPbRecord } from '../shared/service/records/trust.ts';
import { OUTPUTS_FILE, readOutputs } from './outputs.ts';
import { EMULATED_PKI, emulatedPki } from './pki.ts';

/**
 * `smdpf aws smoke` on an emulator: the command as it is run on AWS, and one run that breaks in the middle. After either
 * nothing of it is trusted or may call.
 */
const LAUNCHER = join(import.meta.dirname, '..', 'cli', 'smdpf.mjs');
/** More devices than profiles: the job is refused. */
const TOO_FEW = { ordered: 2, job: 4, loaded: 1 };

function command(): Promise<SmokeResult & { readonly good: boolean }> {
  const args = [LAUNCHER, 'aws', 'smoke', '--outputs', OUTPUTS_FILE, '--pki', EMULATED_PKI, '--json'];
  return new Promise((resolve, reject) => {
    execFile(process.execPath, args, (error, stdout, stderr) => {
      if (stdout === '') reject(new Error(stderr, { cause: error }));
      else resolve(JSON.parse(stdout) as SmokeResult & { good: boolean });
    });
  });
}

/** What is trusted and who may call, as far as a run could have left it. */
async function standing({ context, services }: Runtime): Promise<object> {
  const parties = (await services.parties.list()).filter(({ revokedAt }) => revokedAt === undefined);
  const items = await scanAll(context.ledger, partitions.trust);
  const trusted = items.filter(({ sort }) => /^(ci|eum)#/.test(sort)).map(({ sort }) => sort);
  const installed = items
    .filter(({ sort }) => sort.startsWith('dppb#'))
    .filter((item) => dpPbRecord.from(item).state === 'active')
    .map(({ sort }) => sort);
  return { parties, trusted, installed };
}

await emulatedPki();
const runtime = await openRuntime(readOutputs().runtime, { lanes: 'none' });
try {
  const before = await standing(runtime);
  const done = await command();
  assert.ok(done.good, JSON.stringify(done, undefined, 1));
  assert.deepEqual([done.steps.length, done.failed, done.tidied.length], [10, [], 7]);
  assert.match(done.leftBehind[0]!.what, /^[1-9]\d* locked records/);
  assert.deepEqual(await standing(runtime), before);
  console.log(`[    -] ${done.steps.length} steps held, ${done.tidied.length} things taken back`);

  const stack = await readStack(OUTPUTS_FILE, undefined);
  const certificates = await clientCertificates(EMULATED_PKI);
  const broken = await runSmoke({ stack, certificates, by: 'smoke', say: () => undefined, sizes: TOO_FEW });
  assert.match(String(broken.broken?.message), /3 items were refused/);
  assert.deepEqual([broken.failed, broken.tidied.length], [[], 7]);
  assert.deepEqual(await standing(runtime), before);
  console.log(`[    -] a run that broke after ${broken.steps.length} steps took back as much`);
} finally {
  await runtime.close();
}
console.log('smdpf aws smoke: what can be taken back is');
