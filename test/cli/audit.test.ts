import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { rowSum } from '../../shared/ledger/sqlite/row.ts';
import { lineHash } from '../../shared/service/audit/line.ts';
import { type ErrorDocument, runCli } from './support/cli.ts';
import { SandboxFolder } from './support/sandbox-folder.ts';

/** Lines of the log after `beforeAll`, and the last one that is archived. */
let lines: number;
let archived: number;
let sandbox: SandboxFolder;

beforeAll(async () => {
  sandbox = await SandboxFolder.create();
  for (const name of ['2.999.901', '2.999.902', '2.999.903'])
    await sandbox.run('party', 'add', name, '--role', 'operator', '--issue');
  archived = (await sandbox.run('audit', 'archive')).json<Verdict>().head.sequence;
  for (const name of ['D', 'E']) await sandbox.run('party', 'add', name, '--role', 'auditor', '--issue');
  lines = (await verify()).head.sequence;
  expect(lines).toBe(archived + 2);
});
afterAll(() => sandbox?.remove());

interface Verdict {
  readonly holds: boolean;
  readonly head: { readonly sequence: number; readonly hash: string };
  readonly found: number;
  readonly problems: readonly { readonly sequence: number; readonly problem: string }[];
  readonly tail: object;
  readonly cannotKnow: readonly string[];
}

async function verify(...args: string[]): Promise<Verdict & { code: number | null }> {
  const { code, json } = await sandbox.run('audit', 'verify', ...args);
  return { code, ...json<Verdict & Record<string, never>>() };
}

const sortOf = (line: number) => String(line).padStart(10, '0');
/** A row of the log: its end, or a line in one of the partitions that they are spread over. */
const LOG = "partition LIKE 'audit%' AND sort = ?";

/** What somebody with the ledger's file alone can do. */
class Tamperer {
  readonly #database: DatabaseSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  read(sort: string): string {
    const row = this.#database.prepare(`SELECT attributes FROM item WHERE ${LOG}`).get(sort);
    return String(row!.attributes);
  }

  write(sort: string, attributes: string): void {
    // with the sum of its row: an edit without it is no item any more
    const { partition, revision } = this.#database
      .prepare(`SELECT partition, revision FROM item WHERE ${LOG}`)
      .get(sort)!;
    const key = { partition: String(partition), sort };
    const { changes } = this.#database
      .prepare(`UPDATE item SET attributes = ?, sum = ? WHERE ${LOG}`)
      .run(attributes, rowSum(key, Number(revision), attributes), sort);
    expect(changes).toBe(1);
  }

  remove(sort: string): void {
    this.#database.prepare(`DELETE FROM item WHERE ${LOG}`).run(sort);
  }

  change(line: number): void {
    const before = this.read(sortOf(line));
    const after = before.replace('"cli"', '"clu"');
    expect(after).not.toBe(before);
    this.write(sortOf(line), after);
  }

  /** The end from `line` on, and the head that told of it. */
  cutFrom(line: number): void {
    const { hash } = JSON.parse(this.read(sortOf(line - 1))) as { hash: string };
    const head = JSON.parse(this.read('head')) as object;
    for (let at = line; at <= lines; at++) this.remove(sortOf(at));
    this.write('head', JSON.stringify({ ...head, sequence: line - 1, hash }));
  }
}

/** The verdict on a copy of the deployment that was tampered with. */
async function afterTampering(tamper: (tamperer: Tamperer, folder: string) => void): Promise<Verdict> {
  const copy = sandbox.path('tampered');
  await cp(sandbox.folder, copy, { recursive: true });
  try {
    const file = join(copy, 'config.json');
    await writeFile(file, (await readFile(file, 'utf8')).replaceAll(sandbox.folder, copy));
    const database = new DatabaseSync(join(copy, 'ledger.sqlite'));
    tamper(new Tamperer(database), copy);
    database.close();
    const { code, json } = await runCli('audit', 'verify', '--folder', copy, '--json');
    const verdict = json<Verdict & Record<string, never>>();
    expect(code).toBe(verdict.holds ? 0 : 1);
    return verdict;
  } finally {
    await rm(copy, { recursive: true });
  }
}

describe('smdpf audit verify', { tags: ['DPFS01', 'I8'] }, () => {
  it('holds for an untouched log, for people and for programs', async () => {
    expect(await verify()).toMatchObject({ code: 0, holds: true, found: 0, problems: [] });
    const { code, stdout } = await runCli('audit', 'verify', '--folder', sandbox.folder);
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`^the log holds: ${lines} lines, ending in [0-9a-f]{64}`));
  });

  it.each<[string, (tamperer: Tamperer) => void, () => [number, string]]>([
    ['a changed line', (t) => t.change(archived), () => [archived, 'the line was changed']],
    [
      'a changed line that is not archived yet',
      (t) => t.change(lines),
      () => [lines, 'the line was changed'],
    ],
    ['a missing line', (t) => t.remove(sortOf(3)), () => [4, 'lines 3 to 3 are missing']],
    ['a missing first line', (t) => t.remove(sortOf(1)), () => [2, 'lines 1 to 1 are missing']],
    [
      'two lines in each other’s place',
      (t) => {
        const [one, two] = [t.read(sortOf(3)), t.read(sortOf(4))];
        t.write(sortOf(3), two);
        t.write(sortOf(4), one);
      },
      () => [4, 'the line stands in another place'],
    ],
    [
      'an end that was cut off',
      (t) => t.remove(sortOf(lines)),
      () => [lines, 'the end of the log is missing or was changed'],
    ],
    [
      'an end that was cut off together with its head, as far as it is archived',
      (t) => t.cutFrom(archived),
      () => [archived, `lines ${archived} to ${archived} are in the archive and not in the log`],
    ],
    [
      'a head that was put back',
      (t) =>
        t.write('head', JSON.stringify({ ...(JSON.parse(t.read('head')) as object), sequence: lines - 1 })),
      () => [lines - 1, 'the end of the log is missing or was changed'],
    ],
  ])('finds %s', async (_, tamper, expected) => {
    const { holds, problems } = await afterTampering(tamper);
    expect(holds).toBe(false);
    const [sequence, problem] = expected();
    expect(problems).toContainEqual({ sequence, problem });
  });

  it('finds an archive that was changed or removed, and checks the chain all the same', async () => {
    const found = await readdir(sandbox.folder, { recursive: true });
    const file = found.find((path) => /objects\/audit\/.*\/\d{8}$/.test(path))!;
    const whole = `lines 1 to ${archived}`;
    const changed = await afterTampering((t, copy) => {
      writeFileSync(join(copy, file), readFileSync(join(copy, file), 'utf8').replace('"cli"', '"clu"'));
      t.change(archived);
    });
    expect(changed.problems).toEqual([
      { sequence: archived, problem: 'the line was changed' },
      { sequence: 1, problem: `the archive of ${whole} is damaged` },
    ]);
    const removed = await afterTampering((_, copy) => rmSync(join(copy, file)));
    expect(removed.problems).toEqual([
      { sequence: 1, problem: `${whole} were archived and are not in the archive` },
    ]);
  });

  it('finds an end that was cut off with its head before it was archived, by the PPK vault', async () => {
    const { holds, problems } = await afterTampering((t) => t.cutFrom(lines));
    expect(holds).toBe(false);
    expect(problems).toEqual([
      {
        sequence: lines,
        problem: `lines ${lines} to ${lines} were cut off: the PPK vault has the later end`,
      },
    ]);
  });

  it('finds an end that was cut off and written anew with other lines', async () => {
    const { problems } = await afterTampering((t) => {
      const before = JSON.parse(t.read(sortOf(lines - 1))) as { hash: string };
      const { v, hash: _, ...line } = JSON.parse(t.read(sortOf(lines))) as Record<string, unknown>;
      const other = { ...line, at: '2020-01-01T00:00:00.000Z', previous: before.hash };
      const hash = lineHash(other);
      t.write(sortOf(lines), JSON.stringify({ ...other, hash, v }));
      t.write('head', JSON.stringify({ ...(JSON.parse(t.read('head')) as object), hash }));
    });
    expect(problems).toContainEqual({
      sequence: lines,
      problem: 'the line is another one than the PPK vault has',
    });
  });

  it('says up to where something vouches for the log, and what it cannot know', async () => {
    const { tail, cannotKnow } = await verify();
    expect(tail).toEqual({ archive: archived, ppkVault: lines });
    expect(cannotKnow).toEqual([expect.stringContaining('all stores were put back together')]);
    const { cannotKnow: without } = await afterTampering((_, copy) => {
      rmSync(join(copy, 'ppks', 'packs', 'audit-heads'), { recursive: true });
    });
    expect(without[0]).toContain(`whether lines after ${archived} were cut off`);
  });
});

describe('smdpf audit', () => {
  it('show gives the last lines', async () => {
    const { json } = await sandbox.run('audit', 'show', '--last', '2');
    const shown = json<{ lines: { sequence: number; event: string; by: string }[] }>().lines;
    expect(shown).toMatchObject([
      { sequence: lines - 1, event: 'party.added', by: 'cli' },
      { sequence: lines, event: 'party.added', by: 'cli' },
    ]);
    expect((await sandbox.run('audit', 'show', '--last', '0')).code).toBe(2);
  });

  it('show names the person who ran a command', async () => {
    const { username } = userInfo();
    const person = username === 'root' ? (process.env.SUDO_USER ?? username) : username;
    const { json } = await sandbox.run('audit', 'show', '--last', '1');
    const [line] = json<{ lines: { who: object }[] }>().lines;
    expect(line?.who).toEqual({ person, knownBy: 'osUser' });
    const { stdout } = await runCli('audit', 'show', '--last', '1', '--folder', sandbox.folder);
    expect(stdout).toContain(`${person} (cli)`);
  });

  it('archive stores what is new, and nothing twice', async () => {
    expect((await sandbox.run('audit', 'archive')).json()).toMatchObject({ archived: 2 });
    expect((await sandbox.run('audit', 'archive')).json()).toMatchObject({ archived: 0 });
    expect(await readdir(join(sandbox.folder, 'vault', 'objects', 'audit'))).toHaveLength(2);
  });

  it('export gives lines that verify by themselves, and no others', async () => {
    const file = sandbox.path('lines.jsonl');
    const exported = (await sandbox.run('audit', 'export', '--out', file)).json<Verdict>();
    expect(exported).toMatchObject({ lines, head: { sequence: lines } });
    const { code, holds, head } = await verify('--lines', file);
    expect({ code, holds, head }).toEqual({ code: 0, holds: true, head: exported.head });

    const all = (await readFile(file, 'utf8')).trimEnd().split('\n');
    const swapped = [...all.slice(0, 2), all[3]!, all[2]!, ...all.slice(4)];
    for (const [changed, sequence, problem] of [
      [all.map((line, i) => (i === 4 ? line.replace('"cli"', '"clu"') : line)), 5, 'the line was changed'],
      [all.filter((_, i) => i !== 2), 4, 'lines 3 to 3 are missing'],
      [swapped, 4, 'lines 3 to 3 are missing'],
    ] as const) {
      const tampered = await sandbox.file('tampered.jsonl', changed.join('\n'));
      const verdict = await verify('--lines', tampered);
      expect(verdict, problem).toMatchObject({ code: 1, holds: false });
      expect(verdict.problems).toContainEqual({ sequence, problem });
    }
  });

  it('verify tells of a file that holds no lines', async () => {
    for (const content of ['', 'no JSON', '[]', '7']) {
      const file = await sandbox.file('garbage', content);
      const { code, json } = await sandbox.run('audit', 'verify', '--lines', file);
      expect(code, content).toBe(2);
      expect(json<ErrorDocument>().error, content).toMatchObject({ code: 'usage' });
    }
  });
});
