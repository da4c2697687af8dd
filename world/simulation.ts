import type { Cast } from './cast.ts';
import { counted, type FaultKind } from './faults.ts';
import { drawHistory, type Failure, type History, run, type Told } from './history.ts';
import { seedOf } from './random.ts';
import { shrink } from './shrink.ts';

export interface Wanted {
  readonly seeds: readonly number[];
  /** Of each seed. */
  readonly operations: number;
  /** Operations of a history: each has a world of its own, so that memory is bounded and a failure is near its causes. */
  readonly length: number;
  /** Only the history with this number, of each seed. */
  readonly history?: number;
  readonly shrink: boolean;
  /** Whether ledgers are lost and put back, and disks lie. */
  readonly disasters: boolean;
}

/** One history of a seed: it depends on nothing else, so that histories can be made in any order and by any process. */
export interface Task {
  readonly seed: number;
  readonly history: number;
  readonly operations: number;
  readonly shrink: boolean;
  readonly disasters: boolean;
}

export interface FoundViolation extends Failure {
  readonly seed: number;
  readonly history: number;
  /** Operations that the whole history has: what `--length` has to be to make it again. */
  readonly length: number;
  readonly shortest?: History;
}

type Counts = Readonly<Record<string, number>>;

export interface Made {
  readonly task: Task;
  readonly operations: number;
  readonly byKind: Counts;
  readonly outcomes: Counts;
  readonly faults: Counts;
  readonly checks: Counts;
  /** Calls to stores, keys and clocks, and profiles bound. */
  readonly turns: number;
  readonly bound: number;
  /** Of the order of all that went on, and when: the same for the same history. */
  readonly trace: number;
  readonly seconds: number;
  readonly peakMegabytes: number;
  readonly violation?: FoundViolation;
}

/** The histories that are wanted, seed by seed. */
export function* tasksOf({ seeds, operations, length, history, ...how }: Wanted): Generator<Task> {
  for (const seed of seeds) {
    if (history !== undefined) {
      yield { seed, history, operations: length, ...how };
      continue;
    }
    for (let number = 0; number * length < operations; number++)
      yield {
        seed,
        history: number,
        operations: Math.min(length, operations - number * length),
        ...how,
      };
  }
}

class Telling implements Told {
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
    this.turns = turns;
    this.bound = bound;
    this.trace = trace;
  }
}

/** Makes a history; where it breaks a rule, and that is wanted, finds the shortest one that does. */
export async function make(cast: Cast, task: Task, progress: (line: string) => void): Promise<Made> {
  const { seed, history: number, operations } = task;
  const begun = performance.now();
  const history = drawHistory(seedOf(seed, number), operations, task.disasters);
  const told = new Telling();
  const failed = await run(history, cast, told);
  const seconds = (performance.now() - begun) / 1000;
  let violation: FoundViolation | undefined;
  if (failed !== undefined) {
    progress(`history ${number} of seed ${seed} fails at step ${failed.step}: ${failed.message}`);
    const shortest = task.shrink ? await shrink(history, failed, cast, progress) : undefined;
    violation = {
      ...failed,
      seed,
      history: number,
      length: operations,
      ...(shortest === undefined ? {} : { shortest }),
    };
  }
  return {
    task,
    operations: told.operations,
    byKind: told.kinds.entries(),
    outcomes: told.outcomes.entries(),
    faults: told.faults.entries(),
    checks: told.checked.entries(),
    turns: told.turns,
    bound: told.bound,
    trace: told.trace,
    seconds,
    peakMegabytes: process.resourceUsage().maxRSS / 2 ** 10,
    ...(violation === undefined ? {} : { violation }),
  };
}
