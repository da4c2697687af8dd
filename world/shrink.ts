import type { Cast } from './cast.ts';
import { type Failure, type History, run, type Step, type Told } from './history.ts';

/** Histories that are tried at most. */
const TRIES = 400;

const SILENT: Told = {
  operation: () => undefined,
  fault: () => undefined,
  checks: () => undefined,
  did: () => undefined,
};

/** The shortest history that still breaks the same rule, found by leaving steps and operations out. */
export async function shrink(
  { seed, steps }: History,
  failure: Failure,
  cast: Cast,
  progress: (line: string) => void,
): Promise<History> {
  let tries = 0;
  const fails = async (tried: readonly Step[]): Promise<Failure | undefined> => {
    tries += 1;
    const failed = await run({ seed, steps: tried }, cast, SILENT);
    return failed?.invariant === failure.invariant ? failed : undefined;
  };
  let shortest = steps.slice(0, failure.step + 1);
  for (let size = Math.ceil(shortest.length / 2); size >= 1 && tries < TRIES; size = size > 1 ? size >> 1 : 0)
    for (let from = 0; from < shortest.length && tries < TRIES; ) {
      const tried = shortest.filter((_, i) => i < from || i >= from + size);
      const failed = await fails(tried);
      if (failed === undefined) from += size;
      else shortest = tried.slice(0, failed.step + 1);
    }
  for (let i = 0; i < shortest.length && tries < TRIES; i++)
    for (let j = shortest[i]!.operations.length - 1; j > 0 && tries < TRIES; j--) {
      const { seed: own, operations } = shortest[i]!;
      const fewer = { seed: own, operations: operations.slice(0, j) };
      const tried = shortest.map((step, at) => (at === i ? fewer : step));
      if ((await fails(tried)) !== undefined) shortest = tried;
    }
  progress(`${steps.length} steps became ${shortest.length}, in ${tries} tries`);
  return { seed, steps: shortest };
}
