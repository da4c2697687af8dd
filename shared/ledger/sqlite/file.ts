import { closeSync, fchmodSync, fstatSync, openSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { Fault } from '../../errors.ts';
import { sqlite } from './module.ts';

/** "SMDf"; tells our files from other SQLite databases (PRAGMA application_id). */
const APPLICATION_ID = 0x534d4466;
const SCHEMA_VERSION = 2;
/** `total` has one row: how many items there are, changed with them, so that one that is gone is missed. */
const SCHEMA = `
  CREATE TABLE IF NOT EXISTS item (
    partition  TEXT    NOT NULL,
    sort       TEXT    NOT NULL,
    revision   INTEGER NOT NULL,
    attributes TEXT    NOT NULL,
    sum        INTEGER NOT NULL,
    PRIMARY KEY (partition, sort)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS total (items INTEGER NOT NULL) STRICT;
  INSERT INTO total SELECT 0 WHERE NOT EXISTS (SELECT * FROM total);
  PRAGMA application_id = ${APPLICATION_ID};
  PRAGMA user_version = ${SCHEMA_VERSION};`;

/** Makes the file, or takes it, for its owner alone; SQLite gives its journals the same mode. */
export function ownerOnly(file: string): void {
  const handle = openSync(file, 'a', 0o600);
  try {
    if ((fstatSync(handle).mode & 0o077) !== 0) fchmodSync(handle, 0o600);
  } finally {
    closeSync(handle);
  }
}

/** Opens or creates the database; `timeout` in milliseconds. */
export function openDatabase(file: string, timeout: number): DatabaseSync {
  if (file !== ':memory:') ownerOnly(file);
  const database = new (sqlite().DatabaseSync)(file, { timeout });
  try {
    const pragma = (name: string) => Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0];
    // in one read transaction: another process may be writing the schema at this moment
    database.exec('BEGIN');
    const application = pragma('application_id');
    const schema = pragma('user_version');
    database.exec('COMMIT');
    const fresh = application === 0 && schema === 0;
    if (!fresh && (application !== APPLICATION_ID || schema !== SCHEMA_VERSION)) {
      throw new Fault('ledger', 'the file is a database of something else or of another version');
    }
    if (file !== ':memory:' && pragma('journal_mode = WAL') !== 'wal') {
      throw new Fault('ledger', 'the file system does not allow a write-ahead log');
    }
    database.exec('PRAGMA synchronous = FULL');
    if (fresh) database.exec(`BEGIN IMMEDIATE; ${SCHEMA} COMMIT;`);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}
