import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
/** What is made or installed, and not kept in the repository. */
const MADE = ['node_modules', 'cdk.out', 'coverage', 'dist', 'try'];

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
