import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { Agent } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { toHex } from '../shared/codec/bytes.ts';
import { encodeBppRequest } from '../sim/index.ts';
import type { LoadCounts, LoadData } from './load/attackers.ts';
import { post, UNANSWERED } from './load/post.ts';
import { JOB, ORDER, POLLER, prepareLoad } from './load/prepare.ts';
import { freePort, serve } from './serving.ts';

/**
 * What one caller can do to another (I13): just-in-time requests of one device manufacturer, quiet, and while strangers
 * send half bodies and large notifications and another device manufacturer polls a finished job from many connections.
 * The server is a process of its own; all traffic stays on 127.0.0.1 and ends by itself.
 * Exit code 1 where a goal is not held.
 *
 *   npm run bench:load -- [--items 2000] [--chunk 10] [--calls 300] [--strangers 200] [--pollers 40]
 */
const { values: options } = parseArgs({
  options: {
    items: { type: 'string', default: '2000' },
    chunk: { type: 'string', default: '10' },
    calls: { type: 'string', default: '300' },
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

/** What a party's just-in-time calls are held to under load: p99 beside the quiet one, and resident memory in MB (I13). */
const MOST_TIMES = 10;
const MOST_MB = 600;
/** Milliseconds from the start of one just-in-time call to that of the next, at least: below the rate of a party. */
const EVERY_MS = 25;
/** Calls before any is measured: code is compiled in them. */
const WARM_UP = 50;
/** Just-in-time calls before anything is measured under load, so that all attackers are at it. */
const SETTLE = 10;

const folder = mkdtempSync(join(tmpdir(), 'smdpf-bench-load-'));
const [port, fieldPort] = [await freePort(), await freePort()];
let next = 0;
/** What just-in-time calls were told that were not answered. */
const refused: string[] = [];
const agent = new Agent({ keepAlive: true, maxSockets: 1 });

const began = performance.now();
const told = (text: string) => console.error(`${((performance.now() - began) / 1000).toFixed(0)} s: ${text}`);
const world = await prepareLoad(
  folder,
  { port, fieldPort, chunkSize, items, spare: WARM_UP + SETTLE + calls * 2 },
  told,
);
const { ca } = world;
const server = await serve(folder, { port, ca });
try {
  await run();
} finally {
  server.kill('SIGTERM');
  await new Promise((resolve) => server.once('exit', resolve));
  rmSync(folder, { recursive: true, force: true });
}

async function run(): Promise<void> {
  told('the server is up');
  await justInTime(WARM_UP);
  const quiet = await justInTime(calls);
  told(`${calls} calls in quiet, ${residentMb().toFixed(0)} MB; now under load`);
  const load = startLoad();
  await load.underWay;
  await justInTime(SETTLE);
  const loaded = await justInTime(calls);
  told(`${calls} calls under load`);
  const { polls, shed, others, most } = await load.stop();
  const of = (times: number[], part: number) => times[Math.floor((times.length - 1) * part)]!;
  const line = (name: string, times: number[]) =>
    console.log(
      `just in time, ${name} p50 ${of(times, 0.5).toFixed(1)} ms, p99 ${of(times, 0.99).toFixed(1)} ms, ${times.length} calls`,
    );
  line('quiet: ', quiet);
  line('loaded:', loaded);
  console.log(`just-in-time calls not answered: ${refused.length} ${refused.join(' ')}`);
  const rest = Object.entries(others).map(([what, count]) => `, ${count} ${what}`);
  console.log(
    `polls of the job of ${items} items: ${polls} answered, ${shed} sent away with Retry-After${rest.join('')}`,
  );
  judge('p99 loaded, times the quiet one', of(loaded, 0.99) / of(quiet, 0.99), MOST_TIMES);
  judge('resident memory of the server in MB, at most', most, MOST_MB);
  judge('just-in-time calls not answered', refused.length, 1);
}

/** Says a figure beside what it must stay below. */
function judge(what: string, figure: number, below: number): void {
  const held = figure < below;
  console.log(`${held ? 'PASS' : 'FAIL'}: ${what}: ${figure.toFixed(1)}, to be below ${below}`);
  if (!held) process.exitCode = 1;
}

/** Milliseconds of just-in-time calls, one after the other, sorted. */
async function justInTime(count: number): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    const eid = world.spare[next++]!;
    const body = encodeBppRequest({
      requestId: randomBytes(8),
      orderId: ORDER,
      items: [{ itemId: 1, eid }],
    });
    const startedAt = performance.now();
    const answer = await post(
      { port, ca, tls: world.victim },
      'requestBpp',
      'application/octet-stream',
      body,
      agent,
    ).catch(() => UNANSWERED);
    if (answer.told !== 'done') refused.push(answer.told);
    const took = performance.now() - startedAt;
    times.push(took);
    if (took < EVERY_MS) await pause(EVERY_MS - took);
  }
  return times.sort((a, b) => a - b);
}

function residentMb(): number {
  const [, pages = '0'] = readFileSync(`/proc/${server.pid}/statm`, 'utf8').split(' ');
  return (Number(pages) * 4_096) / 1e6;
}

/** The load comes from a process of its own that gives way to all others, as if it came from another machine. */
function startLoad() {
  const data: LoadData = {
    ports: { parties: port, field: fieldPort },
    ca,
    poller: { identifier: POLLER, tls: world.poller },
    requestId: toHex(JOB).toUpperCase(),
    strangers,
    pollers,
  };
  const child = fork(join(import.meta.dirname, 'load', 'attackers.ts'));
  child.send(data);
  let most = 0;
  const watch = setInterval(() => {
    most = Math.max(most, residentMb());
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
      const counted = await counts;
      child.kill();
      return { ...counted, most };
    },
  };
}
