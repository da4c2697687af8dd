import type { Attributes, Item } from '../../ledger/ledger.ts';

/** Records are plain values of what a ledger item holds; this is the one place where the types meet. */
export function recordOf<T>() {
  return {
    from: (item: Item) => item.attributes as unknown as T,
    to: (record: T) => record as unknown as Attributes,
  };
}
