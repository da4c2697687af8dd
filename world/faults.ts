import type { Random } from './random.ts';

/** What can go wrong by itself. */
export type FaultKind =
  | 'deathBefore'
  | 'deathAfter'
  | 'errorBefore'
  | 'answerLost'
  | 'delay'
  | 'lateWrite'
  | 'partOfMany'
  | 'clockForward'
  | 'clockBack'
  | 'duplicate'
  | 'restart'
  | 'damage'
  | 'lyingDisk'
  | 'ledgerRestored';

export const counted = <K extends string>() => {
  const counts = new Map<K, number>();
  return {
    add: (kind: K, number = 1) => void counts.set(kind, (counts.get(kind) ?? 0) + number),
    entries: () => Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1))),
  };
};

/** What goes wrong at the n-th call of a step; nothing where there is none. */
export interface Plan {
  readonly kind: Extract<FaultKind, 'deathBefore' | 'deathAfter' | 'errorBefore' | 'answerLost' | 'delay'>;
  readonly call: number;
  /** Milliseconds, of a delay. */
  readonly ms: number;
}

const KINDS = ['deathBefore', 'deathAfter', 'errorBefore', 'answerLost', 'delay'] as const;
/** Most steps are left alone, so that much is done too. */
const TROUBLED = 1 / 5;
/** Later than a call may take, sooner than the reaper's second look (shared/service/life: 30 minutes). */
const LONGEST_DELAY_MS = 10 * 60_000;

export function drawPlans(random: Random): Plan[] {
  if (!random.chance(TROUBLED)) return [];
  return Array.from({ length: 1 + random.below(2) }, () => {
    // calls come in tens: small numbers hit the beginnings, large ones the ends
    const call = 1 + random.below(random.chance(0.5) ? 15 : 60);
    return { kind: random.pick(KINDS), call, ms: random.below(LONGEST_DELAY_MS) };
  });
}
