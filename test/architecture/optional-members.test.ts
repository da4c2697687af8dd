import { expect, it } from 'vitest';
import { conditionalSpreads, sourceTree } from './source-tree.ts';

it('an optional member is written by present and ifPresent, or behind a condition with &&', () => {
  const spreads = sourceTree('shared', 'cli', 'console/server', 'lambdas', 'lib').flatMap((file) =>
    conditionalSpreads(file).map((spread) => `${file.path}: ${spread}`),
  );
  expect(spreads).toEqual([]);
});

it.each(['...(x === undefined ? {} : { y: f(x) })', '...(isNew ? { at } : {})'])('%s is shown', (spread) => {
  expect(conditionalSpreads({ path: 'a.ts', text: `const x = { ${spread} };` })).toEqual([spread]);
});

it.each(['...present({ y: ifPresent(x, f) })', '...(isNew && { at })', '...(isNew ? { at } : { by })'])(
  '%s is right',
  (spread) => {
    expect(conditionalSpreads({ path: 'a.ts', text: `const x = { ${spread} };` })).toEqual([]);
  },
);
