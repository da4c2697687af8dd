import type { Random } from './random.ts';
import type { Snapshot } from './stores/ledger.ts';

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

/** What becomes of the ledger once every process has ended, at the end of a step. */
export type Disaster =
  /**
   * An older state of it takes its place; `archived`: the audit log had been archived to its end just before, when so many had been
   * told that something was taken away.
   */
  | { readonly kind: 'restored'; readonly backup: Snapshot; readonly archived: number | undefined }
  /** Its disk had said of so many of the last writes that they were made, and they were not. */
  | { readonly kind: 'lostWrites'; readonly writes: number };

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
