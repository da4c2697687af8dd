import { randomBytes } from 'node:crypto';
import { chmodSync, closeSync, existsSync, linkSync, openSync, rmSync, statSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { Fault } from '../errors.ts';
import { sqlite } from './module.ts';

/** What a database file of ours holds. */
export interface DatabaseForm {
  /** Of whose faults are told. */
  readonly store: 'ledger' | 'vault';
  /** Tells the file from other SQLite databases (PRAGMA application_id). */
  readonly applicationId: number;
  /** Of the newest schema that this release knows. */
  readonly schemaVersion: number;
  /** Statements that make the newest schema where there is nothing yet. */
  readonly schema: string;
  /**
   * By schema, the statements that make the next one of it, at the first start of a release that knows it and beside processes
   * that do not. They only add what those may ignore: a table, an index, a column with a default.
   */
  readonly steps?: Readonly<Record<number, string>>;
  /**
   * The oldest schema whose releases may use a file of this one; every one unless said otherwise. It may only be raised to one that
   * no process at work is below: docs/upgrades.md.
   */
  readonly usableFrom?: number;
}

/** How long a connection waits for the write transaction of another, in milliseconds. */
export const BUSY_TIMEOUT_MS = 10_000;
/**
 * Pages of the write-ahead log after which it is carried into the file: enough that this is rare beside the transactions
 * that fill it, few enough that it holds up the event loop for milliseconds only.
 */
const CHECKPOINT_PAGES = 4_000;

/**
 * Makes the file, or takes it, for its owner alone; SQLite gives the journals that it makes the same mode, and those that
 * lie beside it already are taken as well. None of them is opened here: whoever closes a file that this process has open
 * as a database gives up its locks on it, and another process may then take itself for the last one and remove the journal.
 */
export function ownerOnly(file: string): void {
  if (!existsSync(file)) create(file);
  for (const one of [file, `${file}-wal`, `${file}-shm`]) {
    const found = statSync(one, { throwIfNoEntry: false });
    if (found?.isFile() === false) throw new Error('there is something else than a file in its place');
    if (found !== undefined && (found.mode & 0o077) !== 0) chmodSync(one, 0o600);
  }
}

/** Empty, and closed before anybody can open it. */
function create(file: string): void {
  const made = `${file}.${randomBytes(6).toString('hex')}.new`;
  closeSync(openSync(made, 'wx', 0o600));
  try {
    linkSync(made, file);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  } finally {
    rmSync(made);
  }
}

/**
 * Opens or creates a database in WAL mode with synchronous=FULL, so that what was committed survives a killed process and
 * a power cut. Any number of processes and threads may have it open.
 */
export async function openDatabase(
  file: string,
  form: DatabaseForm,
  busyTimeoutMs = BUSY_TIMEOUT_MS,
): Promise<DatabaseSync> {
  const deadline = performance.now() + busyTimeoutMs;
  for (;;) {
    try {
      return openOnce(file, form, busyTimeoutMs);
    } catch (error) {
      // Several connections that create one file at once: SQLite's own wait does not cover the change to WAL.
      if (!isBusy(error) || performance.now() > deadline) throw toDatabaseFault(form.store, error);
      await delay(5);
    }
  }
}

function openOnce(file: string, form: DatabaseForm, timeout: number): DatabaseSync {
  const { store, applicationId, schemaVersion, schema } = form;
  if (file !== ':memory:') ownerOnly(file);
  const database = new (sqlite().DatabaseSync)(file, { timeout });
  try {
    const pragma = (name: string) => Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0];
    // in one read transaction: another process may be writing the schema at this moment
    database.exec('BEGIN');
    const application = pragma('application_id');
    const version = pragma('user_version');
    database.exec('COMMIT');
    const fresh = application === 0 && version === 0;
    if (!fresh) requireUsable(form, application, Number(version));
    if (file !== ':memory:' && pragma('journal_mode = WAL') !== 'wal')
      throw new Fault(store, 'the file system does not allow a write-ahead log');
    database.exec(`PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
    if (fresh)
      database.exec(`BEGIN IMMEDIATE; ${schema}
        PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${stampOf(form)}; COMMIT;`);
    else if (schemaOf(Number(version)).version < schemaVersion) stepUp(database, form, pragma);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** `user_version` has the schema in its lower 16 bits, and in its upper ones the oldest that may use the file. */
const schemaOf = (stamp: number) => ({ version: stamp & 0xffff, usableFrom: stamp >>> 16 });
const stampOf = ({ schemaVersion, usableFrom = 0 }: DatabaseForm) => (usableFrom << 16) | schemaVersion;

function requireUsable(form: DatabaseForm, application: unknown, stamp: number): void {
  const { store, applicationId, schemaVersion, steps = {} } = form;
  if (application !== applicationId) throw new Fault(store, 'the file is a database of something else');
  const { version, usableFrom } = schemaOf(stamp);
  if (usableFrom > schemaVersion)
    throw new Fault(
      store,
      `the ${store} database has schema ${version}, which takes a release that knows schema ${usableFrom}; this one knows ${schemaVersion}: run the newer release (docs/upgrades.md)`,
    );
  for (let from = version; from < schemaVersion; from++)
    if (steps[from] === undefined)
      throw new Fault(
        store,
        `the ${store} database has schema ${version}, which this release reads no more; it reads ${from + 1} to ${schemaVersion}: run a release in between first (docs/upgrades.md)`,
      );
}

/** Brings the schema up to the newest, once, whoever else does so at the same moment. */
function stepUp(database: DatabaseSync, form: DatabaseForm, pragma: (name: string) => unknown): void {
  const { schemaVersion, steps = {} } = form;
  database.exec('BEGIN IMMEDIATE');
  try {
    for (let from = schemaOf(Number(pragma('user_version'))).version; from < schemaVersion; from++)
      database.exec(
        `${steps[from]}; PRAGMA user_version = ${from + 1 === schemaVersion ? stampOf(form) : from + 1}`,
      );
    database.exec('COMMIT');
  } catch (error) {
    database.exec('ROLLBACK');
    throw error;
  }
}

/** Writes a database as it stands at one moment into a new file, beside processes that write on. */
export function copyDatabase(file: string, to: string, store: DatabaseForm['store']): void {
  const database = new (sqlite().DatabaseSync)(file, { readOnly: true });
  try {
    ownerOnly(to);
    database.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
    database.prepare('VACUUM INTO ?').run(to);
  } catch (error) {
    throw toDatabaseFault(store, error);
  } finally {
    database.close();
  }
}

/** What SQLite finds wrong with its pages. A file that is damaged where SQLite cannot even walk it is a defect like others. */
export function pageDefects(database: DatabaseSync): readonly string[] {
  try {
    const rows = database.prepare('PRAGMA integrity_check(20)').all();
    return rows.map((row) => String(Object.values(row)[0])).filter((text) => text !== 'ok');
  } catch (error) {
    if (resultOf(error) !== CORRUPT_RESULT) throw error;
    return [error instanceof Error ? error.message : String(error)];
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

/** Whether another connection is at work. */
export const isBusy = (error: unknown) => BUSY_RESULTS.includes(resultOf(error) ?? 0);

export function toDatabaseFault(store: DatabaseForm['store'], error: unknown): Fault {
  if (error instanceof Fault) return error;
  const result = resultOf(error);
  const retryable = result !== undefined && RETRYABLE_RESULTS.includes(result);
  const reason = error instanceof Error ? error.message : String(error);
  return new Fault(store, `the ${store} database failed: ${reason}`, { cause: error, retryable });
}
