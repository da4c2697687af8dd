import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // V8 may abort a process whose threads tier up one such wrapper: see shared/jobs/worker-lane.ts
    execArgv: ['--wasm-wrapper-tiering-budget=2000000000'],
  },
});
