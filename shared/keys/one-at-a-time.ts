const SOFTKEYS = 'smdpf softkeys';

/**
 * Derives one key of a softkey file after the other, whichever thread of the process asks. Each takes 32 MiB for a tenth of a second, and every
 * thread of a server opens its keys when its work begins: together that was 130 MB on top of what the work takes.
 */
export function oneAtATime<Result>(derive: () => Promise<Result>): Promise<Result> {
  // Node has it from 24.5 on
  const locks: Navigator['locks'] | undefined = globalThis.navigator?.locks;
  return locks === undefined ? derive() : awake(locks.request(SOFTKEYS, derive));
}

/** A thread that waits for a lock has nothing else that keeps it from its end. */
async function awake<Result>(waiting: Promise<Result>): Promise<Result> {
  const timer = setInterval(() => undefined, 60_000);
  try {
    return await waiting;
  } finally {
    clearInterval(timer);
  }
}
