import { spawnSync } from 'node:child_process';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { SERVER_SETTINGS } from '../cli/allocator.ts';
import { jobFloor } from './job/floor.ts';
import { prepareJob } from './job/prepare.ts';
import type { JobRun } from './job/run.ts';

/**
 * A job from its request to Done, by a process of its own with the worker threads of a server and its settings of the allocator:
 * BPPs per second, beside the floor of the calls of node:crypto that they cannot do without, on one core; and resident
 * memory, which must not grow with the job.
 *
 * `--warm-up` is how many items a job before that has, which starts the threads: what has just begun runs code that V8 has not
 * compiled yet, and V8's own threads compile it beside. What that job takes is told by itself. With --kill the same job is worked on
 * once more in a copy of the deployment by a process that dies of SIGKILL half-way, and finished by another.
 *
 *   npm run bench:job -- [--items 10000,50000] [--warm-up 10000] [--kill] [--json]
 */
const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    kill: { type: 'boolean', default: false },
    items: { type: 'string', default: '10000' },
    'warm-up': { type: 'string', default: '10000' },
  },
});

interface Measured extends JobRun {
  readonly floorPerSecond: number;
  /** BPPs of a run that was killed and gone on with by another process. */
  readonly boundAfterKill?: number;
}

const runs: Measured[] = [];
for (const items of options.items.split(',').map(Number)) runs.push(await measure(items));

async function measure(items: number): Promise<Measured> {
  const folder = await mkdtemp(join(tmpdir(), 'smdpf-bench-job-'));
  try {
    const [made, killed] = [join(folder, 'deployment'), join(folder, 'killed')];
    await prepareJob(made, { items, before: Number(options['warm-up']) });
    if (options.kill) await cp(made, killed, { recursive: true });
    const run = work(made);
    if (run === undefined) throw new Error('the job failed');
    const measured = { ...run, floorPerSecond: jobFloor() };
    if (!options.kill) return measured;
    if (work(killed, '0.5') !== undefined) throw new Error('the run was to die');
    return { ...measured, boundAfterKill: work(killed)?.bound ?? 0 };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** One process; undefined if it was killed. */
function work(folder: string, ...more: string[]): JobRun | undefined {
  const child = new URL('./job/run.ts', import.meta.url).pathname;
  const { signal, status, stdout } = spawnSync(process.execPath, [child, folder, ...more], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...SERVER_SETTINGS, ...process.env },
  });
  if (signal === 'SIGKILL') return undefined;
  if (status !== 0) throw new Error(`the job ended with ${status}`);
  return JSON.parse(stdout.toString()) as JobRun;
}

if (options.json) console.log(JSON.stringify({ node: process.version, runs }, null, 2));
else
  for (const { items, bound, seconds, cpuSeconds, startCpuSeconds, memory, ...more } of runs) {
    const { floorPerSecond, boundAfterKill } = more;
    const perCore = items / cpuSeconds;
    console.log(
      `the threads' start and a job of ${options['warm-up']} before: ${startCpuSeconds.toFixed(1)} s of CPU`,
    );
    console.log(
      `${items} items, ${bound} bound in ${seconds.toFixed(1)} s: ${Math.round(items / seconds)}/s,` +
        ` ${Math.round(perCore)} per core second; lean floor ${Math.round(floorPerSecond)}/s` +
        ` (${((100 * perCore) / floorPerSecond).toFixed(0)} %)`,
    );
    const megabytes = memory.map((octets) => (octets === null ? '–' : (octets / 1e6).toFixed(0)));
    console.log(`resident memory in MB, by tenths of the job: ${megabytes.join(' ')}`);
    if (boundAfterKill !== undefined)
      console.log(`killed half-way and gone on with: ${boundAfterKill} bound`);
  }
if (runs.some(({ items, bound, boundAfterKill = items }) => bound < items || boundAfterKill < items))
  process.exitCode = 1;
