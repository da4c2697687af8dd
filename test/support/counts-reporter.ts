import type { Reporter, TestModule } from 'vitest/node';
import type { Counted } from './counts.ts';

/** Prints at the end of a run what its files have made of each kind: crashes, kills, mutations and the like. */
export class CountsReporter implements Reporter {
  readonly #run: string;

  constructor(run: string) {
    this.#run = run;
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    const made = new Map<Counted, Map<string, number>>();
    for (const module of modules) {
      const file = module.relativeModuleId.replace(/^test\/|\.test\.ts$/g, '');
      for (const test of module.children.allTests('passed'))
        for (const [what, number] of Object.entries(test.meta().counts ?? {}) as [Counted, number][]) {
          const files = made.get(what) ?? new Map<string, number>();
          made.set(what, files.set(file, (files.get(file) ?? 0) + number));
        }
    }
    if (made.size === 0) return;
    const lines = [`what ${this.#run} has made, in tests that passed`];
    for (const [what, files] of [...made].sort(([one], [other]) => one.localeCompare(other))) {
      const rows = [...files].sort(([, one], [, other]) => other - one);
      lines.push(`${figure(rows.reduce((sum, [, number]) => sum + number, 0))}  ${what}`);
      for (const [file, number] of rows) lines.push(`${figure(number)}    ${file}`);
    }
    console.log(`${lines.join('\n')}\n`);
  }
}

const figure = (number: number) => number.toLocaleString('en').padStart(11);
