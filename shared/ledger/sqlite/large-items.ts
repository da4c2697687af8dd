import type { Item, ItemKey } from '../ledger.ts';

/** Characters of attributes from which an item is worth keeping. */
export const LARGE = 2_048;
/**
 * Those that are kept in all: the records of 130 packs, which just-in-time calls of many orders come back to. A job reads each of its
 * own once, and more room would fill with them in every thread, decoded and several times as large.
 */
export const KEPT = 1_000_000;

interface Kept {
  readonly item: Item;
  /** Of its row. */
  readonly sum: number;
  readonly octets: number;
}

/**
 * Large items as they were read, such as the record of a pack, which each bind reads and nobody changes: reading and
 * checking one again costs more than asking whether it still is at the same revision. Who holds one must not change it.
 */
export class LargeItems {
  /** The one that was used last comes last. */
  readonly #items = new Map<string, Kept>();
  #octets = 0;

  get(key: ItemKey): Kept | undefined {
    const name = nameOf(key);
    const found = this.#items.get(name);
    if (found === undefined) return undefined;
    this.#items.delete(name);
    this.#items.set(name, found);
    return found;
  }

  keep(kept: Kept): void {
    const name = nameOf(kept.item);
    this.#drop(name);
    if (kept.octets < LARGE) return;
    this.#items.set(name, kept);
    this.#octets += kept.octets;
    while (this.#octets > KEPT) this.#drop(this.#items.keys().next().value!);
  }

  #drop(name: string): void {
    this.#octets -= this.#items.get(name)?.octets ?? 0;
    this.#items.delete(name);
  }
}

const nameOf = ({ partition, sort }: ItemKey) => `${partition}\0${sort}`;
