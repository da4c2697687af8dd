import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { Fault } from '../errors.ts';
import { BUSY_TIMEOUT_MS, type DatabaseForm, isBusy, toDatabaseFault } from './database.ts';

/** Writes of one durable transaction; more would hold up the event loop and the other connections. */
export const GROUP_LIMIT = 4_000;
/** Milliseconds until a group asks once more for the write lock that another connection has. */
const BUSY_PAUSE_MS = 1;

interface Unit {
  /** Writes that it makes. */
  readonly size: number;
  readonly apply: () => void;
  readonly done: () => void;
  readonly failed: (fault: Fault) => void;
}

/** What runs within each transaction, before its units and after them. */
export interface AroundGroup {
  readonly before: () => void;
  readonly after: () => void;
}

/**
 * Group commit: what arrives in one turn of the event loop shares one durable transaction, and is acknowledged only after
 * that is on the medium. A unit decides by itself what it writes; one that fails, fails with its whole group, of which
 * nothing is written then. While another connection has the write lock, the loop goes on, and what arrives meanwhile joins the
 * group: SQLite's own wait would hold it up.
 */
export class GroupCommit {
  readonly #database: DatabaseSync;
  readonly #store: DatabaseForm['store'];
  readonly #begin: StatementSync;
  readonly #busyTimeoutMs: number;
  readonly #commit: StatementSync;
  readonly #around: AroundGroup | undefined;
  #queue: Unit[] = [];
  #scheduled = false;
  /** Since when another connection has had the lock, by the clock of the process. */
  #busySince: number | undefined;

  /** `busyTimeoutMs` is how long a group waits for the write transaction of another connection. */
  constructor(
    database: DatabaseSync,
    store: DatabaseForm['store'],
    around?: AroundGroup,
    busyTimeoutMs = BUSY_TIMEOUT_MS,
  ) {
    this.#database = database;
    this.#store = store;
    this.#around = around;
    this.#begin = database.prepare('BEGIN IMMEDIATE');
    this.#commit = database.prepare('COMMIT');
    this.#busyTimeoutMs = busyTimeoutMs;
  }

  /** What `work` gave, once it is durable. */
  run<Result>(size: number, work: () => Result): Promise<Result> {
    if (!this.#database.isOpen) return Promise.reject(new Fault(this.#store, `the ${this.#store} is closed`));
    return new Promise((resolve, reject) => {
      let result: Result;
      this.#queue.push({
        size,
        apply() {
          result = work();
        },
        done: () => resolve(result),
        failed: reject,
      });
      this.#schedule();
    });
  }

  /** Finishes what was asked for already, and closes the database. */
  close(): void {
    while (this.#queue.length > 0) this.#flush(() => this.#begin.run());
    if (this.#database.isOpen) this.#database.close();
  }

  #schedule(): void {
    if (this.#scheduled || this.#queue.length === 0) return;
    this.#scheduled = true;
    const next = () => {
      this.#scheduled = false;
      this.#flush(() => this.#beginNow());
      this.#schedule();
    };
    if (this.#busySince === undefined) setImmediate(next);
    else setTimeout(next, BUSY_PAUSE_MS);
  }

  /** False where another connection has the lock, and has not had it for too long. */
  #beginNow(): boolean {
    // done as it is parsed, so that it cannot be prepared
    this.#database.exec('PRAGMA busy_timeout = 0');
    try {
      this.#begin.run();
      this.#busySince = undefined;
      return true;
    } catch (error) {
      const now = performance.now();
      const since = this.#busySince ?? now;
      const waits = isBusy(error) && now - since < this.#busyTimeoutMs;
      this.#busySince = waits ? since : undefined;
      if (waits) return false;
      throw error;
    } finally {
      this.#database.exec(`PRAGMA busy_timeout = ${this.#busyTimeoutMs}`);
    }
  }

  /** Takes units from the queue up to the group limit and does them in one durable transaction, once it has begun. */
  #flush(begin: () => unknown): void {
    let count = 0;
    let size = 0;
    while (size < this.#queue.length && (size === 0 || count + this.#queue[size]!.size <= GROUP_LIMIT)) {
      count += this.#queue[size]!.size;
      size += 1;
    }
    const group = this.#queue.splice(0, size);
    if (group.length === 0) return;
    try {
      if (begin() === false) {
        this.#queue.unshift(...group);
        return;
      }
      this.#around?.before();
      for (const { apply } of group) apply();
      this.#around?.after();
      this.#commit.run();
    } catch (error) {
      const fault = toDatabaseFault(this.#store, error);
      if (this.#database.isOpen && this.#database.isTransaction) this.#rollBack();
      for (const { failed } of group) failed(fault);
      return;
    }
    for (const { done } of group) done();
  }

  #rollBack(): void {
    try {
      this.#database.exec('ROLLBACK');
    } catch {
      // A connection that cannot roll back (disk gone) is useless, and closing it is what rolls back then.
      this.#database.close();
    }
  }
}
