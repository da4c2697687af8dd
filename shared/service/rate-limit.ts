import { refuse } from '../errors.ts';

export interface RateLimit {
  /** Calls in the long run. */
  readonly perSecond: number;
  /** Calls at once after a pause. */
  readonly burst: number;
}

/** Names that are remembered; a bucket that is full again is as good as none. */
const MAX_BUCKETS = 10_000;

/** A token bucket for each party, in this process: behind several, each lets a party do as much. */
export class RateLimiter {
  readonly #limit: RateLimit;
  readonly #now: () => number;
  readonly #buckets = new Map<string, { tokens: number; at: number }>();

  /** `now` in milliseconds. */
  constructor(limit: RateLimit, now: () => number) {
    this.#limit = limit;
    this.#now = now;
  }

  /** Takes a token of this party, or refuses as `rateExceeded` and says when the next one is there. */
  take(party: string): void {
    const { perSecond, burst } = this.#limit;
    const at = this.#now();
    const before = this.#buckets.get(party) ?? { tokens: burst, at };
    const earned = (Math.max(0, at - before.at) * perSecond) / 1000;
    const tokens = Math.min(burst, before.tokens + earned);
    if (tokens < 1) {
      const seconds = Math.ceil((1 - tokens) / perSecond);
      refuse('rateExceeded', `more than ${perSecond} calls a second; try again in ${seconds} s`, {
        subjectIdentifier: party,
      });
    }
    this.#buckets.delete(party);
    this.#buckets.set(party, { tokens: tokens - 1, at });
    if (this.#buckets.size > MAX_BUCKETS) this.#buckets.delete(this.#buckets.keys().next().value!);
  }
}
