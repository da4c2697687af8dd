import type { Log } from '../../events/log-events.ts';
import type { Slowed } from '../../keys/provider.ts';

/** Milliseconds of one line of the log for a key. */
const LINE_MS = 5_000;

/** Sums up for the log how often the calls to each key were slowed: a line for each key and call every few seconds. */
export class SlowedKeys {
  readonly #log: Log;
  readonly #waiting = new Map<string, { about: Slowed; times: number; waitedMs: number }>();

  constructor(log: Log) {
    this.#log = log;
  }

  add(slowed: Slowed): void {
    const name = `${slowed.call} ${slowed.keyId} ${slowed.reason}`;
    const known = this.#waiting.get(name);
    if (known === undefined) {
      this.#waiting.set(name, { about: slowed, times: 1, waitedMs: slowed.wait });
      setTimeout(() => this.#tell(name), LINE_MS).unref();
    } else {
      known.times += 1;
      known.waitedMs += slowed.wait;
    }
  }

  /** Tells what is not told yet. */
  close(): void {
    for (const name of [...this.#waiting.keys()]) this.#tell(name);
  }

  #tell(name: string): void {
    const entry = this.#waiting.get(name);
    if (entry === undefined) return;
    this.#waiting.delete(name);
    const { call, keyId, reason } = entry.about;
    const { times, waitedMs } = entry;
    this.#log({ event: 'key.slowed', call, key: keyId, reason, times, waitedMs });
  }
}
