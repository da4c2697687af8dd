import { functions, services } from './functions.ts';
import { parsers } from './parsers.ts';
import { requests } from './requests.ts';
import type { Target, Targets } from './target.ts';

/** All targets, with the share of the inputs that each gets. */
export interface Everything extends Targets {
  readonly shareOf: (target: Target) => number;
}

/**
 * Parsers and functions in this process, functions that take much DER on the real services besides, and whole requests
 * over TLS to a server: the slower one input is, the fewer there are of its kind.
 */
export async function everything(): Promise<Everything> {
  const [real, https] = [await services(), await requests()];
  const groups: readonly (readonly [share: number, targets: readonly Target[]])[] = [
    [0.86, await parsers()],
    [0.12, functions()],
    [0.016, real.targets],
    [0.004, https.targets],
  ];
  const shares = new Map(
    groups.flatMap(([share, targets]) => targets.map((target) => [target, share / targets.length] as const)),
  );
  return {
    targets: [...shares.keys()],
    shareOf: (target) => shares.get(target) ?? 0,
    close: async () => {
      await Promise.all([real.close(), https.close()]);
    },
  };
}
