import type { KeyOperation, KeyRegistry, KeyUseCount } from '../../keys/registry.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import { auditWrite } from '../audit/line.ts';

/** Milliseconds between lines of the audit log that sum up the uses of each key. */
export const KEY_USE_MS = 60_000;

/**
 * Takes the uses of keys into the audit log: a line for each key and operation that was used since the last round,
 * with how often it was done and how often it failed. Never a line for each signature, which would make thousands a
 * second wait for the ledger; the registry counts every single one.
 */
export class KeyUseJournal {
  readonly #registry: KeyRegistry;
  readonly #ledger: Ledger;
  readonly #now: () => number;
  readonly #newId: () => string;
  readonly #written = new Map<string, KeyUseCount>();
  #since: number;

  /** `newId` gives an identifier that no other process has. */
  constructor(registry: KeyRegistry, ledger: Ledger, now: () => number, newId: () => string) {
    this.#registry = registry;
    this.#ledger = ledger;
    this.#now = now;
    this.#newId = newId;
    this.#since = now();
    for (const [name, count] of this.#counts()) this.#written.set(name, count);
  }

  /** A round where the last one was a minute ago: for who cannot wait for a clock. */
  async roundIfDue(): Promise<void> {
    if (Math.abs(this.#now() - this.#since) >= KEY_USE_MS) await this.round();
  }

  async round(): Promise<void> {
    const until = this.#now();
    for (const [name, count] of this.#counts()) {
      const before = this.#written.get(name) ?? { done: 0, failed: 0 };
      const done = count.done - before.done;
      const failed = count.failed - before.failed;
      if (done + failed === 0) continue;
      const [operation, uri] = name.split(' ', 2) as [KeyOperation, string];
      const role = this.#registry.roles.get(uri);
      const since = new Date(this.#since).toISOString();
      const about = { key: uri, role, operation, done, failed, since };
      const line = { event: 'key.used', by: 'server', about } as const;
      await this.#ledger.write(auditWrite(line, `key-used-${this.#newId()}`, until));
      this.#written.set(name, count);
    }
    this.#since = until;
  }

  /** By operation and canonical URI, which has no space. */
  *#counts(): Generator<[string, KeyUseCount]> {
    for (const [uri, operations] of this.#registry.counts())
      for (const [operation, count] of Object.entries(operations)) yield [`${operation} ${uri}`, count];
  }
}
