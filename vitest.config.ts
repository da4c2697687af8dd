import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { EvidenceReporter } from './evidence/reporter.ts';
import { readRequirements, tagsOf } from './evidence/requirements.ts';
import { CountsReporter } from './test/support/counts-reporter.ts';

const has = (file: string, text: string) =>
  readFileSync(join(import.meta.dirname, file), 'utf8').includes(text);
const imports = (file: string, module: string) => has(file, `/${module}'`);

/** The long run has the files that ask for an effort: the others make in `npm test` already all that they make. */
const asksForEffort = (file: string) => imports(file, 'effort.ts');
/** A PKCS#11 library is told once per process where its tokens are, so that each of these files has one of its own. */
const loadsLibrary = (file: string) => imports(file, 'softhsm.ts');

/** The form in force is one of the process, and other files leave deployments open in theirs. */
const holdsForms = (file: string) => imports(file, 'records/forms.ts');

/** What stands in the place of a module stays out of the processes that share theirs. */
const standsIn = (file: string) => has(file, 'vi.mock(');

const needsItsOwn = (file: string) => loadsLibrary(file) || holdsForms(file) || standsIn(file);

// processes and threads that tests start, as well as the workers, find their modules stripped of types and compiled
process.env.NODE_COMPILE_CACHE ??= join(import.meta.dirname, 'node_modules/.cache/smdpf');

/** Tests that name a requirement: { tags: ['I1'] }. */
const namesRequirement = (file: string) => has(file, ' tags: [');

/** What `npm run evidence` reads, and what other tools do. */
function evidenceReporters() {
  const results = process.env.SMDPF_EVIDENCE_RESULTS;
  if (results === undefined) return [];
  const junit = ['junit', { outputFile: join(results, '../junit.xml') }] as ['junit', { outputFile: string }];
  return [new EvidenceReporter(results), junit];
}

// `vitest run --mode long` is `npm run test:long`, `--mode evidence` a part of `npm run evidence`
export default defineConfig(({ mode }) => {
  const long = mode === 'long';
  const evidence = mode === 'evidence';
  const files = globSync('test/**/*.test.ts', { cwd: import.meta.dirname }).filter(
    (file) => (!long || asksForEffort(file)) && (!evidence || namesRequirement(file)),
  );
  const project = (name: string, isolate: boolean, include: readonly string[]) => ({
    extends: true as const,
    test: { name, isolate, include: [...include] },
  });
  return {
    test: {
      projects: [
        // modules are loaded once per worker; a test that changes the environment puts it back
        project(
          'shared',
          false,
          files.filter((file) => !needsItsOwn(file)),
        ),
        project('alone', true, files.filter(needsItsOwn)),
      ],
      // a tag that is of no requirement stops its file; the report lists it as an orphan
      tags: tagsOf(readRequirements()),
      strictTags: !evidence,
      env: { SMDPF_TEST_EFFORT: long ? 'long' : 'short' },
      // a bound for what hangs, not a measure: other work may share the machine
      testTimeout: long ? 300_000 : 120_000,
      hookTimeout: long ? 300_000 : 120_000,
      expect: { poll: { timeout: 60_000, interval: 20 } },
      maxWorkers: '100%',
      setupFiles: ['test/support/scrypt-once.ts', 'test/support/counted-properties.ts'],
      reporters: [
        'default',
        new CountsReporter(long ? 'npm run test:long' : 'npm test, less than npm run test:long,'),
        ...(long ? [] : evidenceReporters()),
      ],
      // V8 may abort a process whose threads tier up one such wrapper: see shared/jobs/worker-lane.ts
      execArgv: ['--wasm-wrapper-tiering-budget=2000000000'],
    },
  };
});
