import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import type { Summary } from '../../world/summary.ts';
import { count } from '../support/counts.ts';
import { effort } from '../support/effort.ts';

// in a process of its own: a simulation takes clock, timers and randomness over
const SIMULATE = fileURLToPath(new URL('../../world/simulate.ts', import.meta.url));
const OPERATIONS = effort({ short: 100, long: 4_000 });

type Result = Omit<Summary, 'seconds' | 'longest' | 'peakMegabytes'>;

async function simulate(seed: number, workers: number): Promise<Result> {
  const options = { seed, operations: OPERATIONS, length: OPERATIONS / 2, workers };
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [SIMULATE, ...args, '--json', '--no-shrink'],
    {
      maxBuffer: 2 ** 26,
    },
  );
  // how long it took and what it needed may differ, and nothing else: the trace is of every turn and its time
  const told = JSON.parse(stdout) as Summary & { text: string };
  const { seconds: _seconds, longest: _longest, peakMegabytes: _peak, text: _text, ...result } = told;
  return result;
}

it('a seed makes the same histories each time, by one process or by two, and no invariant breaks in it (I1–I13)', {
  tags: ['I1', 'I2', 'I3', 'I4', 'I5', 'I6', 'I7', 'I8', 'I9', 'I10', 'I11', 'I12', 'I13'],
}, async () => {
  const [one, again] = await Promise.all([simulate(4, 1), simulate(4, 2)]);
  expect(again).toEqual(one);
  expect(one.violations).toEqual([]);
  expect(one.histories).toBe(2);
  expect(one.operations).toBe(OPERATIONS);
  expect(one.bound).toBeGreaterThan(0);
  count('sequences', 2 * one.histories);
});
