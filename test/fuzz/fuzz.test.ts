import { describe, expect, it } from 'vitest';
import { count } from '../support/counts.ts';
import { effort } from '../support/effort.ts';
import { everything } from './everything.ts';
import { parsers } from './parsers.ts';
import { type FuzzResult, fuzz } from './run.ts';
import type { Target } from './target.ts';

/** `npm run fuzz` makes as many as it is told. */
const INPUTS = effort({ short: 600, long: 200_000 });
const SLOWEST_MS = 5_000;

const seed = Date.now();

function expectTyped({ byKind, failures }: FuzzResult): void {
  expect(failures.map(({ kind, error }) => `seed ${seed}, ${kind}: ${String(error)}`)).toEqual([]);
  for (const [kind, { inputs, longestMs }] of byKind) {
    count('mutations', inputs);
    expect(inputs, kind).toBeGreaterThan(0);
    expect(longestMs, kind).toBeLessThan(SLOWEST_MS);
  }
}

describe('what is mutated is taken or refused by a typed refusal', () => {
  it('by every parser', async () => {
    expectTyped(await fuzz(await parsers(), INPUTS, seed));
  });

  // npm test has bodies of every function, changed and cut, in test/lambdas
  it.runIf(INPUTS > 100_000)('by every function, by the real services and by a server over TLS', async () => {
    const { targets, shareOf, close } = await everything();
    try {
      expectTyped(await fuzz(targets, INPUTS / 2, seed, { shareOf }));
    } finally {
      await close();
    }
  });
});

describe('the fuzzer', () => {
  const target = (run: Target['run']): Target => ({
    kind: 'one',
    seeds: [Buffer.from('30030201ff', 'hex')],
    run,
  });

  it('makes the same inputs for the same seed', async () => {
    const made = async () => {
      const inputs: string[] = [];
      await fuzz([target((input) => inputs.push(Buffer.from(input).toString('hex')))], 200, 7);
      return inputs;
    };
    const inputs = await made();
    expect(await made()).toEqual(inputs);
    expect(new Set(inputs).size).toBeGreaterThan(100);
  });

  it('finds what throws anything but a Refusal, with its input', async () => {
    const { failures, byKind } = await fuzz(
      [target((input) => input.length === 4 && Object(null).missing.member)],
      500,
      7,
    );
    expect(failures).toHaveLength(1);
    expect(failures[0]!.input).toHaveLength(8);
    expect(byKind.get('one')!.inputs).toBe(500);
  });
});
