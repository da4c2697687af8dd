import { expect, expectTypeOf, it } from 'vitest';
import { ifPresent, present } from '../shared/present.ts';

it('present leaves out members that are undefined; all other values stay, also those that count as false', () => {
  const members = { none: undefined, nothing: null, zero: 0, empty: '', no: false };
  expect(Object.entries(present(members))).toEqual([
    ['nothing', null],
    ['zero', 0],
    ['empty', ''],
    ['no', false],
  ]);
});

it('present turns a member that may be undefined into one that may be absent', () => {
  const name = undefined as string | undefined;
  expectTypeOf(present({ name })).toEqualTypeOf<{ name?: string }>();
  const record: { readonly id: string; readonly name?: string } = { id: '1', ...present({ name }) };
  expect(Object.keys(record)).toEqual(['id']);
});

it('ifPresent converts a value that is there, also one that counts as false', () => {
  const id = undefined as number | undefined;
  expect({ ...present({ id: ifPresent(id, String), zero: ifPresent(0, String) }) }).toEqual({ zero: '0' });
  expectTypeOf(present({ id: ifPresent(id, String) })).toEqualTypeOf<{ id?: string }>();
});
