import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import type { Simulated } from '../../world/simulation.ts';
import { count } from '../support/counts.ts';
import { effort } from '../support/effort.ts';

// in a process of its own: a simulation takes clock, timers and randomness over
const SIMULATE = fileURLToPath(new URL('../../world/simulate.ts', import.meta.url));
const OPERATIONS = effort({ short: 100, long: 4_000 });

type Result = Pick<
  Simulated,
  | 'operations'
  | 'histories'
  | 'turns'
  | 'trace'
  | 'bound'
  | 'byKind'
  | 'outcomes'
  | 'faults'
  | 'checks'
  | 'failure'
>;

async function simulate(seed: number, operations: number): Promise<Result> {
  const args = [
    SIMULATE,
    '--seed',
    String(seed),
    '--operations',
    String(operations),
    '--json',
    '--no-shrink',
  ];
  const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: 2 ** 26 });
  // how long it took and what it needed may differ, and nothing else: the trace is of every turn and its time
  const { seconds: _seconds, peakMegabytes: _peak, text: _text, ...result } = JSON.parse(stdout) as Simulated;
  return result;
}

it('a seed makes the same history each time, and no invariant breaks in it (I1–I13)', {
  tags: ['I1', 'I2', 'I3', 'I4', 'I5', 'I6', 'I7', 'I8', 'I9', 'I10', 'I11', 'I12', 'I13'],
}, async () => {
  const [one, again] = await Promise.all([simulate(4, OPERATIONS), simulate(4, OPERATIONS)]);
  expect(again).toEqual(one);
  expect(one.failure).toBeUndefined();
  expect(one.operations).toBe(OPERATIONS);
  expect(one.bound).toBeGreaterThan(0);
  count('sequences', 2 * one.histories);
});
