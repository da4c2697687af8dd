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
interface Guard {
  readonly rule: string;
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

const GUARDS: readonly Guard[] = [
  {
    rule: 'I4',
    file: 'esbpp/requests.ts',
    from: 'if (job.bodyHash !== bodyHash) {',
    to: "if (job.bodyHash === '') {",
  },
  {
    rule: 'I8',
    file: 'esbpp/commit.ts',
    from: 'commitLine(place, answer, progress, record.committedAt),',
    to: '',
  },
  {
    rule: 'I5',
    file: 'esbpp/commit.ts',
    from: 'await new PackReader(context, job.orderId).destroyPpks(positions);',
    to: 'void positions;',
  },
  {
    rule: 'I3',
    file: 'esbpp/commit.ts',
    from: 'await putCommitRecord(context.vault, lockedCommit({ jobId, job, chunk }, record, chains));',
    to: '',
  },
  { rule: 'I1', file: 'esed1/claims.ts', from: "key.state === 'free' ||", to: 'true ||' },
  {
    rule: 'I11',
    file: 'esbpp/binding.ts',
    from: '.filter((one) => !isClaimed(one))',
    to: '.filter(() => true)',
  },
  {
    rule: 'I6',
    file: 'esbpp/deliverable-chunk.ts',
    from: 'record.trustEpoch === view.epoch ?',
    to: 'record.trustEpoch <= view.epoch ?',
  },
  { rule: 'I7', file: 'eligibility/gate.ts', from: 'requireEntitled(record, profile.askedBy, eid);', to: '' },
  {
    rule: 'I10',
    file: 'life/destroy.ts',
    from: 'for (const name of trace.objects) await vault.remove(name);',
    to: '',
  },
  { rule: 'I11', file: 'profile/ppk-seal.ts', from: 'iccid, toHex(entry)]', to: 'iccid]' },
  {
    rule: 'I12',
    file: 'restore/identity.ts',
    from: 'if (found === undefined || found.deployment === claimed.deployment) return;',
    to: 'if (found !== undefined || claimed !== undefined) return;',
  },
  { rule: 'I13', file: 'parties/parties.ts', from: 'await this.#rates.take(identifier);', to: '' },
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
  it.each(GUARDS.slice(0, MUTATIONS))('of $rule ($file)', async ({ rule, file: path, from, to }) => {
    const { failure, operations } = await simulateWithout(path, from, to);
    expect(failure?.message, `after ${operations} operations`).toContain(`${rule}: `);
    console.log(`${rule} is missed after ${operations} operations`);
    count('mutations', 1);
  });
});
