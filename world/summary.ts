import { counted } from './faults.ts';
import type { FoundViolation, Made } from './simulation.ts';

type Counts = Readonly<Record<string, number>>;

export interface Summary {
  readonly seeds: readonly number[];
  readonly operations: number;
  readonly histories: number;
  readonly byKind: Counts;
  readonly outcomes: Counts;
  readonly faults: Counts;
  readonly checks: Counts;
  /** Calls to stores, keys and clocks, and profiles bound. */
  readonly turns: number;
  readonly bound: number;
  /** Of the order of all that went on, and when: the same for the same seeds, whatever number of processes made it. */
  readonly trace: string;
  readonly seconds: number;
  readonly longest: { readonly seed: number; readonly history: number; readonly seconds: number };
  /** Of the largest process. */
  readonly peakMegabytes: number;
  /** The first of each seed: a seed ends with it. */
  readonly violations: readonly FoundViolation[];
}

const rounded = (seconds: number) => Math.round(seconds * 10) / 10;

/** Adds up what was made, in the order of seeds and histories. What comes after a seed's first violation does not count. */
export function summaryOf(all: readonly Made[], seeds: readonly number[], seconds: number): Summary {
  const place = new Map(seeds.map((seed, i) => [seed, i]));
  const inOrder = [...all].sort(
    (a, b) => place.get(a.task.seed)! - place.get(b.task.seed)! || a.task.history - b.task.history,
  );
  const ended = new Set<number>();
  const counting = inOrder.filter(({ task: { seed }, violation }) => {
    if (ended.has(seed)) return false;
    if (violation !== undefined) ended.add(seed);
    return true;
  });
  const sum = (of: (made: Made) => number) => counting.reduce((total, made) => total + of(made), 0);
  const sums = (of: (made: Made) => Counts) => {
    const counts = counted<string>();
    for (const made of counting)
      for (const [name, number] of Object.entries(of(made))) counts.add(name, number);
    return counts.entries();
  };
  const trace = counting.reduce((hash, made) => (Math.imul(hash, 31) + made.trace) | 0, 0);
  const [longest] = counting.toSorted((a, b) => b.seconds - a.seconds);
  if (longest === undefined) throw new RangeError('no history was made');
  const begun = new Set(counting.map(({ task: { seed } }) => seed));
  return {
    seeds: seeds.filter((seed) => begun.has(seed)),
    operations: sum(({ operations }) => operations),
    histories: counting.length,
    byKind: sums(({ byKind }) => byKind),
    outcomes: sums(({ outcomes }) => outcomes),
    faults: sums(({ faults }) => faults),
    checks: sums(({ checks }) => checks),
    turns: sum(({ turns }) => turns),
    bound: sum(({ bound }) => bound),
    trace: (trace >>> 0).toString(16).padStart(8, '0'),
    seconds: rounded(seconds),
    longest: { seed: longest.task.seed, history: longest.task.history, seconds: rounded(longest.seconds) },
    peakMegabytes: Math.round(Math.max(...counting.map(({ peakMegabytes }) => peakMegabytes))),
    violations: counting.flatMap(({ violation }) => violation ?? []),
  };
}

export function inWords(summary: Summary, disasters: boolean): string {
  const { seeds, longest, violations } = summary;
  const table = (counts: Counts) =>
    Object.entries(counts).map(([name, number]) => `  ${String(number).padStart(9)}  ${name}`);
  return [
    `${seeds.length === 1 ? 'seed' : 'seeds'} ${ranges(seeds)}${disasters ? ', with disasters' : ''}: ${summary.operations} operations in ${summary.histories} histories`,
    `${summary.turns} calls to stores, keys and clocks; ${summary.bound} profiles bound; trace ${summary.trace}`,
    `${summary.seconds} s, the longest history ${longest.seconds} s (${longest.history} of seed ${longest.seed}); ${summary.peakMegabytes} MB`,
    'operations',
    ...table(summary.byKind),
    'faults',
    ...table(summary.faults),
    'checks',
    ...table(summary.checks),
    ...violations.flatMap((violation) => violationInWords(violation, disasters)),
    `${violations.length} violation${violations.length === 1 ? '' : 's'}`,
    '',
  ].join('\n');
}

function violationInWords(violation: FoundViolation, disasters: boolean): string[] {
  const { invariant, seed, history, length, step, message, shortest } = violation;
  const flags = disasters ? ' --disasters' : '';
  return [
    `VIOLATION of ${invariant} in history ${history} of seed ${seed}, step ${step}: ${message}`,
    ...(shortest?.steps ?? []).map(({ operations }, i) => `  ${i}. ${operations.join(' | ')}`),
    `again: npm run simulate -- --seed ${seed} --history ${history} --length ${length}${flags}`,
  ];
}

/** 1–3, 7 */
function ranges(seeds: readonly number[]): string {
  const runs: [number, number][] = [];
  for (const seed of seeds) {
    const last = runs.at(-1);
    if (last !== undefined && last[1] + 1 === seed) last[1] = seed;
    else runs.push([seed, seed]);
  }
  return runs.map(([from, to]) => (from === to ? String(from) : `${from}–${to}`)).join(', ');
}
