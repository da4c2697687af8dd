import { expect, it } from 'vitest';
import { KEPT, LARGE, LargeItems } from '../../shared/ledger/sqlite/large-items.ts';

const keyOf = (n: number) => ({ partition: 'order', sort: String(n) });
const kept = (n: number, octets: number) => ({
  item: { ...keyOf(n), revision: 1, attributes: {} },
  sum: n,
  octets,
});

it('large items are kept up to a limit, and what was used last stays', () => {
  const items = new LargeItems();
  const each = KEPT / 10;
  for (let n = 0; n < 10; n++) items.keep(kept(n, each));
  expect(items.get(keyOf(0))?.sum).toBe(0);
  items.keep(kept(10, each));
  expect(items.get(keyOf(1))).toBeUndefined();
  for (const n of [0, 2, 9, 10]) expect(items.get(keyOf(n))?.sum).toBe(n);
});

it('what is read again in another size counts once', () => {
  const items = new LargeItems();
  for (let read = 0; read < 20; read++) items.keep(kept(1, KEPT / 2 - read));
  items.keep(kept(2, KEPT / 2));
  expect(items.get(keyOf(1))?.octets).toBe(KEPT / 2 - 19);
});

it('small items are not kept, nor one that is larger than the limit', () => {
  const items = new LargeItems();
  items.keep(kept(1, LARGE - 1));
  items.keep(kept(2, KEPT + 1));
  expect([items.get(keyOf(1)), items.get(keyOf(2))]).toEqual([undefined, undefined]);
});
