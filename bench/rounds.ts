/** Times of one piece of work, microseconds per operation. */
export interface Timing {
  readonly name: string;
  readonly minMicros: number;
  readonly medianMicros: number;
}

export interface Work {
  readonly name: string;
  readonly run: () => unknown;
}

/**
 * Runs every piece of work for `sliceMs` in each of `rounds` rounds, one after the other, so that whatever else the
 * machine does falls on all of them alike. The first round warms up and is not counted.
 */
export async function interleaved(
  works: readonly Work[],
  rounds: number,
  sliceMs: number,
): Promise<Timing[]> {
  const samples = works.map((): number[] => []);
  for (let round = 0; round <= rounds; round++) {
    for (const [index, work] of works.entries()) {
      const micros = await timeSlice(work, sliceMs);
      if (round > 0) samples[index]!.push(micros);
    }
  }
  return works.map(({ name }, index) => {
    const sorted = samples[index]!.toSorted((a, b) => a - b);
    return { name, minMicros: sorted[0]!, medianMicros: sorted[sorted.length >> 1]! };
  });
}

async function timeSlice({ run }: Work, sliceMs: number): Promise<number> {
  let operations = 0;
  const start = performance.now();
  let elapsed = 0;
  do {
    // only what returns a promise pays for awaiting it
    const pending = run();
    if (pending instanceof Promise) await pending;
    operations++;
    elapsed = performance.now() - start;
  } while (elapsed < sliceMs);
  return (elapsed * 1000) / operations;
}
