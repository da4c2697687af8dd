import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { scaleOptions } from '../../bench/scale/input.ts';
import { simulate } from '../../bench/scale/model.ts';
import { HEADS, rowsOf } from '../../bench/scale/table.ts';
import { expectTable, table } from './tables.ts';

const tableOf = (args: readonly string[]) => {
  const { input } = scaleOptions(args);
  return table(HEADS, rowsOf(input, simulate(input)));
};

it('docs/scale.md has what npm run bench:scale prints', () => {
  expectTable('scale.md', 'bench:scale', tableOf([]));
});

it('docs/scale.md has what npm run bench:scale prints with the options of its larger account', () => {
  const text = readFileSync(new URL('../../docs/scale.md', import.meta.url), 'utf8');
  const [, options] = /`npm run bench:scale -- (--profiles 100000000 [^`]*)`/.exec(text) ?? [];
  expect(options).toBeDefined();
  expectTable('scale.md', 'bench:scale, a larger account', tableOf(options!.split(' ')));
});
