import type { Reporter, TestCase, TestModule } from 'vitest/node';
import type { Counted } from './effort.ts';

/** Prints at the end of a run what its tests have made of each kind: crashes, kills, mutations and the like. */
export class CountsReporter implements Reporter {
  readonly #run: string;

  constructor(run: string) {
    this.#run = run;
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    const rows = modules.flatMap((module) =>
      [...module.children.allTests()].flatMap((test) => rowsOf(module, test)),
    );
    const kinds = [...new Set(rows.map(({ what }) => what))].sort();
    if (kinds.length === 0) return;
    const lines = [`what ${this.#run} has made`];
    for (const kind of kinds) {
      const of = rows.filter(({ what }) => what === kind).sort((one, other) => other.number - one.number);
      const total = of.reduce((sum, { number }) => sum + number, 0);
      lines.push(
        `${figure(total)}  ${kind}`,
        ...of.map(({ number, test }) => `${figure(number)}    ${test}`),
      );
    }
    console.log(`${lines.join('\n')}\n`);
  }
}

interface Row {
  readonly what: Counted;
  readonly number: number;
  readonly test: string;
}

function rowsOf(module: TestModule, test: TestCase): Row[] {
  const name = `${module.relativeModuleId.replace(/^test\/|\.test\.ts$/g, '')}: ${test.name}`;
  return Object.entries(test.meta().counts ?? {}).map(([what, number]) => ({
    what: what as Counted,
    number,
    test: name.length > 120 ? `${name.slice(0, 119)}…` : name,
  }));
}

const figure = (number: number) => number.toLocaleString('en').padStart(11);
