import { fork } from 'node:child_process';
import { parseArgs } from 'node:util';
import { everything } from './everything.ts';
import { fuzz } from './run.ts';
import { type Told, together, told } from './told.ts';

/**
 * Mutated inputs over everything that takes octets of somebody else's:
 *
 *   npm run fuzz -- --inputs 10000000 --seed 1 [--workers 2]
 *
 * Parsers and functions are called in this process, the functions with much DER on the real services besides, and whole
 * requests go over TLS to a server. Prints counts by kind, the longest time and the peak of resident memory; exit code 1
 * where an input was answered by neither a result nor a typed refusal. Each of several workers is a process that makes
 * its part of the inputs, the first one with the seed, the second with the seed after it. Told to end, it says what it
 * has made so far.
 */
const { values } = parseArgs({
  options: {
    inputs: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
    workers: { type: 'string', default: '1' },
  },
});
const [inputs, seed, workers] = [values.inputs, values.seed, values.workers].map(Number) as [
  number,
  number,
  number,
];

let stopped = false;
for (const signal of ['SIGINT', 'SIGTERM'])
  process.on(signal, () => {
    stopped = true;
  });

if (process.send !== undefined) {
  process.send(await run());
  process.disconnect();
} else {
  const startedAt = performance.now();
  const results = workers === 1 ? [await run()] : await runWorkers();
  print(together(results), (performance.now() - startedAt) / 1000);
}

async function run(): Promise<Told> {
  Error.stackTraceLimit = 0;
  const { targets, shareOf, close } = await everything();
  const result = await fuzz(targets, inputs, seed, { shareOf, stop: () => stopped });
  await close();
  return told(result);
}

async function runWorkers(): Promise<Told[]> {
  const part = Math.ceil(inputs / workers);
  const children = Array.from({ length: workers }, (_, i) =>
    fork(import.meta.filename, ['--inputs', String(part), '--seed', String(seed + i)]),
  );
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => {
      for (const child of children) child.kill(signal);
    });
  return await Promise.all(
    children.map(
      (child) =>
        new Promise<Told>((resolve, reject) => {
          child.once('message', (message) => resolve(message as Told));
          child.once('exit', (code) => reject(new Error(`a worker ended with ${code} and told nothing`)));
        }),
    ),
  );
}

function print({ byKind, failures, peaks }: Told, seconds: number): void {
  let [made, cpuMs] = [0, 0];
  let longest = { kind: '', ms: 0 };
  for (const [kind, counted] of byKind) {
    made += counted.inputs;
    cpuMs += counted.cpuMs;
    if (counted.longestMs > longest.ms) longest = { kind, ms: counted.longestMs };
    const { inputs: all, accepted, refused, longestMs } = counted;
    const each = ((counted.cpuMs * 1000) / all).toFixed(0);
    console.log(
      `${String(all).padStart(9)} ${kind.padEnd(52)} taken ${accepted}, refused ${refused}, longest ${longestMs.toFixed(1)} ms, CPU ${each} µs each`,
    );
  }
  console.log(
    `${made} inputs, seed ${seed}, ${seconds.toFixed(0)} s, CPU ${((cpuMs * 1000) / made).toFixed(0)} µs each`,
  );
  console.log(`longest: ${longest.ms.toFixed(1)} ms (${longest.kind})`);
  console.log(
    `peak of resident memory: ${peaks.map((octets) => (octets / 1e6).toFixed(0)).join(' and ')} MB`,
  );
  for (const { kind, error, input } of failures)
    console.log(`FAILED ${kind}: ${error}\n  ${input.slice(0, 2_000)}`);
  console.log(
    failures.length === 0
      ? 'every input was taken or refused by a typed refusal'
      : `${failures.length} failures`,
  );
  process.exitCode = failures.length === 0 ? 0 : 1;
}
