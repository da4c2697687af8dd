/**
 * Does `work` for each element, `limit` at a time; results in the order of the elements. On a failure it begins
 * nothing more, waits for what is under way, and throws the first error.
 */
export async function mapConcurrently<Element, Result>(
  elements: readonly Element[],
  limit: number,
  work: (element: Element, index: number) => Promise<Result>,
): Promise<Result[]> {
  const results = new Array<Result>(elements.length);
  const errors: unknown[] = [];
  let next = 0;
  const worker = async () => {
    while (next < elements.length && errors.length === 0) {
      const index = next++;
      try {
        results[index] = await work(elements[index]!, index);
      } catch (error) {
        errors.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, elements.length) }, worker));
  if (errors.length > 0) throw errors[0];
  return results;
}

/** Waits before the next of several attempts: at random up to 25 ms · 2^attempt, at most 1.6 s ("full jitter"). */
export async function backOff(attempt: number): Promise<void> {
  const duration = Math.random() * 25 * 2 ** Math.min(attempt, 6);
  await new Promise((resolve) => setTimeout(resolve, duration));
}

/** Attempts at what others may be quicker at; with `backOff` between them they take five seconds on average. */
const ATTEMPTS = 12;

/**
 * Makes attempts, with the common back-off between them, until one has a result. `exhausted` throws what the caller
 * learns where none of them had.
 */
export async function untilDone<Result>(
  attempt: () => Promise<{ readonly value: Result } | undefined>,
  exhausted: () => never,
  attempts: number = ATTEMPTS,
): Promise<Result> {
  for (let made = 0; made < attempts; made++) {
    if (made > 0) await backOff(made - 1);
    const done = await attempt();
    if (done !== undefined) return done.value;
  }
  return exhausted();
}

/** Both results of what is done side by side. Where one fails, the other is waited for all the same. */
export async function together<One, Other>(one: Promise<One>, other: Promise<Other>): Promise<[One, Other]> {
  await Promise.allSettled([one, other]);
  return [await one, await other];
}
