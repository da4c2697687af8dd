import type { Counted, FuzzResult } from './run.ts';

/** What a run has made, as one process can tell another. */
export interface Told {
  readonly byKind: readonly (readonly [kind: string, counted: Counted])[];
  readonly failures: readonly { readonly kind: string; readonly error: string; readonly input: string }[];
  /** Octets of resident memory at most, of each process. */
  readonly peaks: readonly number[];
}

export function told({ byKind, failures, peakMemory }: FuzzResult): Told {
  const inWords = (error: unknown) =>
    error instanceof Error ? (error.stack ?? error.message) : String(error);
  return {
    byKind: [...byKind],
    failures: failures.map(({ kind, error, input }) => ({ kind, error: inWords(error), input })),
    peaks: [peakMemory],
  };
}

export function together(results: readonly Told[]): Told {
  const byKind = new Map<string, Counted>();
  for (const [kind, counted] of results.flatMap((result) => result.byKind)) {
    const { inputs, accepted, refused, longestMs, cpuMs } = byKind.get(kind) ?? NONE;
    byKind.set(kind, {
      inputs: inputs + counted.inputs,
      accepted: accepted + counted.accepted,
      refused: refused + counted.refused,
      longestMs: Math.max(longestMs, counted.longestMs),
      cpuMs: cpuMs + counted.cpuMs,
    });
  }
  return {
    byKind: [...byKind],
    failures: results.flatMap(({ failures }) => failures),
    peaks: results.flatMap(({ peaks }) => peaks),
  };
}

const NONE: Counted = { inputs: 0, accepted: 0, refused: 0, longestMs: 0, cpuMs: 0 };
