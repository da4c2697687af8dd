import { expect, it } from 'vitest';
import { effort, LONG } from './effort.ts';

it('an effort is that of the run, short or long', () => {
  expect(effort({ short: 1, long: 2 })).toBe(LONG ? 2 : 1);
});

it.each([
  { short: 0, long: 1 },
  { short: 1, long: 0 },
])('an effort of none is refused: $short in a short run, $long in a long one', (none) => {
  expect(() => effort(none)).toThrow(RangeError);
});
