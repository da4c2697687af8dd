import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { Fault } from '../errors.ts';
import { type DatabaseForm, toDatabaseFault } from './database.ts';

/** Writes of one durable transaction; more would hold up the event loop and the other connections. */
export const GROUP_LIMIT = 4_000;

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
 * nothing is written then.
 */
export class GroupCommit {
  readonly #database: DatabaseSync;
  readonly #store: DatabaseForm['store'];
  readonly #begin: StatementSync;
  readonly #commit: StatementSync;
  readonly #around: AroundGroup | undefined;
  #queue: Unit[] = [];
  #scheduled = false;

  constructor(database: DatabaseSync, store: DatabaseForm['store'], around?: AroundGroup) {
    this.#database = database;
    this.#store = store;
    this.#around = around;
    this.#begin = database.prepare('BEGIN IMMEDIATE');
    this.#commit = database.prepare('COMMIT');
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
    while (this.#queue.length > 0) this.#flush();
    if (this.#database.isOpen) this.#database.close();
  }

  #schedule(): void {
    if (this.#scheduled || this.#queue.length === 0) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#flush();
      this.#schedule();
    });
  }

  /** Takes units from the queue up to the group limit and does them in one durable transaction. */
  #flush(): void {
    let count = 0;
    let size = 0;
    while (size < this.#queue.length && (size === 0 || count + this.#queue[size]!.size <= GROUP_LIMIT)) {
      count += this.#queue[size]!.size;
      size += 1;
    }
    const group = this.#queue.splice(0, size);
    if (group.length === 0) return;
    try {
      this.#begin.run();
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
