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
