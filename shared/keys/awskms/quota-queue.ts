export interface Quota {
  /** Calls per second, on average. */
  readonly perSecond: number;
  /** The part of `perSecond`, 0 to 1, that bulk calls leave to interactive ones. */
  readonly interactiveShare: number;
}

export type Priority = 'interactive' | 'bulk';

/** A quarter of a second's worth may go out at once. */
const BURST_SECONDS = 0.25;

/**
 * Keeps calls under a quota. Interactive calls go first and may use all of it; bulk calls may use what is not
 * reserved. In each class calls go out in the order in which they came.
 */
export class QuotaQueue {
  readonly #all: Bucket;
  readonly #unreserved: Bucket;
  readonly #waiting: Readonly<Record<Priority, (() => void)[]>> = { interactive: [], bulk: [] };
  readonly #now: () => number;
  #timer: NodeJS.Timeout | undefined;

  /** `now` in milliseconds, of a clock that never goes back. */
  constructor(limit: Quota, now: () => number) {
    const { perSecond, interactiveShare } = limit;
    if (!(perSecond > 0) || !(interactiveShare >= 0 && interactiveShare < 1)) {
      throw new RangeError('a quota is above 0 per second, with a reserved share of at least 0 and below 1');
    }
    this.#now = now;
    this.#all = new Bucket(perSecond, now());
    this.#unreserved = new Bucket(perSecond * (1 - interactiveShare), now());
  }

  /** Resolves when the call may go out. */
  take(priority: Priority): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting[priority].push(resolve);
      if (this.#timer === undefined) this.#serve();
    });
  }

  #serve(): void {
    this.#timer = undefined;
    const now = this.#now();
    this.#all.refill(now);
    this.#unreserved.refill(now);
    const { interactive, bulk } = this.#waiting;
    while (interactive.length > 0 && this.#all.take()) interactive.shift()?.();
    while (interactive.length === 0 && bulk.length > 0 && this.#all.has() && this.#unreserved.take()) {
      this.#all.take();
      bulk.shift()?.();
    }
    const wait =
      interactive.length > 0 ? this.#all.wait() : Math.max(this.#all.wait(), this.#unreserved.wait());
    if (interactive.length > 0 || bulk.length > 0) this.#timer = setTimeout(() => this.#serve(), wait);
  }
}

/** A token bucket; times in milliseconds. */
class Bucket {
  readonly #perMillisecond: number;
  readonly #capacity: number;
  #tokens: number;
  #filledAt: number;

  constructor(perSecond: number, now: number) {
    this.#perMillisecond = perSecond / 1000;
    this.#capacity = Math.max(1, perSecond * BURST_SECONDS);
    this.#tokens = this.#capacity;
    this.#filledAt = now;
  }

  refill(now: number): void {
    const gained = (now - this.#filledAt) * this.#perMillisecond;
    this.#tokens = Math.min(this.#capacity, this.#tokens + gained);
    this.#filledAt = now;
  }

  has(): boolean {
    return this.#tokens >= 1;
  }

  take(): boolean {
    if (!this.has()) return false;
    this.#tokens -= 1;
    return true;
  }

  /** Milliseconds until a token is there. */
  wait(): number {
    return this.has() ? 0 : Math.ceil((1 - this.#tokens) / this.#perMillisecond);
  }
}
