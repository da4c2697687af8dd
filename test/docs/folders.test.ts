import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
/** Folders that are made or installed, and not kept in the repository: those of .gitignore. */
const MADE = readFileSync(join(ROOT, '.gitignore'), 'utf8')
  .split('\n')
  .filter((line) => line.endsWith('/'))
  .map((line) => line.replace(/^\/|\/$/g, ''));

const folders = (path: string) =>
  readdirSync(join(ROOT, path), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.') && !MADE.includes(entry.name))
    .map((entry) => entry.name);

it('the folder table of README.md names every folder at the top and in shared/, and no other', () => {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
  const rows = readme
    .match(/^\| folder \| what \|\n.*\n((?:\|.*\n)+)/m)![1]!
    .trim()
    .split('\n');
  const named = rows.flatMap((row) =>
    [...row.split('|')[1]!.matchAll(/`([^`]+)`/g)].map((match) => match[1]!),
  );
  const there = [
    ...folders('.').filter((name) => name !== 'shared'),
    ...folders('shared').map((name) => `shared/${name}`),
  ];
  expect(named.sort()).toEqual(there.sort());
});
