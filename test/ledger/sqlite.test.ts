import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { afterAll, describe, expect, it } from 'vitest';
import { Fault } from '../../shared/errors.ts';
import type { Item, Write } from '../../shared/ledger/ledger.ts';
import { SqliteLedger } from '../../shared/ledger/sqlite.ts';
import { count } from '../support/counts.ts';
import { freshKey, ledgerContract } from './contract.ts';

const folder = mkdtempSync(join(tmpdir(), 'smdpf-ledger-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let files = 0;
const newFile = () => join(folder, `${files++}.sqlite`);
const script = (name: string) => new URL(name, import.meta.url);

const contractFile = newFile();
ledgerContract('SQLite', () => SqliteLedger.open(contractFile));
const apartFile = newFile();
ledgerContract('SQLite with lists apart', () => SqliteLedger.open(apartFile, { spreads: true }), {
  propertyRuns: 5,
});

describe('SQLite ledger', () => {
  it('writes of one turn share a transaction, and each has its own outcome', async () => {
    const file = newFile();
    const ledger = await SqliteLedger.open(file);
    const key = freshKey();
    const before = statSync(`${file}-wal`).size;
    const outcomes = await Promise.all(
      Array.from({ length: 100 }, (_, n) => ledger.write({ put: key, attributes: { n }, when: 'absent' })),
    );
    expect(outcomes.filter(({ done }) => done)).toHaveLength(1);
    // A hundred transactions would each have logged at least one page of 4,096 octets.
    expect(statSync(`${file}-wal`).size - before).toBeLessThan(10 * 4096);
    await ledger.close();
  });

  it('closing finishes the writes asked for; later calls are a Fault', async () => {
    const file = newFile();
    const ledger = await SqliteLedger.open(file);
    const key = freshKey();
    const pending = ledger.write({ put: key, attributes: {}, when: 'absent' });
    await ledger.close();
    expect(await pending).toEqual({ done: true, revision: 1 });
    await expect(ledger.get(key)).rejects.toMatchObject({ code: 'ledger', retryable: false });
    await expect(ledger.query('p')).rejects.toMatchObject({ code: 'ledger', retryable: false });
    await expect(ledger.write({ check: key, when: 'absent' })).rejects.toMatchObject({ code: 'ledger' });
    await ledger.close();
    const again = await SqliteLedger.open(file);
    expect(await again.get(key)).toMatchObject({ revision: 1 });
    await again.close();
  });

  it('a ledger in memory is its own', async () => {
    const [one, other] = [await SqliteLedger.open(':memory:'), await SqliteLedger.open(':memory:')];
    const key = freshKey();
    await one.write({ put: key, attributes: {}, when: 'absent' });
    expect(await other.get(key)).toBeUndefined();
    await Promise.all([one.close(), other.close()]);
  });

  it('a database that another holds is a Fault worth another try', async () => {
    const file = newFile();
    const ledger = await SqliteLedger.open(file, { busyTimeoutMs: 20 });
    const other = new DatabaseSync(file);
    other.exec('BEGIN IMMEDIATE');
    const write: Write = { put: freshKey(), attributes: {}, when: 'absent' };
    await expect(ledger.write(write)).rejects.toMatchObject({ code: 'ledger', retryable: true });
    other.exec('COMMIT');
    other.close();
    expect(await ledger.write(write)).toEqual({ done: true, revision: 1 });
    await ledger.close();
  });

  it('while another has the database, the loop goes on, and a write waits for its turn', async () => {
    const file = newFile();
    const ledger = await SqliteLedger.open(file);
    const other = new DatabaseSync(file);
    other.exec('BEGIN IMMEDIATE');
    const key = freshKey();
    const write = ledger.write({ put: key, attributes: {}, when: 'absent' });
    for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(await ledger.get(key)).toBeUndefined();
    other.exec('COMMIT');
    other.close();
    expect(await write).toEqual({ done: true, revision: 1 });
    await ledger.close();
  });

  it('a file that is no ledger is a Fault for good', async () => {
    const garbage = newFile();
    writeFileSync(garbage, 'this is no database '.repeat(500));
    const foreign = newFile();
    const database = new DatabaseSync(foreign);
    database.exec('PRAGMA user_version = 7; CREATE TABLE other (x)');
    database.close();
    for (const file of [garbage, foreign, folder, join(folder, 'missing', 'file')]) {
      const error = await SqliteLedger.open(file).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(Fault);
      expect(error).toMatchObject({ code: 'ledger', retryable: false });
    }
  });

  it('a file whose lists are kept in one way is not opened in the other, in which part of them would not be read', async () => {
    for (const spreads of [false, true]) {
      const file = newFile();
      await (await SqliteLedger.open(file, { spreads })).close();
      await expect(SqliteLedger.open(file, { spreads: !spreads })).rejects.toMatchObject({
        code: 'ledger',
        retryable: false,
        message: expect.stringMatching(
          spreads ? /has the stripes of its lists apart/ : /keeps its lists together/,
        ),
      });
      await (await SqliteLedger.open(file, { spreads })).close();
    }
  });

  it('damaged pages are a Fault, never a wrong item', async () => {
    const file = newFile();
    const ledger = await SqliteLedger.open(file);
    const keys = Array.from({ length: 500 }, freshKey);
    await ledger.writeMany(keys.map((put) => ({ put, attributes: { text: put.sort }, when: 'absent' })));
    await ledger.close();
    const { size } = statSync(file);
    writeFileSync(file, new Uint8Array(size - 4096).fill(0xff), { flag: 'r+' });
    const error = await SqliteLedger.open(file)
      .then((damaged) => damaged.getMany(keys))
      .catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'ledger', retryable: false });
  });

  it('a row that was changed in the file is a Fault that names it, and one that was taken out is missed', async () => {
    const file = newFile();
    const ledger = await SqliteLedger.open(file);
    const [changed, removed, other] = [freshKey(), freshKey(), freshKey()];
    for (const put of [changed, removed, other])
      await ledger.write({ put, attributes: { state: 'claimed' }, when: 'absent' });
    await ledger.write({ put: other, attributes: { state: 'closed' }, when: { revision: 1 } });
    const by = new DatabaseSync(file);
    by.prepare('UPDATE item SET attributes = ? WHERE sort = ?').run('{"state":"free"}', changed.sort);
    await expect(ledger.get(changed)).rejects.toMatchObject({
      code: 'ledger',
      message: expect.stringContaining(`${changed.partition} / ${changed.sort}`),
    });
    expect(await ledger.get(other)).toMatchObject({ revision: 2 });
    const walked = (await ledger.walk(10)).found.filter(({ item }) => item === undefined);
    expect(walked.map(({ sort }) => sort)).toEqual([changed.sort]);
    expect(await ledger.defects()).toEqual([]);
    by.prepare('DELETE FROM item WHERE sort = ?').run(removed.sort);
    expect(await ledger.defects()).toEqual([
      expect.stringContaining('there are 2 items where 3 were written'),
    ]);
    by.close();
    await ledger.close();
  });

  it('processes that create and claim at once: each key exactly one winner', async () => {
    const file = newFile();
    const ledger = await SqliteLedger.open(file);
    const keys = Array.from({ length: 200 }, (_, i) => ({ partition: 'otpk', sort: `${i}` }));
    await ledger.writeMany(keys.map((put) => ({ put, attributes: {}, when: 'absent' })));
    const run = promisify(execFile);
    const claimers = ['0', '1', '2', '3'];
    const wins = await Promise.all(
      claimers.map(async (claimer) => {
        const { stdout } = await run(process.execPath, [script('claimer.ts').pathname, file, '200', claimer]);
        return stdout.split(',').filter(Boolean);
      }),
    );
    expect(wins.flat().sort()).toEqual(keys.map(({ sort }) => sort).sort());
    for (const item of await ledger.getMany(keys)) {
      expect(wins[Number(item!.attributes.claimer)]).toContain(item!.sort);
    }
    await ledger.close();
  });

  it('worker threads that open a new file at once all find it whole', async () => {
    const file = newFile();
    const ledgerModule = script('../../shared/ledger/sqlite.ts').href;
    const code = `
      const { SqliteLedger } = await import(${JSON.stringify(ledgerModule)});
      const ledger = await SqliteLedger.open(${JSON.stringify(file)});
      for (let i = 0; i < 50; i++) {
        for (;;) {
          const key = { partition: 'p', sort: 'count' };
          const item = await ledger.get(key);
          const when = item === undefined ? 'absent' : { revision: item.revision };
          // A transaction reads before it writes, which a lock taken too late would turn into a Fault.
          const put = { put: key, attributes: {}, when };
          const check = { check: { partition: 'p', sort: 'other' }, when: 'absent' };
          const outcome = i % 2 ? await ledger.write(put) : await ledger.transact([check, put]);
          if (outcome.done) break;
        }
      }
      await ledger.close();`;
    const module = new URL(`data:text/javascript,${encodeURIComponent(code)}`);
    const exits = await Promise.all(Array.from({ length: 4 }, () => once(new Worker(module), 'exit')));
    expect(exits).toEqual([[0], [0], [0], [0]]);
    const ledger = await SqliteLedger.open(file);
    expect(await ledger.get({ partition: 'p', sort: 'count' })).toMatchObject({ revision: 200 });
    await ledger.close();
  });

  it('a process killed while it writes: all that was acknowledged is there, and pairs are whole', async () => {
    const file = newFile();
    for (const life of [0, 1, 2, 3, 4]) {
      count('kills', 1);
      const acknowledged = await killedAfter(file, life, 150 + life * 333);
      const ledger = await SqliteLedger.open(file);
      const stored = new Set<string>();
      for (let cursor: string | undefined, more = true; more; more = cursor !== undefined) {
        const page = await ledger.query(`life ${life}`, cursor === undefined ? {} : { cursor });
        for (const item of page.items) stored.add(contentOf(item));
        cursor = page.cursor;
      }
      await ledger.close();
      expect(acknowledged.length).toBeGreaterThan(100);
      expect(acknowledged.flatMap(itemsOf).filter((sort) => !stored.has(sort))).toEqual([]);
      for (const sort of stored) {
        if (sort.endsWith('.a')) expect(stored).toContain(sort.replace('.a', '.b'));
      }
    }
  });
});

function contentOf(item: Item): string {
  expect(item).toMatchObject({ revision: 1, attributes: { sort: item.sort } });
  return item.sort;
}

/** The items that an acknowledgement of crash-writer.ts stands for. */
function itemsOf(line: string): string[] {
  if (line.startsWith('batch')) return Array.from({ length: 10 }, (_, i) => `${line}.${i}`);
  return line.startsWith('pair') ? [`${line}.a`, `${line}.b`] : [line];
}

/** Runs crash-writer.ts and kills it with SIGKILL after so many acknowledgements; all that it still told counts. */
async function killedAfter(file: string, life: number, count: number): Promise<string[]> {
  const child = spawn(process.execPath, [script('crash-writer.ts').pathname, file, `${life}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines: string[] = [];
  for await (const line of createInterface(child.stdout)) {
    lines.push(line);
    if (lines.length === count) child.kill('SIGKILL');
  }
  return lines;
}
