import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { CountsReporter } from './test/support/counts-reporter.ts';

/** The long run has the files that ask for an effort: the others make in `npm test` already all that they make. */
const asksForEffort = (file: string) => readFileSync(file, 'utf8').includes('/support/effort.ts');
// processes and threads that tests start, as well as the workers, find their modules stripped of types and compiled
process.env.NODE_COMPILE_CACHE ??= join(import.meta.dirname, 'node_modules/.cache/smdpf');

const files = globSync('test/**/*.test.ts');

// `vitest run --mode long` is `npm run test:long`
export default defineConfig(({ mode }) => ({
  test: {
    include: mode === 'long' ? files.filter(asksForEffort) : files,
    env: { SMDPF_TEST_EFFORT: mode === 'long' ? 'long' : 'short' },
    testTimeout: 60_000,
    hookTimeout: 60_000,
    maxWorkers: '100%',
    // modules are loaded once per worker; a test that changes the environment puts it back
    isolate: false,
    setupFiles: ['test/support/scrypt-once.ts', 'test/support/counted-properties.ts'],
    reporters: [
      'default',
      new CountsReporter(mode === 'long' ? 'npm run test:long' : 'npm test, less than npm run test:long,'),
    ],
    // V8 may abort a process whose threads tier up one such wrapper: see shared/jobs/worker-lane.ts
    execArgv: ['--wasm-wrapper-tiering-budget=2000000000'],
  },
}));
