/**
 * Lets callers that would race for the same ledger item take turns instead. It saves lost races within one process
 * and promises nothing: the conditional write does.
 */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>();

  async take<T>(name: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(name) ?? Promise.resolve();
    const mine = before.then(work, work);
    this.#last.set(name, mine);
    try {
      return await mine;
    } finally {
      if (this.#last.get(name) === mine) this.#last.delete(name);
    }
  }
}

interface Waiting<T> {
  readonly served: (result: T | undefined) => void;
  readonly failed: (error: unknown) => void;
}

/**
 * Serves all who wait for the same name by one piece of work. It is told how many they are, and has a result for as many
 * of them as it can: the others wait for the next one. Where it has none, nobody gets any.
 */
export class SharedTurns<T> {
  readonly #waiting = new Map<string, Waiting<T>[]>();

  async take(name: string, work: (waiting: number) => Promise<readonly T[]>): Promise<T | undefined> {
    return await new Promise((served, failed) => {
      const waiting = this.#waiting.get(name);
      if (waiting !== undefined) {
        waiting.push({ served, failed });
        return;
      }
      const first = [{ served, failed }];
      this.#waiting.set(name, first);
      void this.#serve(name, first, work);
    });
  }

  async #serve(
    name: string,
    waiting: Waiting<T>[],
    work: (waiting: number) => Promise<readonly T[]>,
  ): Promise<void> {
    while (waiting.length > 0) {
      const count = waiting.length;
      try {
        const results = await work(count);
        const ready = waiting.splice(0, results.length === 0 ? count : results.length);
        for (const [i, { served }] of ready.entries()) served(results[i]);
      } catch (error) {
        for (const { failed } of waiting.splice(0, count)) failed(error);
      }
    }
    this.#waiting.delete(name);
  }
}
