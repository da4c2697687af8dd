import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Reporter, TestModule } from 'vitest/node';
import type { TestResult } from './trace.ts';

/** Writes what became of each test that carries a tag, for evidence/run.ts. A file that did not load is a failed test. */
export class EvidenceReporter implements Reporter {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    mkdirSync(dirname(this.#file), { recursive: true });
    writeFileSync(this.#file, JSON.stringify(modules.flatMap(resultsOf)));
  }
}

function resultsOf(module: TestModule): TestResult[] {
  const file = module.relativeModuleId;
  const broken = module.state() === 'failed' && module.errors().length > 0;
  const tests = [...module.children.allTests()].map((test): TestResult => {
    const { state } = test.result();
    return {
      file,
      name: test.fullName,
      tags: test.tags,
      state: state === 'pending' ? 'skipped' : state,
      ms: Math.round(test.diagnostic()?.duration ?? 0),
    };
  });
  const load: TestResult = { file, name: 'the file loads', tags: [], state: 'failed', ms: 0 };
  return [...tests.filter(({ tags }) => tags.length > 0), ...(broken ? [load] : [])];
}
