import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openDatabase } from '../../shared/sqlite/database.ts';

let folder: string;
let file: string;
const opened: DatabaseSync[] = [];
const open = async () => {
  const form = {
    store: 'ledger',
    applicationId: 1,
    schemaVersion: 1,
    schema: 'CREATE TABLE t (a);',
  } as const;
  const database = await openDatabase(file, form);
  opened.push(database);
  return database;
};
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'smdpf-database-'));
  file = join(folder, 'db.sqlite');
});
afterEach(() => {
  for (const database of opened.splice(0)) database.close();
  rmSync(folder, { recursive: true, force: true });
});

const all = () => [file, `${file}-wal`, `${file}-shm`];
const modes = () => all().map((one) => statSync(one).mode & 0o777);

describe('a database file', () => {
  it('is for its owner alone, and so are its journals', async () => {
    await open();
    expect(modes()).toEqual([0o600, 0o600, 0o600]);
  });

  it('is closed to others where somebody has opened it, together with journals that a crash left', async () => {
    await open();
    for (const one of all()) chmodSync(one, 0o666);
    await open();
    expect(modes()).toEqual([0o600, 0o600, 0o600]);
  });

  it('keeps its locks where the process opens it once more: another process may not take it for its own', async () => {
    const database = await open();
    database.exec('INSERT INTO t VALUES (1)');
    await open();
    // needs every other connection gone
    const code = `const { DatabaseSync } = require('node:sqlite');
      try { new DatabaseSync(${JSON.stringify(file)}).exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN IMMEDIATE; COMMIT'); console.log('taken'); }
      catch (error) { console.log(error.message); }`;
    const told = execFileSync(process.execPath, ['-e', code], { encoding: 'utf8' });
    expect(told.trim()).toBe('database is locked');
    expect(existsSync(`${file}-wal`)).toBe(true);
  });
});
