import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { countRead } from '../call-cost.ts';
import { Fault, invariant } from '../errors.ts';
import {
  copyDatabase,
  type DatabaseForm,
  openDatabase,
  pageDefects,
  toDatabaseFault,
} from '../sqlite/database.ts';
import { GROUP_LIMIT, GroupCommit } from '../sqlite/group-commit.ts';
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
import { LargeItems } from './sqlite/large-items.ts';
import { octetsOf, readRow, rowSum, toItem } from './sqlite/row.ts';
import { storedPartition } from './stripes.ts';
import { parseWalkCursor, walkCursor } from './walk-cursor.ts';

export interface SqliteLedgerOptions {
  /** How long a connection waits for the write transaction of another; 10 s unless given. */
  readonly busyTimeoutMs?: number;
  /** Keeps the stripes of lists apart as DynamoDB does, for tests of what reads them; false unless given. */
  readonly spreads?: boolean;
}

/**
 * Items lie in the order in which they came, and their keys in an index: what one moment adds is on few pages that way, and a search
 * reads keys alone. In a table that is in the order of its keys (WITHOUT ROWID) it reads every large item on its way as well, to
 * the last octet. `attributes` come last, since what stands behind them is only reached through all of their pages.
 *
 * `total` has one row: how many items there are, changed with them, so that one that is gone is missed; and whether the stripes
 * of lists are apart.
 */
const formOf = (spreads: boolean): DatabaseForm => ({
  store: 'ledger',
  // "SMDf"
  applicationId: 0x534d4466,
  schemaVersion: 3,
  schema: `
    CREATE TABLE IF NOT EXISTS item (
      partition  TEXT    NOT NULL,
      sort       TEXT    NOT NULL,
      revision   INTEGER NOT NULL,
      sum        INTEGER NOT NULL,
      attributes TEXT    NOT NULL,
      PRIMARY KEY (partition, sort)
    ) STRICT;
    CREATE TABLE IF NOT EXISTS total (items INTEGER NOT NULL, spreads INTEGER NOT NULL) STRICT;
    INSERT INTO total SELECT 0, ${Number(spreads)} WHERE NOT EXISTS (SELECT * FROM total);`,
});

const CREATED: WriteOutcome = { done: true, revision: 1 };

/** A write made ready: checked and encoded before it can share a transaction with others. */
interface Prepared {
  readonly write: Write;
  /** Of the item, as it is stored. */
  readonly key: ItemKey;
  /** Of a put. */
  readonly attributes: string;
}

/**
 * The embedded ledger: one SQLite file in WAL mode with synchronous=FULL, so that what was acknowledged survives
 * a killed process and a power cut. Any number of processes and worker threads may open the same file.
 *
 * Writes that arrive in one turn of the event loop share one transaction (group commit): each still has an outcome
 * of its own, and is acknowledged only after the transaction is on the medium.
 *
 * A partition has no limit here, so that lists are kept in one: what a transaction adds to them lies on few pages then.
 */
export class SqliteLedger implements Ledger {
  readonly spreads: boolean;
  readonly #database: DatabaseSync;
  readonly #select: StatementSync;
  readonly #insert: StatementSync;
  readonly #update: StatementSync;
  readonly #delete: StatementSync;
  readonly #total: StatementSync;
  readonly #revision: StatementSync;
  readonly #beginRead: StatementSync;
  readonly #endRead: StatementSync;
  readonly #savepoint: StatementSync;
  readonly #takeBack: StatementSync;
  readonly #release: StatementSync;
  readonly #large = new LargeItems();
  readonly #pages = new Map<string, StatementSync>();
  /** Items that the transaction under way has added, less those that it has removed. */
  #added = 0;
  readonly #group: GroupCommit;

  private constructor(database: DatabaseSync, spreads: boolean, busyTimeoutMs: number | undefined) {
    this.spreads = spreads;
    this.#database = database;
    this.#select = database.prepare('SELECT * FROM item WHERE partition = ? AND sort = ?');
    this.#revision = database.prepare('SELECT revision, sum FROM item WHERE partition = ? AND sort = ?');
    this.#insert = database.prepare(
      'INSERT INTO item (partition, sort, revision, sum, attributes) VALUES (?, ?, 1, ?, ?) ON CONFLICT DO NOTHING',
    );
    this.#update = database.prepare(
      'UPDATE item SET revision = revision + 1, attributes = ?, sum = ? WHERE partition = ? AND sort = ? AND revision = ?',
    );
    this.#delete = database.prepare('DELETE FROM item WHERE partition = ? AND sort = ? AND revision = ?');
    this.#total = database.prepare('UPDATE total SET items = items + ?');
    this.#beginRead = database.prepare('BEGIN');
    this.#endRead = database.prepare('COMMIT');
    this.#savepoint = database.prepare('SAVEPOINT together');
    this.#takeBack = database.prepare('ROLLBACK TO together');
    this.#release = database.prepare('RELEASE together');
    const around = {
      before: () => {
        this.#added = 0;
      },
      after: () => {
        if (this.#added !== 0) this.#total.run(this.#added);
      },
    };
    this.#group = new GroupCommit(database, 'ledger', around, busyTimeoutMs);
  }

  /** Writes the ledger as it stands at one moment into a new file, beside processes that write on. */
  static copy(file: string, to: string): void {
    copyDatabase(file, to, 'ledger');
  }

  /** Opens or creates the file; `:memory:` is a ledger of this object alone, gone when closed. */
  static async open(
    file: string,
    { busyTimeoutMs, spreads = false }: SqliteLedgerOptions = {},
  ): Promise<SqliteLedger> {
    const database = await openDatabase(file, formOf(spreads), busyTimeoutMs);
    try {
      requireSpread(database, spreads);
    } catch (error) {
      database.close();
      throw toDatabaseFault('ledger', error);
    }
    return new SqliteLedger(database, spreads, busyTimeoutMs);
  }

  async get(key: ItemKey): Promise<Item | undefined> {
    checkKey(key);
    return guarded(() => this.#findFor(key));
  }

  async getMany(keys: readonly ItemKey[]): Promise<(Item | undefined)[]> {
    for (const key of keys) checkKey(key);
    const read = () => keys.map((key) => this.#findFor(key));
    return guarded(() => (keys.length > 1 ? this.#atOneMoment(read) : read()));
  }

  async query(partition: string, range: Range = {}): Promise<Page> {
    checkKey({ partition, sort: '-' });
    const { from, to, before, after } = bounds(range);
    const limit = range.limit ?? PAGE_LIMIT;
    const descending = range.descending ?? false;

    let sql = 'SELECT * FROM item WHERE partition = ? AND sort >= ?';
    const values: (string | number)[] = [storedPartition(this, partition), from];
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

  /** What SQLite finds wrong with its pages, and items that were taken out or put in past the ledger. */
  async defects(): Promise<readonly string[]> {
    return guarded(() => {
      const defects = pageDefects(this.#database);
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
    this.#group.close();
  }

  /** Several reads under one lock of the file: each by itself takes one and gives it back. */
  #atOneMoment<Result>(read: () => Result): Result {
    this.#beginRead.run();
    try {
      return read();
    } finally {
      this.#endRead.run();
    }
  }

  /** For a call, whose cost it is: what is read to write stands in a group with the writes of others. */
  #findFor(asked: ItemKey): Item | undefined {
    const key = storedKey(this, asked);
    const { partition, sort } = key;
    const known = this.#large.get(key);
    if (known !== undefined) {
      const { revision, sum } = this.#revision.get(partition, sort) ?? {};
      if (revision === known.item.revision && sum === known.sum) {
        countRead(known.octets);
        return known.item;
      }
    }
    const row = this.#select.get(partition, sort);
    const octets = octetsOf(row);
    countRead(octets);
    if (row === undefined) return undefined;
    const item = toItem(row);
    this.#large.keep({ item, sum: Number(row.sum), octets });
    return item;
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

  /** Writes that stand each by itself, or all together. */
  async #enqueue(writes: readonly Write[], together: boolean): Promise<WriteOutcome[]> {
    const prepared = writes.map((write) => prepare(write, this));
    return await this.#group.run(prepared.length, () => this.#apply(prepared, together));
  }

  #apply(writes: readonly Prepared[], together: boolean): WriteOutcome[] {
    if (!together) return writes.map((write) => this.#applyOne(write));
    const added = this.#added;
    this.#savepoint.run();
    const outcomes = writes.map((write) => this.#applyOne(write));
    const done = outcomes.every((outcome) => outcome.done);
    if (!done) this.#takeBack.run();
    this.#release.run();
    if (done) return outcomes;
    this.#added = added;
    return writes.map(({ write, key }) => this.#check(key, write.when));
  }

  #applyOne({ write, key, attributes }: Prepared): WriteOutcome {
    const { partition, sort } = key;
    if ('check' in write) return this.#check(key, write.when);
    if ('remove' in write) {
      const { changes } = this.#delete.run(partition, sort, write.when.revision);
      this.#added -= Number(changes);
      return changes === 1 ? { done: true, revision: write.when.revision } : this.#refused(key);
    }
    const { when } = write;
    if (when === 'absent') {
      const { changes } = this.#insert.run(partition, sort, rowSum(key, 1, attributes), attributes);
      this.#added += Number(changes);
      return changes === 1 ? CREATED : this.#refused(key);
    }
    const sum = rowSum(key, when.revision + 1, attributes);
    const { changes } = this.#update.run(attributes, sum, partition, sort, when.revision);
    return changes === 1 ? { done: true, revision: when.revision + 1 } : this.#refused(key);
  }

  #refused(key: ItemKey): WriteOutcome {
    return { done: false, found: this.#find(key) };
  }

  #check(key: ItemKey, when: Condition): WriteOutcome {
    const revision = this.#revision.get(key.partition, key.sort)?.revision;
    const holds = when === 'absent' ? revision === undefined : revision === when.revision;
    return holds ? { done: true, revision: Number(revision ?? 0) } : this.#refused(key);
  }
}

function prepare(write: Write, ledger: Pick<Ledger, 'spreads'>): Prepared {
  checkKey(keyOf(write));
  const key = storedKey(ledger, keyOf(write));
  if (!('put' in write)) return { write, key, attributes: '' };
  const attributes = encodeAttributes(write.attributes);
  // The text is never much shorter than what DynamoDB counts, so that small items need no second look.
  if (attributes.length > ITEM_LIMIT / 4) checkItemSize(key, write.attributes);
  return { write, key, attributes };
}

const storedKey = (ledger: Pick<Ledger, 'spreads'>, { partition, sort }: ItemKey): ItemKey => ({
  partition: storedPartition(ledger, partition),
  sort,
});

/** Of a file that was written the other way, each list would be read where part of it is. */
function requireSpread(database: DatabaseSync, spreads: boolean): void {
  const stored = database.prepare('SELECT spreads FROM total').get()?.spreads;
  if (stored !== Number(spreads))
    throw new Fault(
      'ledger',
      `the ledger database ${stored === 1 ? 'has the stripes of its lists apart and is' : 'keeps its lists together and is not'} to be opened with the option spreads`,
    );
}

function guarded<Result>(work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    throw toDatabaseFault('ledger', error);
  }
}
