import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, it } from 'vitest';
import { ROOT } from '../../release/bundle.ts';

const STARTED = /new URL\('(\.\/[\w-]*worker\.ts)', import\.meta\.url\)/g;

it('the bundle of the threads has the module of every thread that a server starts', () => {
  const sources = globSync('{cli,shared}/**/*.ts', { cwd: ROOT }).map((file) =>
    readFileSync(join(ROOT, file), 'utf8'),
  );
  const started = sources.flatMap((source) => [...source.matchAll(STARTED)].map(([, url]) => basename(url!)));
  const entry = readFileSync(join(ROOT, 'release/threads-entry.ts'), 'utf8');
  const there = [...entry.matchAll(/^ {2}'([\w-]+\.ts)': \(\) => import\(/gm)].map(([, name]) => name);
  expect(there.sort()).toEqual(started.sort());
  expect(started.length).toBeGreaterThan(1);
});
