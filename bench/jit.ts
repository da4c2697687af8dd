import { type ChildProcess, fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openWorld } from '../cli/demo/world.ts';
import { DeploymentFolder } from '../cli/deployment/folder.ts';
import { openSandbox } from '../cli/deployment/sandbox.ts';
import { startDeployment } from '../cli/deployment/start.ts';
import { DevelopmentPki } from '../cli/deployment/tls.ts';
import { ownTemplate } from '../shared/profile/package/template/own-profile.ts';
import { encodeBppRequest } from '../sim/index.ts';
import type { CallersAnswer, CallersData } from './jit/callers.ts';
import type { FloorData } from './jit/floor.ts';
import { freePort, serve } from './serving.ts';

/**
 * Just in time on one machine: requests of one item over HTTPS with mutual TLS, by 1, 8 and 32 callers that wait for each
 * answer, against `smdpf serve` on a folder of its own. Beside each the floor: a bare server that does the cryptography
 * alone. Server, floor and callers are processes of their own on this machine. What it is held to on two quiet cores stands at
 * the end of each line.
 *
 *   npm run bench:jit -- [--calls 400,2000,4000] [--warm-up 7000] [--threads 2] [--profile DIR] [--json]
 *
 * `--warm-up` is how many calls by 32 callers come before: a server that has just begun runs code that V8 has not compiled yet, and
 * each thing that it does is faster the more often it was done, up to some 7,000 calls. Server and floor alike have them.
 * `--threads` is `server.threads` of config.json: how many answer parties, two unless given, or one on a machine of one core.
 * `--profile` has the server write a CPU profile there. `--json` writes what was measured to stdout in place of the lines.
 */
const { values: options } = parseArgs({
  options: {
    calls: { type: 'string', default: '400,2000,4000' },
    'warm-up': { type: 'string', default: '7000' },
    threads: { type: 'string', default: String(Math.min(2, availableParallelism())) },
    profile: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const CALLERS = [1, 8, 32];
/** On two cores that have nothing else to do. */
const GOAL = { p50: 5, perSecond: 800 } as const;
const ORDER = 'JIT-1';
const MAKER = '2.999.50';
const warmUp = Number(options['warm-up']);
const calls = options.calls.split(',').map(Number);
const folder = mkdtempSync(join(tmpdir(), 'smdpf-bench-jit-'));
const port = await freePort();

try {
  const bodies = await prepare(warmUp + calls.reduce((sum, one) => sum + one, 0));
  const pki = await DevelopmentPki.open(join(folder, 'tls'));
  const ca = pki.caCertificate;
  const tls = await pki.client('device-maker');
  const node = options.profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${options.profile}`];
  const server = await serve(folder, { port, ca, node });
  try {
    const take = (count: number) => bodies.splice(0, count);
    const warmingUp = { ca, tls, callers: CALLERS.at(-1)!, bodies: take(warmUp) };
    const { octets } = await call({ ...warmingUp, port });
    const floor = await startFloor({ ...(await pki.server(['127.0.0.1'])), octets });
    await call({ ...warmingUp, port: floor.port });
    await untilIdle(server);
    const load = loadavg()[0]!.toFixed(1);
    say(
      [
        `answers of ${octets} octets; ${availableParallelism()} cores, load ${load} before`,
        `one process of the server, in which ${options.threads} threads answer, and one of callers; ${warmUp} calls before; p50 and p99 in ms`,
      ].join('; '),
    );
    const runs: Run[] = [];
    for (const [i, callers] of CALLERS.entries()) {
      const same = { ca, tls, callers, bodies: take(calls[i] ?? calls.at(-1)!) };
      const measured = async (process: ChildProcess, at: number): Promise<Measured> => {
        const before = cpuSeconds(process);
        const answer = await call({ ...same, port: at });
        return { ...answer, cpuMs: (1000 * (cpuSeconds(process) - before)) / answer.times.length };
      };
      const bare = await measured(floor.process, floor.port);
      const bound = await measured(server, port);
      runs.push({ callers, bound: factsOf(bound), floor: factsOf(bare) });
      tell(callers, bound, bare);
    }
    if (options.json) console.log(JSON.stringify({ octets, goal: GOAL, runs }));
    floor.process.disconnect();
  } finally {
    server.kill('SIGTERM');
    await new Promise((resolve) => server.once('exit', resolve));
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** Bodies of so many requests, each for an eUICC of its own. */
async function prepare(count: number): Promise<string[]> {
  const deployment = await DeploymentFolder.open(folder, {
    port,
    fieldPort: await freePort(),
    threads: Number(options.threads),
    // what a party may call is not what is measured
    runtime: { rateLimit: { perSecond: 100_000, burst: 100_000 } },
  });
  const running = await startDeployment(deployment, () => undefined);
  const world = await openWorld(running, await openSandbox(deployment, running.runtime, 'p256'));
  const euiccs = [...world.eum.production(count, 1)];
  for (let from = 0; from < euiccs.length; from += 500)
    await world.eumClient.registerEuiccData(
      world.eum.euiccDataBatch(euiccs.slice(from, from + 500), { deviceManufacturers: [MAKER] }),
    );
  await world.operator.prepareProfiles({
    orderId: ORDER,
    profileType: 'bench',
    quantity: count,
    requesterDms: [MAKER],
    template: ownTemplate(),
    personalisation: { iccidStart: '890010000000000000', imsiStart: '001010000000001', keys: 'generate' },
    eligibility: {},
    metadata: { serviceProviderName: 'Operator', profileName: 'Profile', profileClass: 'operational' },
    outputKey: world.outputKey.jwk,
  });
  while ((await world.operator.getOrderStatus(ORDER, { limit: 1 })).state !== 'Open')
    await new Promise((resolve) => setTimeout(resolve, 200));
  await world.callbacks.stop();
  await running.close();
  return euiccs.map(({ eid }) => {
    const request = { requestId: randomBytes(8), orderId: ORDER, items: [{ itemId: 1, eid }] };
    return Buffer.from(encodeBppRequest(request)).toString('base64');
  });
}

async function call(data: CallersData): Promise<CallersAnswer> {
  const child = fork(join(import.meta.dirname, 'jit', 'callers.ts'));
  const answer = new Promise<CallersAnswer>((resolve, reject) => {
    child.once('message', (told) => resolve(told as CallersAnswer));
    child.once('exit', (code) => reject(new Error(`the callers ended with ${code}`)));
  });
  child.send(data);
  return await answer;
}

async function startFloor(data: FloorData): Promise<{ port: number; process: ChildProcess }> {
  const child = fork(join(import.meta.dirname, 'jit', 'floor.ts'));
  const listens = new Promise<number>((resolve) => child.once('message', (told) => resolve(told as number)));
  child.send(data);
  return { port: await listens, process: child };
}

/** What a process has used, all its threads, in user and kernel; Linux counts in hundredths. */
function cpuSeconds({ pid }: ChildProcess): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

type Measured = CallersAnswer & { readonly cpuMs: number };

interface Facts {
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly perSecond: number;
  /** Of the server, all its threads, for each answer. */
  readonly cpuMs: number;
  /** Of the callers. */
  readonly callersCpuMs: number;
}

interface Run {
  readonly callers: number;
  readonly bound: Facts;
  readonly floor: Facts;
}

function factsOf({ times, seconds, cpuMs, callersCpuMs }: Measured): Facts {
  const sorted = times.toSorted((a, b) => a - b);
  const of = (part: number) => sorted[Math.floor((sorted.length - 1) * part)]!;
  return { p50: of(0.5), p99: of(0.99), perSecond: times.length / seconds, cpuMs, callersCpuMs };
}

function say(line: string): void {
  if (!options.json) console.log(line);
}

/** What a server does by itself when it has started is not what is measured. */
async function untilIdle(server: ChildProcess): Promise<void> {
  for (let before = cpuSeconds(server), seconds = 0; seconds < 30; seconds++) {
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    const now = cpuSeconds(server);
    if (now - before < 0.05) return;
    before = now;
  }
}

function tell(callers: number, bound: Measured, bare: Measured): void {
  const line = (name: string, measured: Measured) => {
    const { p50, p99, perSecond, cpuMs } = factsOf(measured);
    return `${name} p50 ${p50.toFixed(2)} p99 ${p99.toFixed(2)} ${perSecond.toFixed(0)}/s ${cpuMs.toFixed(2)} ms of CPU`;
  };
  const ratio = (bound.cpuMs / bare.cpuMs).toFixed(1);
  const goal = callers === 1 ? `p50 ${GOAL.p50}` : `${GOAL.perSecond}/s`;
  say(
    [
      `${String(callers).padStart(2)} callers: ${line('bound', bound)}`,
      line('floor', bare),
      `${ratio} times the CPU`,
      `callers ${bound.callersCpuMs.toFixed(2)} ms of CPU`,
      `goal ${goal}`,
    ].join('; '),
  );
  if (bound.refused.length > 0) console.error(`   not answered: ${bound.refused.join(' ')}`);
}
