/** Work that a running server does again and again. */
export interface Rounds {
  /** Waits for a round under way. */
  stop(): Promise<void>;
}

/** Runs `work` now and `pauseMs` after each end of it. An error is told, and the next round comes all the same. */
export function startRounds(
  work: () => Promise<unknown>,
  pauseMs: number,
  onError: (error: Error) => void,
): Rounds {
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let round: Promise<unknown> = Promise.resolve();
  const next = () => {
    round = work()
      .catch(onError)
      .then(() => {
        if (!stopped) timer = setTimeout(next, pauseMs);
      });
  };
  next();
  return {
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await round;
    },
  };
}
