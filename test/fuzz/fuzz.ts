import { parseArgs } from 'node:util';
import { everything } from './everything.ts';
import { fuzz } from './run.ts';

/**
 * Mutated inputs over everything that takes octets of somebody else's:
 *
 *   npm run fuzz -- --inputs 10000000 --seed 1
 *
 * Parsers and functions are called in this process, the functions with much DER on the real services besides, and whole
 * requests go over TLS to a server. Prints counts by kind, the longest time and the peak of resident memory; exit code 1
 * where an input was answered by neither a result nor a typed refusal.
 */
const { values } = parseArgs({
  options: { inputs: { type: 'string', default: '100000' }, seed: { type: 'string', default: '1' } },
});
const inputs = Number(values.inputs);
const seed = Number(values.seed);

/** Told to end, it says what it has made so far. */
let stopped = false;
for (const signal of ['SIGINT', 'SIGTERM'])
  process.once(signal, () => {
    stopped = true;
  });

const { targets, shareOf, close } = await everything();
const startedAt = performance.now();
const { byKind, failures, peakMemory } = await fuzz(targets, inputs, seed, { shareOf, stop: () => stopped });
const seconds = (performance.now() - startedAt) / 1000;
await close();

let made = 0;
let longest = { kind: '', ms: 0 };
for (const [kind, counted] of byKind) {
  made += counted.inputs;
  if (counted.longestMs > longest.ms) longest = { kind, ms: counted.longestMs };
  const { inputs: all, accepted, refused, longestMs } = counted;
  console.log(
    `${String(all).padStart(9)} ${kind.padEnd(52)} taken ${accepted}, refused ${refused}, longest ${longestMs.toFixed(1)} ms`,
  );
}
console.log(`${made} inputs, seed ${seed}, ${seconds.toFixed(0)} s`);
console.log(`longest: ${longest.ms.toFixed(1)} ms (${longest.kind})`);
console.log(`peak of resident memory: ${(peakMemory / 1e6).toFixed(0)} MB`);
for (const { kind, error, input } of failures)
  console.log(
    `FAILED ${kind}: ${error instanceof Error ? error.stack : String(error)}\n  ${input.slice(0, 2_000)}`,
  );
console.log(
  failures.length === 0
    ? 'every input was taken or refused by a typed refusal'
    : `${failures.length} failures`,
);
process.exitCode = failures.length === 0 ? 0 : 1;
