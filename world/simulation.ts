import type { Cast } from './cast.ts';
import { counted, type FaultKind } from './faults.ts';
import { drawHistory, type Failure, type History, run, type Told } from './history.ts';
import { seedOf } from './random.ts';
import { shrink } from './shrink.ts';

export interface Wanted {
  readonly seed: number;
  readonly operations: number;
  /** Operations of a history: each has a world of its own, so that memory is bounded and a failure is near its causes. */
  readonly length: number;
  /** Only the history with this number. */
  readonly history?: number;
  readonly shrink: boolean;
  /** Whether ledgers are lost and put back, and disks lie. */
  readonly disasters: boolean;
  readonly progress: (line: string) => void;
}

export interface Simulated {
  readonly seed: number;
  readonly operations: number;
  readonly histories: number;
  readonly byKind: Readonly<Record<string, number>>;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly faults: Readonly<Record<string, number>>;
  readonly checks: Readonly<Record<string, number>>;
  /** Calls to stores, keys and clocks, and profiles bound. */
  readonly turns: number;
  /** Of the order of all that went on, and when: the same for the same seed. */
  readonly trace: string;
  readonly bound: number;
  readonly seconds: number;
  readonly peakMegabytes: number;
  readonly failure?: Failure & { readonly history: number; readonly shortest?: History };
  readonly text: string;
}

const PROGRESS_MS = 10_000;

class Counts implements Told {
  readonly kinds = counted<string>();
  readonly outcomes = counted<string>();
  readonly faults = counted<FaultKind>();
  readonly checked = counted<string>();
  operations = 0;
  turns = 0;
  trace = 0;
  bound = 0;

  operation(kind: string, outcome: string): void {
    this.operations += 1;
    this.kinds.add(kind);
    this.outcomes.add(`${kind}: ${outcome}`);
  }

  fault(kind: FaultKind): void {
    this.faults.add(kind);
  }

  checks(counts: ReadonlyMap<string, number>): void {
    for (const [rule, number] of counts) this.checked.add(rule, number);
  }

  did(turns: number, bound: number, trace: number): void {
    this.turns += turns;
    this.bound += bound;
    this.trace = Math.imul(this.trace, 31) + trace;
  }
}

/** Histories one after the other, until so many operations are made or a rule is broken. */
export async function simulateMany(cast: Cast, wanted: Wanted): Promise<Simulated> {
  const counts = new Counts();
  const begun = performance.now();
  let told = begun;
  let histories = 0;
  let peak = 0;
  let failure: Simulated['failure'];
  for (let number = wanted.history ?? 0; counts.operations < wanted.operations; number++) {
    const length = Math.min(wanted.length, wanted.operations - counts.operations);
    const history = drawHistory(
      seedOf(wanted.seed, number),
      wanted.history === undefined ? length : wanted.length,
      wanted.disasters,
    );
    const failed = await run(history, cast, counts);
    histories += 1;
    peak = Math.max(peak, process.memoryUsage().rss);
    if (failed !== undefined) {
      wanted.progress(
        `history ${number} of seed ${wanted.seed} fails at step ${failed.step}: ${failed.message}`,
      );
      const shortest = wanted.shrink ? await shrink(history, failed, cast, wanted.progress) : undefined;
      failure = { ...failed, history: number, ...(shortest === undefined ? {} : { shortest }) };
      break;
    }
    if (wanted.history !== undefined) break;
    if (performance.now() - told < PROGRESS_MS) continue;
    told = performance.now();
    const seconds = (told - begun) / 1000;
    wanted.progress(
      `${counts.operations} operations, ${counts.bound} profiles bound, ${Math.round(counts.operations / seconds)} a second`,
    );
  }
  const result = {
    seed: wanted.seed,
    operations: counts.operations,
    histories,
    byKind: counts.kinds.entries(),
    outcomes: counts.outcomes.entries(),
    faults: counts.faults.entries(),
    checks: counts.checked.entries(),
    turns: counts.turns,
    trace: (counts.trace >>> 0).toString(16).padStart(8, '0'),
    bound: counts.bound,
    seconds: Math.round((performance.now() - begun) / 100) / 10,
    peakMegabytes: Math.round(peak / 2 ** 20),
    ...(failure === undefined ? {} : { failure }),
  };
  return { ...result, text: inWords(result, wanted.length) };
}

function inWords(result: Omit<Simulated, 'text'>, length: number): string {
  const table = (counts: Readonly<Record<string, number>>) =>
    Object.entries(counts).map(([name, number]) => `  ${String(number).padStart(9)}  ${name}`);
  const { failure } = result;
  return [
    `seed ${result.seed}: ${result.operations} operations in ${result.histories} histories of ${length}, ${result.seconds} s, ${result.peakMegabytes} MB`,
    `${result.turns} calls to stores, keys and clocks; ${result.bound} profiles bound; trace ${result.trace}`,
    'operations',
    ...table(result.byKind),
    'faults',
    ...table(result.faults),
    'checks',
    ...table(result.checks),
    failure === undefined
      ? '0 violations'
      : `VIOLATION of ${failure.invariant} in history ${failure.history}, step ${failure.step}: ${failure.message}`,
    ...(failure?.shortest?.steps ?? []).map(({ operations }, i) => `  ${i}. ${operations.join(' | ')}`),
    ...(failure === undefined
      ? []
      : [`again: npm run simulate -- --seed ${result.seed} --history ${failure.history} --length ${length}`]),
    '',
  ].join('\n');
}
