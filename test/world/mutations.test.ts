import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { Simulated } from '../../world/simulation.ts';
import { count } from '../support/counts.ts';
import { effort } from '../support/effort.ts';

/**
 * Each takes one guard of an invariant away; a simulator that knows the invariant finds that it is gone. Positions that are
 * bound and go back to the order (I2) are found at rest, by the verification, before anybody has drawn them again.
 */
const GUARDS: readonly (readonly [rule: string, file: string, from: string, to: string])[] = [
  ['I8', 'esbpp/commit.ts', 'commitLine(place, answer, progress, record.committedAt),', ''],
  [
    'I5',
    'esbpp/commit.ts',
    'await new PackReader(context, job.orderId).destroyPpks(positions);',
    'void positions;',
  ],
  [
    'I3',
    'esbpp/commit.ts',
    'await putCommitRecord(context.vault, lockedCommit({ jobId, job, chunk }, record, chains));',
    '',
  ],
  ['I1', 'esed1/claims.ts', "key.state === 'free' ||", 'true ||'],
  ['I11', 'esbpp/binding.ts', '.filter((one) => !isClaimed(one))', '.filter(() => true)'],
  ['I13', 'parties/parties.ts', 'await this.#rates.take(identifier);', ''],
];
/** One guard can be waited for; the long run takes all of them away, one after the other. */
const MUTATIONS = effort({ short: 1, long: GUARDS.length });
const MOST_OPERATIONS = 100_000;

const file = (path: string) => fileURLToPath(new URL(path, import.meta.url));

async function simulateWithout(path: string, from: string, to: string): Promise<Simulated> {
  const args = [
    '--import',
    file('./mutated-source.ts'),
    file('../../world/simulate.ts'),
    '--seed',
    '1',
    '--json',
  ];
  const env = { ...process.env, MUTATED_FILE: path, MUTATED_FROM: from, MUTATED_TO: to };
  const stdout = await new Promise<string>((resolve, reject) => {
    const bound = ['--operations', String(MOST_OPERATIONS), '--no-shrink'];
    const options = { env, maxBuffer: 2 ** 26 };
    // a violation is what is expected, and ends with 1
    execFile(process.execPath, [...args, ...bound], options, (error, out) =>
      out === '' ? reject(error) : resolve(out),
    );
  });
  return JSON.parse(stdout) as Simulated;
}

describe('the simulator finds within 100,000 operations that the guard is gone', () => {
  it.each(GUARDS.slice(0, MUTATIONS))('of %s (%s)', async (rule, path, from, to) => {
    const { failure, operations } = await simulateWithout(path, from, to);
    expect(failure?.message, `after ${operations} operations`).toContain(`${rule}: `);
    console.log(`${rule} is missed after ${operations} operations`);
    count('mutations', 1);
  });
});
