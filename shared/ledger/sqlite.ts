import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { countRead } from '../call-cost.ts';
import { Fault, invariant } from '../errors.ts';
import { checkItemSize, checkKey, checkWrites, encodeAttributes, ITEM_LIMIT, keyOf } from './item.ts';
import {
  type Condition,
  type Item,
  type ItemKey,
  type Ledger,
  type Page,
  type Range,
  TRANSACTION_LIMIT,
  type TransactionOutcome,
  type Walk,
  type Write,
  type WriteOutcome,
} from './ledger.ts';
import { bounds, makeCursor, PAGE_LIMIT } from './range.ts';
import { openDatabase, ownerOnly } from './sqlite/file.ts';
import { sqlite } from './sqlite/module.ts';
import { octetsOf, readRow, rowSum, toItem } from './sqlite/row.ts';
import { parseWalkCursor, walkCursor } from './walk-cursor.ts';

export interface SqliteLedgerOptions {
  /** How long a connection waits for the write transaction of another; 10 s unless given. */
  readonly busyTimeoutMs?: number;
}

const BUSY_TIMEOUT_MS = 10_000;
/** Writes of one durable transaction; more would hold up the event loop and the other connections. */
const GROUP_LIMIT = 4_000;

/** A write made ready: checked and encoded before it can share a transaction with others. */
interface Prepared {
  readonly write: Write;
  /** Of a put. */
  readonly attributes: string;
}

/** What one caller waits for: writes that stand each by itself, or all together. */
interface Unit {
  readonly writes: readonly Prepared[];
  readonly together: boolean;
  readonly resolve: (outcomes: WriteOutcome[]) => void;
  readonly reject: (fault: unknown) => void;
}

/**
 * The embedded ledger: one SQLite file in WAL mode with synchronous=FULL, so that what was acknowledged survives
 * a killed process and a power cut. Any number of processes and worker threads may open the same file.
 *
 * Writes that arrive in one turn of the event loop share one transaction (group commit): each still has an outcome
 * of its own, and is acknowledged only after the transaction is on the medium.
 */
export class SqliteLedger implements Ledger {
  readonly #database: DatabaseSync;
  readonly #select: StatementSync;
  readonly #insert: StatementSync;
  readonly #update: StatementSync;
  readonly #delete: StatementSync;
  readonly #total: StatementSync;
  readonly #pages = new Map<string, StatementSync>();
  /** Items that the transaction under way has added, less those that it has removed. */
  #added = 0;
  #queue: Unit[] = [];
  #scheduled = false;

  private constructor(database: DatabaseSync) {
    this.#database = database;
    this.#select = database.prepare('SELECT * FROM item WHERE partition = ? AND sort = ?');
    this.#insert = database.prepare('INSERT INTO item VALUES (?, ?, 1, ?, ?) ON CONFLICT DO NOTHING');
    this.#update = database.prepare(
      'UPDATE item SET revision = revision + 1, attributes = ?, sum = ? WHERE partition = ? AND sort = ? AND revision = ?',
    );
    this.#delete = database.prepare('DELETE FROM item WHERE partition = ? AND sort = ? AND revision = ?');
    this.#total = database.prepare('UPDATE total SET items = items + ?');
  }

  /** Writes the ledger as it stands at one moment into a new file, beside processes that write on. */
  static copy(file: string, to: string): void {
    const database = new (sqlite().DatabaseSync)(file, { readOnly: true });
    try {
      ownerOnly(to);
      database.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
      database.prepare('VACUUM INTO ?').run(to);
    } catch (error) {
      throw toFault(error);
    } finally {
      database.close();
    }
  }

  /** Opens or creates the file; `:memory:` is a ledger of this object alone, gone when closed. */
  static async open(file: string, options: SqliteLedgerOptions = {}): Promise<SqliteLedger> {
    const { busyTimeoutMs = BUSY_TIMEOUT_MS } = options;
    const deadline = performance.now() + busyTimeoutMs;
    for (;;) {
      try {
        return new SqliteLedger(openDatabase(file, busyTimeoutMs));
      } catch (error) {
        // Several connections that create one file at once: SQLite's own wait does not cover the change to WAL.
        const busy = BUSY_RESULTS.includes(resultOf(error) ?? 0);
        if (!busy || performance.now() > deadline) throw toFault(error);
        await delay(5);
      }
    }
  }

  async get(key: ItemKey): Promise<Item | undefined> {
    checkKey(key);
    return guarded(() => this.#findFor(key));
  }

  async getMany(keys: readonly ItemKey[]): Promise<(Item | undefined)[]> {
    for (const key of keys) checkKey(key);
    return guarded(() => keys.map((key) => this.#findFor(key)));
  }

  async query(partition: string, range: Range = {}): Promise<Page> {
    checkKey({ partition, sort: '-' });
    const { from, to, before, after } = bounds(range);
    const limit = range.limit ?? PAGE_LIMIT;
    const descending = range.descending ?? false;

    let sql = 'SELECT * FROM item WHERE partition = ? AND sort >= ?';
    const values: (string | number)[] = [partition, from];
    const bound = (clause: string, value: string | undefined) => {
      if (value === undefined) return;
      sql += clause;
      values.push(value);
    };
    bound(' AND sort <= ?', to);
    bound(' AND sort < ?', before);
    bound(descending ? ' AND sort < ?' : ' AND sort > ?', after);
    sql += ` ORDER BY sort ${descending ? 'DESC' : 'ASC'} LIMIT ?`;

    return guarded(() => {
      // One row more than asked tells whether there is another page.
      const rows = this.#page(sql).all(...values, limit + 1);
      for (const row of rows) countRead(octetsOf(row));
      const items = rows.slice(0, limit).map(toItem);
      return { items, cursor: rows.length > limit ? makeCursor(items.at(-1)!.sort) : undefined };
    });
  }

  /** In the order of partition and sort key; the cursor is the last key. */
  async walk(limit: number, cursor?: string): Promise<Walk> {
    const { partition, sort } = cursor === undefined ? { partition: '', sort: '' } : parseWalkCursor(cursor);
    return guarded(() => {
      const rows = this.#page(
        'SELECT * FROM item WHERE (partition, sort) > (?, ?) ORDER BY partition, sort LIMIT ?',
      ).all(partition, sort, limit);
      const found = rows.map((row) => ({
        partition: String(row.partition),
        sort: String(row.sort),
        item: readRow(row),
      }));
      const last = found.at(-1);
      return {
        found,
        cursor: last === undefined || found.length < limit ? undefined : walkCursor(last),
      };
    });
  }

  /** A file that is damaged where SQLite cannot even walk it is a defect like others. */
  #integrity(): readonly string[] {
    try {
      const rows = this.#database.prepare('PRAGMA integrity_check(20)').all();
      return rows.map((row) => String(Object.values(row)[0])).filter((text) => text !== 'ok');
    } catch (error) {
      if (!(error instanceof Error) || resultOf(error) !== CORRUPT_RESULT) throw error;
      return [error.message];
    }
  }

  /** What SQLite finds wrong with its pages, and items that were taken out or put in past the ledger. */
  async defects(): Promise<readonly string[]> {
    return guarded(() => {
      const defects = this.#integrity();
      if (defects.length > 0) return defects;
      const counts = 'SELECT (SELECT count(*) FROM item) AS there, (SELECT items FROM total) AS items';
      const { there, items } = this.#database.prepare(counts).get() ?? {};
      return there === items
        ? []
        : [`there are ${there} items where ${items} were written: some were taken out, or put in, by hand`];
    });
  }

  async write(write: Write): Promise<WriteOutcome> {
    const [outcome] = await this.#enqueue([write], false);
    return outcome!;
  }

  async writeMany(writes: readonly Write[]): Promise<WriteOutcome[]> {
    checkWrites(writes);
    const outcomes: WriteOutcome[] = [];
    for (let start = 0; start < writes.length; start += GROUP_LIMIT) {
      for (const outcome of await this.#enqueue(writes.slice(start, start + GROUP_LIMIT), false)) {
        outcomes.push(outcome);
      }
    }
    return outcomes;
  }

  async transact(writes: readonly Write[]): Promise<TransactionOutcome> {
    invariant(writes.length <= TRANSACTION_LIMIT, `a transaction has at most ${TRANSACTION_LIMIT} writes`);
    checkWrites(writes);
    if (writes.length === 0) return { done: true };
    const outcomes = await this.#enqueue(writes, true);
    const failed = new Map<number, Item | undefined>();
    outcomes.forEach((outcome, index) => {
      if (!outcome.done) failed.set(index, outcome.found);
    });
    return failed.size === 0 ? { done: true } : { done: false, failed };
  }

  /** Finishes the writes already asked for. */
  async close(): Promise<void> {
    while (this.#queue.length > 0) this.#flush();
    if (this.#database.isOpen) this.#database.close();
  }

  /** For a call, whose cost it is: what is read to write stands in a group with the writes of others. */
  #findFor(key: ItemKey): Item | undefined {
    const row = this.#select.get(key.partition, key.sort);
    countRead(octetsOf(row));
    return row === undefined ? undefined : toItem(row);
  }

  #find(key: ItemKey): Item | undefined {
    const row = this.#select.get(key.partition, key.sort);
    return row === undefined ? undefined : toItem(row);
  }

  #page(sql: string): StatementSync {
    let statement = this.#pages.get(sql);
    if (statement === undefined) {
      statement = this.#database.prepare(sql);
      this.#pages.set(sql, statement);
    }
    return statement;
  }

  async #enqueue(writes: readonly Write[], together: boolean): Promise<WriteOutcome[]> {
    const prepared = writes.map(prepare);
    if (!this.#database.isOpen) throw new Fault('ledger', 'the ledger is closed');
    return new Promise((resolve, reject) => {
      this.#queue.push({ writes: prepared, together, resolve, reject });
      this.#schedule();
    });
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
    while (
      size < this.#queue.length &&
      (size === 0 || count + this.#queue[size]!.writes.length <= GROUP_LIMIT)
    ) {
      count += this.#queue[size]!.writes.length;
      size += 1;
    }
    const group = this.#queue.splice(0, size);
    if (group.length === 0) return;
    let outcomes: WriteOutcome[][];
    try {
      this.#database.exec('BEGIN IMMEDIATE');
      this.#added = 0;
      outcomes = group.map((unit) => this.#apply(unit));
      if (this.#added !== 0) this.#total.run(this.#added);
      this.#database.exec('COMMIT');
    } catch (error) {
      const fault = toFault(error);
      if (this.#database.isOpen && this.#database.isTransaction) this.#rollBack();
      for (const unit of group) unit.reject(fault);
      return;
    }
    group.forEach((unit, index) => {
      unit.resolve(outcomes[index]!);
    });
  }

  #rollBack(): void {
    try {
      this.#database.exec('ROLLBACK');
    } catch {
      // A connection that cannot roll back (disk gone) is useless, and closing it is what rolls back then.
      this.#database.close();
    }
  }

  #apply({ writes, together }: Unit): WriteOutcome[] {
    if (together) {
      const held = writes.map(({ write }) => this.#check(keyOf(write), write.when));
      if (!held.every((outcome) => outcome.done)) return held;
    }
    return writes.map((write) => this.#applyOne(write));
  }

  #applyOne({ write, attributes }: Prepared): WriteOutcome {
    const { partition, sort } = keyOf(write);
    if ('check' in write) return this.#check(write.check, write.when);
    if ('remove' in write) {
      const { changes } = this.#delete.run(partition, sort, write.when.revision);
      this.#added -= Number(changes);
      return changes === 1 ? { done: true, revision: write.when.revision } : this.#refused(write.remove);
    }
    const { when } = write;
    if (when === 'absent') {
      const { changes } = this.#insert.run(partition, sort, attributes, rowSum(write.put, 1, attributes));
      this.#added += Number(changes);
      return changes === 1 ? { done: true, revision: 1 } : this.#refused(write.put);
    }
    const sum = rowSum(write.put, when.revision + 1, attributes);
    const { changes } = this.#update.run(attributes, sum, partition, sort, when.revision);
    return changes === 1 ? { done: true, revision: when.revision + 1 } : this.#refused(write.put);
  }

  #refused(key: ItemKey): WriteOutcome {
    return { done: false, found: this.#find(key) };
  }

  #check(key: ItemKey, when: Condition): WriteOutcome {
    const found = this.#find(key);
    const holds = when === 'absent' ? found === undefined : found?.revision === when.revision;
    return holds ? { done: true, revision: found?.revision ?? 0 } : { done: false, found };
  }
}

function prepare(write: Write): Prepared {
  checkKey(keyOf(write));
  if (!('put' in write)) return { write, attributes: '' };
  const attributes = encodeAttributes(write.attributes);
  // The text is never much shorter than what DynamoDB counts, so that small items need no second look.
  if (attributes.length > ITEM_LIMIT / 4) checkItemSize(write.put, write.attributes);
  return { write, attributes };
}

function guarded<Result>(work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    throw toFault(error);
  }
}

/** SQLITE_CORRUPT: the file is not what SQLite has written. */
const CORRUPT_RESULT = 11;
/** SQLITE_BUSY and SQLITE_LOCKED: another connection is at work. */
const BUSY_RESULTS = [5, 6];
/**
 * Primary result codes after which the same call may succeed: beside those SQLITE_NOMEM, SQLITE_READONLY (a disk that the
 * kernel made so), SQLITE_IOERR, SQLITE_FULL, SQLITE_CANTOPEN (also too many open files).
 */
const RETRYABLE_RESULTS = [...BUSY_RESULTS, 7, 8, 10, 13, 14];

/** The primary result code of an error of SQLite; undefined of any other. */
const resultOf = (error: unknown): number | undefined =>
  error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : undefined;

function toFault(error: unknown): Fault {
  if (error instanceof Fault) return error;
  const result = resultOf(error);
  const retryable = result !== undefined && RETRYABLE_RESULTS.includes(result);
  const reason = error instanceof Error ? error.message : String(error);
  return new Fault('ledger', `the ledger database failed: ${reason}`, { cause: error, retryable });
}
