import type {
  Attributes,
  Item,
  ItemKey,
  Page,
  Range,
  TransactionOutcome,
  Value,
  Walk,
  Write,
  WriteOutcome,
} from '../../shared/ledger/ledger.ts';
import { storedPartition } from '../../shared/ledger/stripes.ts';

/** What watches the ledger: told of every write that takes effect, all writes of a transaction at once. */
export type LedgerWatcher = (writes: readonly Write[]) => void;

/** The items of a moment, and how many changes had been made by then. */
export interface Snapshot {
  readonly items: readonly Item[];
  readonly changes: number;
}

const WHOLE_PAGE = 1_000;
/** Changes that can be taken back. */
const REMEMBERED = 60;

/** Octets of its own, so that a writer who wipes or goes on with its buffers changes nothing here. */
function copy(value: Value): Value {
  if (value === null || typeof value !== 'object') return value;
  if (value instanceof Uint8Array) return Uint8Array.from(value);
  if (Array.isArray(value)) return value.map(copy);
  return copyMembers(value as Attributes);
}

function copyMembers(attributes: Attributes): Attributes {
  const copied: Record<string, Value> = {};
  for (const name of Object.keys(attributes)) {
    const member = attributes[name];
    if (member !== undefined) copied[name] = copy(member);
  }
  return copied;
}

const keyOf = (write: Write): ItemKey =>
  'put' in write ? write.put : 'remove' in write ? write.remove : write.check;

/** Partitions of items in the order of their sort keys; plain text, whose UTF-16 order is that of its octets. */
export class SimulatedLedger {
  /** As DynamoDB, or as SQLite. */
  readonly spreads: boolean;
  #partitions = new Map<string, { sorts: string[]; items: Map<string, Item> }>();
  /** What stood where something was changed, for the last changes; of a transaction all at once. */
  readonly #undo: { readonly key: ItemKey; readonly before: Item | undefined }[][] = [];
  watcher: LedgerWatcher = () => undefined;
  /** How many changes led to what is stored; of a transaction one. */
  changes = 0;

  constructor(spreads = false) {
    this.spreads = spreads;
  }

  get(key: ItemKey): Item | undefined {
    const { partition, sort } = this.#stored(key);
    return this.#partitions.get(partition)?.items.get(sort);
  }

  query(partition: string, range: Range = {}): Page {
    const { from = '', to, prefix = '', descending = false, limit = WHOLE_PAGE, cursor } = range;
    const stored = this.#partitions.get(storedPartition(this, partition));
    if (stored === undefined) return { items: [], cursor: undefined };
    const { sorts } = stored;
    const low = from > prefix ? from : prefix;
    const fits = (sort: string) => sort >= low && (to === undefined || sort <= to) && sort.startsWith(prefix);
    let first = place(sorts, low);
    let end = first;
    if (to === undefined && prefix === '') end = sorts.length;
    else while (end < sorts.length && fits(sorts[end]!)) end++;
    const after = cursor === undefined ? undefined : Buffer.from(cursor, 'base64url').toString();
    if (after !== undefined && descending) end = Math.max(first, Math.min(end, place(sorts, after)));
    if (after !== undefined && !descending) {
      first = Math.max(first, place(sorts, after));
      if (sorts[first] === after) first += 1;
    }
    const chosen = descending
      ? sorts.slice(Math.max(first, end - limit), end).reverse()
      : sorts.slice(first, Math.min(end, first + limit));
    const more = end - first > chosen.length && chosen.length > 0;
    return {
      items: chosen.map((sort) => stored.items.get(sort)!),
      cursor: more ? Buffer.from(chosen.at(-1)!).toString('base64url') : undefined,
    };
  }

  walk(limit: number, cursor = '0'): Walk {
    const all = [...this.all()];
    const start = Number(cursor);
    const found = all.slice(start, start + limit).map((item) => ({ ...item, item }));
    return { found, cursor: start + limit < all.length ? String(start + limit) : undefined };
  }

  *all(): Generator<Item> {
    for (const { sorts, items } of this.#partitions.values())
      for (const sort of sorts) yield items.get(sort)!;
  }

  write(asked: Write): WriteOutcome {
    const write = this.#asStored(asked);
    const found = this.#unmet(write);
    if (found !== false) return { done: false, found: found ?? undefined };
    this.#remember([write]);
    const revision = this.#apply(write);
    this.watcher([write]);
    return { done: true, revision };
  }

  transact(asked: readonly Write[]): TransactionOutcome {
    const writes = asked.map((write) => this.#asStored(write));
    const failed = new Map<number, Item | undefined>();
    for (const [i, write] of writes.entries()) {
      const found = this.#unmet(write);
      if (found !== false) failed.set(i, found ?? undefined);
    }
    if (failed.size > 0) return { done: false, failed };
    this.#remember(writes);
    for (const write of writes) this.#apply(write);
    this.watcher(writes);
    return { done: true };
  }

  /** All that is stored now, for a backup. Items are never changed in place. */
  snapshot(): Snapshot {
    return { items: [...this.all()], changes: this.changes };
  }

  /** What is stored is this from here on, and nobody is told. */
  restore({ items, changes }: Snapshot): void {
    this.changes = changes;
    this.#partitions = new Map();
    this.#undo.length = 0;
    for (const item of items) this.#put(item);
  }

  /** So many of the last changes were never made; those that are too long ago stay. */
  forget(changes: number): void {
    for (const change of this.#undo.splice(-changes).reverse()) {
      this.changes -= 1;
      for (const { key, before } of change)
        if (before === undefined) this.#remove(key);
        else this.#put(before);
    }
  }

  #stored({ partition, sort }: ItemKey): ItemKey {
    return { partition: storedPartition(this, partition), sort };
  }

  #asStored(write: Write): Write {
    if ('put' in write) return { ...write, put: this.#stored(write.put) };
    return 'remove' in write
      ? { ...write, remove: this.#stored(write.remove) }
      : { ...write, check: this.#stored(write.check) };
  }

  /** False where the condition holds; otherwise what was found, null for nothing. */
  #unmet(write: Write): Item | null | false {
    const found = this.get(keyOf(write));
    const holds = write.when === 'absent' ? found === undefined : found?.revision === write.when.revision;
    return holds ? false : (found ?? null);
  }

  #remember(writes: readonly Write[]): void {
    this.#undo.push(
      writes
        .filter((write) => !('check' in write))
        .map((write) => ({ key: keyOf(write), before: this.get(keyOf(write)) })),
    );
    if (this.#undo.length > REMEMBERED) this.#undo.shift();
    this.changes += 1;
  }

  #apply(write: Write): number {
    const key = keyOf(write);
    const before = this.get(key)?.revision ?? 0;
    if ('check' in write) return before;
    if ('remove' in write) {
      this.#remove(key);
      return before;
    }
    const { partition, sort } = key;
    this.#put({ partition, sort, revision: before + 1, attributes: copyMembers(write.attributes) });
    return before + 1;
  }

  #put(item: Item): void {
    let stored = this.#partitions.get(item.partition);
    if (stored === undefined) {
      stored = { sorts: [], items: new Map() };
      this.#partitions.set(item.partition, stored);
    }
    if (!stored.items.has(item.sort)) stored.sorts.splice(place(stored.sorts, item.sort), 0, item.sort);
    stored.items.set(item.sort, item);
  }

  #remove({ partition, sort }: ItemKey): void {
    const stored = this.#partitions.get(partition);
    if (!stored?.items.delete(sort)) return;
    stored.sorts.splice(place(stored.sorts, sort), 1);
    if (stored.sorts.length === 0) this.#partitions.delete(partition);
  }
}

/** Index of the first entry that is not below. */
function place(sorts: readonly string[], sort: string): number {
  let low = 0;
  let high = sorts.length;
  if (high > 0 && sorts[high - 1]! < sort) return high;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorts[middle]! < sort) low = middle + 1;
    else high = middle;
  }
  return low;
}
