import { type RunnerTestCase, TestRunner } from 'vitest';

/** What is counted over a run. `properties` are cases of fast-check, in tests that count nothing else. */
export type Counted =
  | 'crashes'
  | 'attempts'
  | 'kills'
  | 'mutations'
  | 'cuts'
  | 'sequences'
  | 'items'
  | 'vectors'
  | 'agreements'
  | 'properties';

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
