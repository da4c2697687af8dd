/**
 * A clock that never goes back: the time of the wall, or where that was set back the latest that was seen, moved on by
 * the time that the process has run since. What has expired stays so. A process that starts anew begins with the wall.
 */
export class ForwardClock {
  readonly #monotonicMs: () => number;
  #latestMs = 0;
  #seenAtMs = 0;

  constructor(monotonicMs: () => number = () => performance.now()) {
    this.#monotonicMs = monotonicMs;
  }

  /** Milliseconds since 1970, given what the wall says. */
  now(wall: Date): number {
    const at = this.#monotonicMs();
    this.#latestMs = Math.max(wall.getTime(), this.#latestMs + at - this.#seenAtMs);
    this.#seenAtMs = at;
    return this.#latestMs;
  }
}
