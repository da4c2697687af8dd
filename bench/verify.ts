import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { DeploymentFolder } from '../cli/deployment/folder.ts';
import { openSandbox, SANDBOX_EUM } from '../cli/deployment/sandbox.ts';
import { ownTemplate } from '../shared/profile/package/template/own-profile.ts';
import type { Caller, PartyRole } from '../shared/service/api/caller.ts';
import { encodeBppRequest, SimEum } from '../sim/index.ts';

/**
 * `smdpf verify`, a process of its own, on a folder with so many profiles, some of them bound: how long it takes, how much
 * memory it has at most, and what it finds.
 *
 *   npm run bench:verify -- [--profiles 100000] [--bound 5000]
 */
const { values: options } = parseArgs({
  options: { profiles: { type: 'string', default: '100000' }, bound: { type: 'string', default: '5000' } },
});
const [profiles, bound] = [Number(options.profiles), Number(options.bound)];
const ORDER = 'VERIFY-1';
const MAKER = '2.999.50';
/** eUICCs of one batch, and items of one request. */
const AT_ONCE = 500;

const caller = (identifier: string, role: PartyRole): Caller => ({
  identifier,
  role,
  fingerprint: '00'.repeat(32),
});
const folder = mkdtempSync(join(tmpdir(), 'smdpf-bench-verify-'));
try {
  await prepare();
  await verify();
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function prepare(): Promise<void> {
  const startedAt = performance.now();
  const deployment = await DeploymentFolder.open(folder, {});
  const runtime = await deployment.openRuntime({ lanes: 'workers' });
  const { ci, eumCa } = await openSandbox(deployment, runtime, 'p256');
  const { orders, ingest, delivery } = runtime.services;
  const operator = caller('2.999.60', 'operator');
  await orders.prepareProfiles(operator, {
    orderId: ORDER,
    profileType: 'verify',
    quantity: profiles,
    requesterDms: [MAKER],
    template: ownTemplate(),
    personalisation: { iccidStart: '890010000000000000', keys: 'template' },
    eligibility: {},
    metadata: { serviceProviderName: 'Operator', profileName: 'Profile', profileClass: 'test' },
  });
  const eum = new SimEum({ ca: eumCa, ci: ci.certificate });
  const eids: string[] = [];
  for (let left = bound; left > 0; left -= AT_ONCE) {
    const euiccs = [...eum.production(Math.min(left, AT_ONCE))];
    eids.push(...euiccs.map(({ eid }) => eid));
    await ingest.registerEuiccData(
      caller(SANDBOX_EUM, 'eum'),
      eum.euiccDataBatch(euiccs, { deviceManufacturers: [MAKER] }),
    );
  }
  await until(
    async () => (await orders.getOrderStatus(operator, { orderId: ORDER, limit: 1 })).state === 'Open',
  );
  const maker = caller(MAKER, 'deviceMaker');
  for (let from = 0; from < eids.length; from += AT_ONCE) {
    const items = eids.slice(from, from + AT_ONCE).map((eid, i) => ({ itemId: i + 1, eid }));
    const requestId = from.toString(16).padStart(16, '0');
    const der = encodeBppRequest({ requestId: Buffer.from(requestId, 'hex'), orderId: ORDER, items });
    await delivery.requestBpp(maker, der);
    await until(async () => (await delivery.getBppBatch(maker, { requestId })).state === 'Done');
  }
  await runtime.audit.chain();
  await runtime.close();
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(0);
  console.error(`${profiles} profiles, ${eids.length} of them bound, made in ${seconds} s`);
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 500));
}

async function verify(): Promise<void> {
  const startedAt = performance.now();
  const child = spawn(process.execPath, ['cli/smdpf.mjs', 'verify', '--folder', folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.on('data', (data) => {
    said += data;
  });
  let peak = 0;
  const watch = setInterval(() => {
    peak = Math.max(peak, peakOf(child.pid!));
  }, 50);
  const code = await new Promise((resolve) => child.once('close', resolve));
  clearInterval(watch);
  console.log(said.trim());
  console.log(`exit code ${code}, ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
  console.log(`resident memory: at most ${(peak / 1e6).toFixed(0)} MB`);
  process.exitCode = Number(code);
}

/** Octets that the process had resident at most, as Linux counts them. */
function peakOf(pid: number): number {
  try {
    const [, kilobytes = '0'] =
      /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return Number(kilobytes) * 1024;
  } catch {
    return 0;
  }
}
