/** A set-up file: counts the cases that fast-check makes in tests that do not say themselves what these are. */
import fc from 'fast-check';
import { afterEach, beforeEach } from 'vitest';
import { count } from './counts.ts';

let cases = 0;
fc.configureGlobal({
  ...fc.readConfigureGlobal(),
  beforeEach: () => {
    cases += 1;
  },
});

beforeEach(() => {
  cases = 0;
});

afterEach(({ task }) => {
  if (cases > 0 && task.meta.counts === undefined) count('properties', cases);
});
