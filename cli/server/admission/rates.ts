export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

interface Bucket {
  tokens: number;
  at: number;
}

/** Names that are remembered; one that is forgotten begins with a full bucket. */
const MAX_NAMES = 10_000;

/** A token bucket for each name, in this process. `now` in milliseconds, by a clock that is never set back. */
export class Rates {
  readonly #rate: Rate;
  readonly #now: () => number;
  readonly #buckets = new Map<string, Bucket>();

  constructor(rate: Rate, now: () => number) {
    this.#rate = rate;
    this.#now = now;
  }

  /** Takes a token; undefined where there was one, or after how many seconds there is. */
  take(name: string): number | undefined {
    const wait = this.wait(name, 1);
    if (wait === undefined) this.charge(name, 1);
    return wait;
  }

  /** After how many seconds, at least 1, `tokens` are there; undefined where they are. */
  wait(name: string, tokens = 0): number | undefined {
    const missing = tokens - this.#bucket(name).tokens;
    return missing <= 0 ? undefined : Math.max(1, Math.ceil(missing / this.#rate.perSecond));
  }

  /** After how many milliseconds nothing is owed any more. */
  owedMs(name: string): number {
    return Math.max(0, Math.ceil((-this.#bucket(name).tokens * 1000) / this.#rate.perSecond));
  }

  /** Takes tokens for what was done already, also such as are not there: the name waits until they are. */
  charge(name: string, tokens: number): void {
    this.#bucket(name).tokens -= tokens;
  }

  #bucket(name: string): Bucket {
    const { perSecond, burst } = this.#rate;
    const at = this.#now();
    const known = this.#buckets.get(name);
    const bucket = known ?? { tokens: burst, at };
    bucket.tokens = Math.min(burst, bucket.tokens + ((at - bucket.at) * perSecond) / 1000);
    bucket.at = at;
    // the longest unused is forgotten first
    if (known !== undefined) this.#buckets.delete(name);
    this.#buckets.set(name, bucket);
    if (this.#buckets.size > MAX_NAMES) this.#buckets.delete(this.#buckets.keys().next().value!);
    return bucket;
  }
}
