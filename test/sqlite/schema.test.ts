import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { afterAll, describe, expect, it } from 'vitest';
import { Fault } from '../../shared/errors.ts';
import { type DatabaseForm, openDatabase } from '../../shared/sqlite/database.ts';

const folder = mkdtempSync(join(tmpdir(), 'smdpf-schema-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;
const newFile = () => join(folder, `${files++}.sqlite`);

/** What three releases, one after the other, know of one file. */
const FIRST: DatabaseForm = {
  store: 'ledger',
  applicationId: 0x534d4400,
  schemaVersion: 1,
  schema: 'CREATE TABLE items (name TEXT PRIMARY KEY, value TEXT);',
};
const STEP = 'ALTER TABLE items ADD COLUMN seen INTEGER DEFAULT 0; CREATE TABLE others (name TEXT);';
const SECOND: DatabaseForm = {
  ...FIRST,
  schemaVersion: 2,
  schema: `${FIRST.schema} ${STEP}`,
  steps: { 1: STEP },
};
const THIRD: DatabaseForm = {
  ...SECOND,
  schemaVersion: 3,
  steps: { 1: STEP, 2: 'CREATE TABLE more (name TEXT)' },
};

const stamp = (database: DatabaseSync) => Object.values(database.prepare('PRAGMA user_version').get()!)[0];
const put = (database: DatabaseSync, name: string) =>
  database.prepare('INSERT INTO items (name, value) VALUES (?, ?)').run(name, 'x');
const names = (database: DatabaseSync) =>
  database
    .prepare('SELECT name FROM items ORDER BY name')
    .all()
    .map(({ name }) => name);

describe('a database file over several releases', () => {
  it('is brought up beside a process of the release before, which goes on, ends, and comes back', async () => {
    const file = newFile();
    const old = await openDatabase(file, FIRST);
    const held = old.prepare('INSERT INTO items (name, value) VALUES (?, ?)');
    put(old, 'a');
    const fresh = await openDatabase(file, SECOND);
    expect(stamp(fresh)).toBe(2);
    held.run('b', 'x');
    put(fresh, 'c');
    expect(names(old)).toEqual(['a', 'b', 'c']);
    old.close();
    const again = await openDatabase(file, FIRST);
    put(again, 'd');
    expect(names(fresh)).toEqual(['a', 'b', 'c', 'd']);
    expect(stamp(again)).toBe(2);
    again.close();
    fresh.close();
  });

  it('is brought up step by step, once, whoever opens it at the same moment', async () => {
    const file = newFile();
    (await openDatabase(file, FIRST)).close();
    const opened = await Promise.all(Array.from({ length: 8 }, () => openDatabase(file, THIRD)));
    expect(opened.map(stamp)).toEqual(opened.map(() => 3));
    for (const database of opened) database.close();
  });

  it('of a schema that the older release cannot use is refused with a way out', async () => {
    const file = newFile();
    (await openDatabase(file, { ...THIRD, usableFrom: 2 })).close();
    (await openDatabase(file, SECOND)).close();
    const fault: unknown = await openDatabase(file, FIRST).catch((error: unknown) => error);
    expect(fault).toBeInstanceOf(Fault);
    expect(String(fault)).toContain(
      'has schema 3, which takes a release that knows schema 2; this one knows 1',
    );
    expect(String(fault)).toContain('run the newer release');
  });

  it('of a schema that nothing leads up from is refused with a way out', async () => {
    const file = newFile();
    (await openDatabase(file, FIRST)).close();
    await expect(openDatabase(file, { ...THIRD, steps: { 2: '' } })).rejects.toThrow(
      'has schema 1, which this release reads no more; it reads 2 to 3: run a release in between first',
    );
  });
});
