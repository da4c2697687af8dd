import { type RunnerTestCase, TestRunner } from 'vitest';

/** Whether this is `npm run test:long`, which makes all of everything, or `npm test`, which can be waited for. */
export const LONG = process.env.SMDPF_TEST_EFFORT === 'long';

/**
 * How many of something a test makes in this run: `long` in the long run, `short` otherwise, never none. A test file
 * that asks belongs to the long run by that.
 */
export function effort({ short, long }: { readonly short: number; readonly long: number }): number {
  if (short < 1 || long < 1) throw new RangeError('no rule goes untested: at least 1 in each run');
  return LONG ? long : short;
}

/** What is counted over a run. */
export type Counted = 'crashes' | 'kills' | 'mutations' | 'cuts' | 'sequences' | 'items' | 'vectors';

declare module 'vitest' {
  interface TaskMeta {
    counts?: Partial<Record<Counted, number>>;
  }
}

/** Tells the table at the end of the run what a test has made, called when it has made it. */
export function count(what: Counted, number: number): void {
  const { meta } = TestRunner.getCurrentTest<RunnerTestCase>();
  meta.counts = { ...meta.counts, [what]: (meta.counts?.[what] ?? 0) + number };
}
