interface Waiting {
  readonly due: number;
  readonly go: () => void;
}

/** Turns of the event loop without news after which nothing more comes by itself. */
const QUIET_TURNS = 4;

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

  #turn(): void {
    if (this.#turning) return;
    this.#turning = true;
    let seen = this.#news;
    let quiet = 0;
    const turn = () => {
      quiet = this.#news === seen ? quiet + 1 : 0;
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
