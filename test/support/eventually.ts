import { vi } from 'vitest';

/**
 * Waits until a check holds. The limit is one for what hangs and no measure: other work may share the machine, on which the second
 * that Vitest waits by itself is at times too short.
 */
export const eventually = <T>(check: () => T | Promise<T>): Promise<T> =>
  vi.waitFor(check, { timeout: 60_000, interval: 10 });
