import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { FoundViolation } from '../../world/simulation.ts';
import type { Summary } from '../../world/summary.ts';
import { count } from '../support/counts.ts';
import { effort, LONG } from '../support/effort.ts';

/**
 * A guard of an invariant that is taken away; a simulator that knows the invariant finds that it is gone. Some show by another
 * rule than their own, whichever is broken first: positions that are bound and go back to the order (I2) are found by an answer
 * whose ICCID is committed to another eUICC, or by the verification at rest, and a ledger that is older than its commits (I9) by an answer
 * that it has no commit of, or by a chunk that is committed twice.
 */
interface Guard {
  readonly of: string;
  readonly foundAs: string;
  readonly file: string;
  readonly from: string;
  readonly to: string;
  /** One that finds it soon; others do too. */
  readonly seed: number;
}

const guard = (
  of: string,
  file: string,
  from: string,
  to: string,
  { foundAs = of, seed = 1 }: { foundAs?: string; seed?: number } = {},
): Guard => ({
  of,
  foundAs,
  file,
  from,
  to,
  seed,
});

const GUARDS: readonly Guard[] = [
  guard('I8', 'esbpp/commit.ts', 'commitLine(place, answer, progress, record.committedAt),', ''),
  guard('I1', 'esed1/claims.ts', "key.state === 'free' ||", 'true ||', { foundAs: 'I1|I3' }),
  guard('I2', 'esbpp/binding.ts', '.filter((one) => !isClaimed(one))', '.filter(() => true)', {
    foundAs: 'I2|I3|I7|I11',
  }),
  guard(
    'I3',
    'esbpp/commit.ts',
    'await putCommitRecord(context.vault, lockedCommit({ jobId, job, chunk }, record, chains));',
    '',
    { seed: 3 },
  ),
  guard('I4', 'esbpp/large-requests.ts', 'if (bodyHash !== sha256)', "if (bodyHash === '')"),
  guard(
    'I5',
    'esbpp/commit.ts',
    'await new PackReader(context, job.orderId).destroyPpks(positions);',
    'void positions;',
  ),
  guard(
    'I6',
    'esbpp/deliverable-chunk.ts',
    'record.trustEpoch === view.epoch ?',
    'record.trustEpoch <= view.epoch ?',
  ),
  guard('I7', 'eligibility/gate.ts', 'requireEntitled(record, profile.askedBy, eid);', ''),
  guard(
    'I9',
    'restore/standing.ts',
    'this.#newestKnown = chunks.every((chunk) => chunk !== undefined);',
    'this.#newestKnown = chunks.length >= 0;',
    { foundAs: 'I1|I3|I11', seed: 4 },
  ),
  guard('I10', 'life/destroy.ts', 'for (const name of trace.objects) await vault.remove(name);', ''),
  guard('I11', 'profile/ppk-seal.ts', 'iccid, toHex(entry)]', 'iccid]', { seed: 2 }),
  guard(
    'I12',
    'restore/identity.ts',
    'if (found === undefined || found.deployment === claimed.deployment) return;',
    'if (found !== undefined || claimed !== undefined) return;',
  ),
  guard('I13', 'parties/parties.ts', 'await this.#rates.take(identifier);', ''),
];
/** One guard can be waited for; the long run takes all of them away, one after the other. */
const MUTATIONS = effort({ short: 1, long: GUARDS.length });
const MOST_OPERATIONS = 100_000;

type Told = Summary & { readonly text: string };

const file = (path: string) => fileURLToPath(new URL(path, import.meta.url));

async function simulateWithout(
  { file: path, from, to, seed }: Guard,
  options: readonly string[],
): Promise<Told> {
  const args = ['--import', file('./mutated-source.ts'), file('../../world/simulate.ts'), '--json'];
  const env = { ...process.env, MUTATED_FILE: path, MUTATED_FROM: from, MUTATED_TO: to };
  const stdout = await new Promise<string>((resolve, reject) => {
    // a violation is what is expected, and ends with 1
    execFile(
      process.execPath,
      [...args, '--seed', String(seed), '--operations', String(MOST_OPERATIONS), ...options],
      { env, maxBuffer: 2 ** 26 },
      (error, out) => (out === '' ? reject(error) : resolve(out)),
    );
  });
  return JSON.parse(stdout) as Told;
}

/** The same step breaks the same rule, by whichever process and beside whatever other seed. */
async function expectAgain(gone: Guard, { shortest: _shortest, ...found }: FoundViolation): Promise<void> {
  const { seed, history, length } = found;
  const one = ['--no-shrink', '--history', String(history), '--length', String(length)];
  expect((await simulateWithout(gone, one)).violations).toEqual([found]);
  const { violations } = await simulateWithout(gone, ['--no-shrink', '--seeds', '2', '--workers', '2']);
  expect(violations.find((violation) => violation.seed === seed)).toEqual(found);
}

describe('the simulator finds within 100,000 operations that the guard is gone', () => {
  it.each(GUARDS.slice(0, MUTATIONS))('of $of ($file)', async (gone) => {
    // the first is found soon enough to be made short as well
    const isFirst = gone === GUARDS[0];
    const options = [...(isFirst ? [] : ['--no-shrink']), ...(gone.of === 'I9' ? ['--disasters'] : [])];
    const {
      violations: [found],
      operations,
      text,
    } = await simulateWithout(gone, options);
    expect(found?.message, `after ${operations} operations`).toMatch(new RegExp(`^(${gone.foundAs}): `));
    console.log(`${gone.of} is missed after ${operations} operations, as ${found?.message}`);
    if (isFirst) {
      const { steps = [] } = found?.shortest ?? {};
      // a chunk of refusals is committed too, so that not even an eUICC is needed
      expect(steps.map((step) => step.operations)).toEqual([['prepareProfiles'], ['requestBpp']]);
      for (const [i, step] of steps.entries())
        expect(text).toContain(`  ${i}. ${step.operations.join(' | ')}\n`);
      expect(text).toContain('again: npm run simulate -- --seed 1 --history 0 --length 500');
      if (LONG) await expectAgain(gone, found!);
    }
    count('mutations', 1);
  });
});
