/** When a callback that was not taken is posted again, embedded and on AWS alike (docs/operators.md, "Callbacks"). */
export interface Schedule {
  /** Milliseconds before the second attempt; doubles with each. */
  readonly firstPauseMs: number;
  readonly longestPauseMs: number;
  /** Attempts in all; then the notice is parked. */
  readonly attempts: number;
}

export const SCHEDULE: Schedule = { firstPauseMs: 1_000, longestPauseMs: 3_600_000, attempts: 36 };

/** Milliseconds from the attempt of this number, which failed, to the next one; undefined after the last one. */
export function pauseAfter(attempt: number, schedule: Schedule = SCHEDULE): number | undefined {
  if (attempt >= schedule.attempts) return undefined;
  return Math.min(schedule.firstPauseMs * 2 ** (attempt - 1), schedule.longestPauseMs);
}
