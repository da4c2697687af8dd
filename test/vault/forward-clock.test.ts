import { expect, it } from 'vitest';
import { ForwardClock } from '../../shared/vault/forward-clock.ts';

it('a clock that goes forward follows the wall, and the time of the process where the wall is set back', () => {
  let ran = 0;
  const clock = new ForwardClock(() => ran);
  const at = (wall: number) => clock.now(new Date(wall));
  expect(at(1_000_000)).toBe(1_000_000);
  ran = 500;
  expect(at(1_000_600)).toBe(1_000_600);
  ran = 1_500;
  expect(at(2_000)).toBe(1_001_600);
  ran = 2_500;
  expect(at(1_002_000)).toBe(1_002_600);
  ran = 3_500;
  expect(at(5_000_000)).toBe(5_000_000);
});
