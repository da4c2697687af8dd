import { expect, expectTypeOf, it } from 'vitest';
import { blindCasts, sourceTree } from './source-tree.ts';

it('stored data is decoded, never cast, in shared/, cli/ and lambdas/', () => {
  const casts = sourceTree('shared', 'cli', 'console/server', 'lambdas').flatMap((file) =>
    blindCasts(file).map((cast) => `${file.path}: ${cast}`),
  );
  expect(casts).toEqual([]);
});

it('what JSON.parse gives is unknown to the compiler, so that no annotation can take it for what it should be', () => {
  expectTypeOf(JSON.parse('1')).toEqualTypeOf<unknown>();
});

it.each([
  'row as unknown as Row',
  'item.attributes as OrderRecord',
  'item?.attributes.der as Uint8Array',
  'items[0]!.attributes.positions as number[]',
  '(item?.attributes.positions ?? []) as number[]',
  'attributes as Line',
  'attributes.hash as string',
  'JSON.parse(text) as Claim',
])('%s is shown as a cast of stored data', (cast) => {
  expect(blindCasts({ path: 'a.ts', text: `const x = ${cast};` })).toEqual([cast]);
});

it.each([
  'JSON.parse(text) as unknown',
  '{ attributes: { der } } as const',
  'decode(item.attributes) as Row',
  'error as Error',
])('%s is no cast of stored data', (cast) => {
  expect(blindCasts({ path: 'a.ts', text: `const x = ${cast};` })).toEqual([]);
});
