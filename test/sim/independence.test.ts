import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const SIM = join(import.meta.dirname, '../../sim');

it('the counterparts import nothing of the server but plain helpers on octets', () => {
  const files = readdirSync(SIM, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.ts'),
  );
  expect(files.length).toBeGreaterThan(20);
  for (const name of files) {
    const source = readFileSync(join(SIM, name), 'utf8');
    const shared = [...source.matchAll(/from '(?:\.\.\/)+((?:shared|lambdas|cli)\/[^']+)'/g)].map(
      (match) => match[1],
    );
    expect(
      shared.filter((path) => path !== 'shared/codec/bytes.ts'),
      name,
    ).toEqual([]);
  }
});
