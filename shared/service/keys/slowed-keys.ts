import type { Log } from '../../events/log-events.ts';
import type { Slowed } from '../../keys/provider.ts';
import { becomes, changeItem } from '../../ledger/change.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import { ledgerKeys, partitions } from '../records/keys.ts';
import { type SlowedKeyRecord, slowedKey } from '../records/slowed-key.ts';

/** Milliseconds of one line of the log for a key. */
const LINE_MS = 5_000;

/** For so long after it was slowed last a key is told of as slow. */
const SLOW_FOR_MS = 15 * 60_000;
/** Keys and reasons that are looked at; a deployment has a handful. */
const LOOKED_AT = 100;

/**
 * Sums up how often the calls to each key were slowed: a line of the log for each key and call every few seconds, and an item
 * of the ledger that says when it was the last time, for whoever asks another process.
 */
export class SlowedKeys {
  readonly #log: Log;
  readonly #ledger: Ledger;
  readonly #now: () => number;
  readonly #writing = new Set<Promise<void>>();
  readonly #waiting = new Map<string, { about: Slowed; times: number; waitedMs: number }>();

  constructor(log: Log, ledger: Ledger, now: () => number) {
    this.#log = log;
    this.#ledger = ledger;
    this.#now = now;
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
  async close(): Promise<void> {
    for (const name of [...this.#waiting.keys()]) this.#tell(name);
    await Promise.all(this.#writing);
  }

  #tell(name: string): void {
    const entry = this.#waiting.get(name);
    if (entry === undefined) return;
    this.#waiting.delete(name);
    const { call, keyId, reason } = entry.about;
    const { times, waitedMs } = entry;
    this.#log({ event: 'key.slowed', call, key: keyId, reason, times, waitedMs });
    const record = { key: keyId, call, reason, times, waitedMs, at: this.#now() };
    // a ledger that cannot be written keeps nobody from signing, and the log has it
    const writing = changeItem(this.#ledger, ledgerKeys.slowedKey(keyId, `${call} ${reason}`), () =>
      becomes(slowedKey.to(record)),
    ).catch(() => undefined);
    this.#writing.add(writing);
    void writing.finally(() => this.#writing.delete(writing));
  }
}

/** Keys that were slowed a short while ago, by any process of the deployment. */
export async function slowKeysOf({
  ledger,
  now,
}: {
  readonly ledger: Pick<Ledger, 'query'>;
  readonly now: () => number;
}): Promise<SlowedKeyRecord[]> {
  const { items } = await ledger.query(partitions.slowedKeys, { limit: LOOKED_AT });
  return items.map(slowedKey.from).filter(({ at }) => now() - at < SLOW_FOR_MS);
}
