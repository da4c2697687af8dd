interface Waiting {
  readonly due: number;
  readonly go: () => void;
}

/** Turns of the event loop without news after which nothing more comes by itself. */
const QUIET_TURNS = 4;

/** The longest back-off. */
const MOMENT_MS = 1_600;

/** Work of the thread pool, as signatures are; it brings news when it has ended. */
const isUnderWay = () => process.getActiveResourcesInfo().some((name) => /REQUEST|FSReq/.test(name));

/**
 * Time that passes only where everybody waits for it, so that how long calls take one after the other is told by which of
 * them wait for which, and not by the machine. What happens between two calls takes none of it.
 */
export class VirtualTime {
  now = 0;
  #waiting: Waiting[] = [];
  #news = 0;
  #turning = false;

  /** Resolves once `duration` has passed for all. */
  pass(duration: number): Promise<void> {
    return new Promise((go) => {
      this.#waiting.push({ due: this.now + duration, go });
      this.#news += 1;
      this.#turn();
    });
  }

  /**
   * Has the back-off between attempts, and whatever else waits by `setTimeout` for a moment, wait for this time until it is
   * disposed of. A longer wait is the watch on a call that hangs, which none does here, and never ends.
   */
  withTimers(): Disposable {
    const real = { setTimeout: globalThis.setTimeout, clearTimeout: globalThis.clearTimeout };
    const cleared = new WeakSet<object>();
    const wait = (go: (...args: unknown[]) => void, duration = 0, ...args: unknown[]) => {
      const timer = { ref: () => timer, unref: () => timer, hasRef: () => true };
      if (duration <= MOMENT_MS) void this.pass(duration).then(() => cleared.has(timer) || go(...args));
      return timer;
    };
    const clear = (timer: unknown) => {
      if (typeof timer === 'object' && timer !== null) cleared.add(timer);
      real.clearTimeout(timer as NodeJS.Timeout);
    };
    Object.assign(globalThis, { setTimeout: wait, clearTimeout: clear });
    return { [Symbol.dispose]: () => void Object.assign(globalThis, real) };
  }

  #turn(): void {
    if (this.#turning) return;
    this.#turning = true;
    let seen = this.#news;
    let quiet = 0;
    const turn = () => {
      quiet = this.#news === seen && !isUnderWay() ? quiet + 1 : 0;
      seen = this.#news;
      if (quiet < QUIET_TURNS) return void setImmediate(turn);
      this.#turning = false;
      const due = Math.min(...this.#waiting.map((one) => one.due));
      if (due === Number.POSITIVE_INFINITY) return;
      this.now = due;
      const ready = this.#waiting.filter((one) => one.due === due);
      this.#waiting = this.#waiting.filter((one) => one.due !== due);
      for (const { go } of ready) go();
      if (this.#waiting.length > 0) this.#turn();
    };
    setImmediate(turn);
  }
}
