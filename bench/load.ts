import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { Agent } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openWorld } from '../cli/demo/world.ts';
import { DeploymentFolder } from '../cli/deployment/folder.ts';
import { openSandbox } from '../cli/deployment/sandbox.ts';
import { startDeployment } from '../cli/deployment/start.ts';
import { DevelopmentPki } from '../cli/deployment/tls.ts';
import { toHex } from '../shared/codec/bytes.ts';
import { ownTemplate } from '../shared/profile/package/template/own-profile.ts';
import { encodeBppRequest, type PersonalisedEuicc } from '../sim/index.ts';
import type { LoadCounts, LoadData } from './load/attackers.ts';
import { post, UNANSWERED } from './load/post.ts';
import { freePort, serve } from './serving.ts';

/**
 * What one caller can do to another (I13): just-in-time requests of one device manufacturer, quiet, and while strangers
 * send half bodies and large notifications and another device manufacturer polls a finished job from many connections.
 * The server is a process of its own; all traffic stays on 127.0.0.1 and ends by itself.
 *
 *   npm run bench:load -- [--items 2000] [--chunk 10] [--calls 100] [--strangers 200] [--pollers 40]
 */
const { values: options } = parseArgs({
  options: {
    items: { type: 'string', default: '2000' },
    chunk: { type: 'string', default: '10' },
    calls: { type: 'string', default: '100' },
    strangers: { type: 'string', default: '200' },
    pollers: { type: 'string', default: '40' },
  },
});
const [items, chunkSize, calls, strangers, pollers] = [
  options.items,
  options.chunk,
  options.calls,
  options.strangers,
  options.pollers,
].map(Number) as [number, number, number, number, number];

const JOB = Buffer.from('0a0b', 'hex');
const ORDER = 'LOAD-1';
const [POLLER, VICTIM] = ['2.999.50', '2.999.51'];
const folder = mkdtempSync(join(tmpdir(), 'smdpf-bench-load-'));
const [port, fieldPort] = [await freePort(), await freePort()];
let next = 0;
/** What just-in-time calls were told that were not answered. */
const refused: string[] = [];
const agent = new Agent({ keepAlive: true, maxSockets: 1 });

const euiccs = await prepare();
const pki = await DevelopmentPki.open(join(folder, 'tls'));
const ca = pki.caCertificate;
const [pollerTls, victimTls] = [await pki.client('device-maker'), await pki.client('other-maker')];
const server = await serve(folder, { port, ca });
try {
  await run();
} finally {
  server.kill('SIGTERM');
  await new Promise((resolve) => server.once('exit', resolve));
  rmSync(folder, { recursive: true, force: true });
}

/** A deployment with a finished job of `items` eUICCs, and two more eUICCs for each just-in-time call. */
async function prepare(): Promise<readonly PersonalisedEuicc[]> {
  const deployment = await DeploymentFolder.open(folder, { port, fieldPort, runtime: { chunkSize } });
  const running = await startDeployment(deployment, () => undefined);
  const world = await openWorld(running, await openSandbox(deployment, running.runtime, 'p256'));
  const all = Array.from({ length: items + calls * 2 + 2 }, () => world.eum.personalise({ keys: 1 }));
  for (let from = 0; from < all.length; from += 500)
    await world.eumClient.registerEuiccData(
      world.eum.euiccDataBatch(all.slice(from, from + 500), { deviceManufacturers: [POLLER, VICTIM] }),
    );
  await world.operator.prepareProfiles({
    orderId: ORDER,
    profileType: 'load',
    quantity: all.length,
    requesterDms: [POLLER, VICTIM],
    template: ownTemplate(),
    personalisation: { iccidStart: '890010000000000000', imsiStart: '001010000000001', keys: 'generate' },
    eligibility: {},
    metadata: { serviceProviderName: 'Operator', profileName: 'Profile', profileClass: 'operational' },
    outputKey: world.outputKey.jwk,
  });
  for (;;) {
    const { state } = await world.operator.getOrderStatus(ORDER, { limit: 1 });
    if (state === 'Open') break;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  const rows = all.slice(0, items).map(({ eid }, i) => ({ itemId: i + 1, eid }));
  await world.maker.requestBpp({ requestId: JOB, orderId: ORDER, items: rows }, { timeoutMs: 3_600_000 });
  await world.callbacks.stop();
  await running.close();
  return all.slice(items);
}

async function run(): Promise<void> {
  console.error('the server is up');
  await justInTime(2);
  const quiet = await justInTime(calls);
  console.error(`quiet: ${calls} calls; now under load`);
  const load = startLoad();
  await load.underWay;
  const loaded = await justInTime(calls);
  const { polls, shed, others, most } = await load.stop();
  const of = (times: number[], part: number) => times[Math.floor((times.length - 1) * part)]!.toFixed(1);
  console.log(
    `just in time, quiet:  p50 ${of(quiet, 0.5)} ms, p99 ${of(quiet, 0.99)} ms, ${quiet.length} calls`,
  );
  console.log(
    `just in time, loaded: p50 ${of(loaded, 0.5)} ms, p99 ${of(loaded, 0.99)} ms, ${loaded.length} calls`,
  );
  console.log(`just-in-time calls not answered: ${refused.length} ${refused.join(' ')}`);
  const told = Object.entries(others).map(([what, count]) => `, ${count} ${what}`);
  console.log(
    `polls of the job of ${items} items: ${polls} answered, ${shed} sent away with Retry-After${told.join('')}`,
  );
  console.log(`resident memory of the server: at most ${most.toFixed(0)} MB`);
}

/** Milliseconds of just-in-time calls, one after the other, sorted. */
async function justInTime(count: number): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    const euicc = euiccs[next++]!;
    const body = encodeBppRequest({
      requestId: randomBytes(8),
      orderId: ORDER,
      items: [{ itemId: 1, eid: euicc.eid }],
    });
    const startedAt = performance.now();
    const { told } = await post(
      { port, ca, tls: victimTls },
      'requestBpp',
      'application/octet-stream',
      body,
      agent,
    ).catch(() => UNANSWERED);
    if (told !== 'done') refused.push(told);
    times.push(performance.now() - startedAt);
  }
  return times.sort((a, b) => a - b);
}

/** The load comes from a process of its own that gives way to all others, as if it came from another machine. */
function startLoad() {
  const data: LoadData = {
    ports: { parties: port, field: fieldPort },
    ca,
    poller: { identifier: POLLER, tls: pollerTls },
    requestId: toHex(JOB).toUpperCase(),
    strangers,
    pollers,
  };
  const child = fork(join(import.meta.dirname, 'load', 'attackers.ts'));
  child.send(data);
  let most = 0;
  const watch = setInterval(() => {
    const [, pages = '0'] = readFileSync(`/proc/${server.pid}/statm`, 'utf8').split(' ');
    most = Math.max(most, (Number(pages) * 4_096) / 1e6);
  }, 100);
  return {
    /** A poll was answered, or sent away. */
    underWay: new Promise((resolve) => child.once('message', resolve)),
    async stop() {
      clearInterval(watch);
      const counts = new Promise<LoadCounts>((resolve) =>
        child.on('message', (told) => typeof told === 'object' && resolve(told as LoadCounts)),
      );
      child.send('stop');
      const told = await counts;
      child.kill();
      return { ...told, most };
    },
  };
}
