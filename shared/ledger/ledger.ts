import type { Bytes } from '../codec/bytes.ts';

/**
 * The ledger: who owns which one-time key and which profile; jobs, commits, reports. One table of items with a
 * partition and a sort key, changed only by conditional writes. The port is what DynamoDB and SQLite can both
 * promise; the rules of the domain live above it, written once.
 *
 * Every item has a revision, 1 when created and one more at each change. A write says what it expects to find.
 */
export interface ItemKey {
  /** 1 to 2,048 octets of UTF-8, without NUL. */
  readonly partition: string;
  /** 1 to 1,024 octets of UTF-8, without NUL; items are sorted by these octets. */
  readonly sort: string;
}

/**
 * JSON values plus octets. Undefined members are left out; no name is empty or begins with `$`; an item has at most
 * 400 KB (see item.ts, which every adapter holds its items to). No secrets: the ledger is backed up.
 */
export type Value =
  | string
  | number
  | boolean
  | null
  | Bytes
  | readonly Value[]
  | { readonly [name: string]: Value | undefined };

export type Attributes = { readonly [name: string]: Value | undefined };

export interface Item extends ItemKey {
  readonly revision: number;
  readonly attributes: Attributes;
}

/** What must be true of the stored item for a write to happen. */
export type Condition =
  /** No such item. */
  | 'absent'
  /** The item exists with exactly this revision. */
  | { readonly revision: number };

export type Write =
  | { readonly put: ItemKey; readonly attributes: Attributes; readonly when: Condition }
  | { readonly remove: ItemKey; readonly when: { readonly revision: number } }
  /** Changes nothing; for transactions that lean on an item staying as it was read. */
  | { readonly check: ItemKey; readonly when: Condition };

export type WriteOutcome =
  /** `revision` as it is now; of a removal the one removed, of a check that found nothing 0. */
  | { readonly done: true; readonly revision: number }
  /** The condition did not hold; `found` is the item as it stands now, if there is one. */
  | { readonly done: false; readonly found: Item | undefined };

export type TransactionOutcome =
  | { readonly done: true }
  /** Nothing was written. `failed` tells for each write whose condition did not hold what was found. */
  | { readonly done: false; readonly failed: ReadonlyMap<number, Item | undefined> };

export interface Range {
  /** Inclusive lower and upper bounds of the sort key, or a common prefix. */
  readonly from?: string;
  readonly to?: string;
  readonly prefix?: string;
  readonly descending?: boolean;
  /** At most so many items, 1,000 unless given. A page may have fewer: only a missing cursor is the end. */
  readonly limit?: number;
  /** Opaque; from the page before. */
  readonly cursor?: string;
}

export interface Page {
  readonly items: readonly Item[];
  readonly cursor: string | undefined;
}

export interface TransactOptions {
  /**
   * Others change one of the items all the time. Where their transaction is under way this one is not done, without a word
   * of which write it was, instead of being tried again: its condition would not hold after theirs.
   */
  readonly contended?: boolean;
}

/** At most this many writes in one transaction (DynamoDB's own limit is 100). */
export const TRANSACTION_LIMIT = 100;

/** What a walk over all that is stored comes by. */
export interface Walked extends ItemKey {
  /** Undefined where the store cannot read it, or finds that it was changed. */
  readonly item: Item | undefined;
}

export interface Walk {
  readonly found: readonly Walked[];
  /** Where to go on; undefined at the end. */
  readonly cursor: string | undefined;
}

export interface Ledger {
  /**
   * Whether the stripes of a list are partitions of their own (stripes.ts): true where a partition takes only so much a second.
   * Where it is false, each stripe's name is the whole list's, for writes and reads alike.
   */
  readonly spreads: boolean;
  /** Strongly consistent. */
  get(key: ItemKey): Promise<Item | undefined>;
  /** In the order asked; undefined where there is no item. Any number of keys. */
  getMany(keys: readonly ItemKey[]): Promise<(Item | undefined)[]>;
  query(partition: string, range?: Range): Promise<Page>;
  /**
   * At most `limit` items of all partitions, in an order of the store's own, from where an earlier walk ended. For
   * verifying: what is changed meanwhile may be passed over or come twice.
   */
  walk(limit: number, cursor?: string): Promise<Walk>;
  /** What the store finds wrong with itself as a whole, in words. */
  defects(): Promise<readonly string[]>;
  write(write: Write): Promise<WriteOutcome>;
  /**
   * Each write stands by itself; one outcome each, in order. Any number of writes. No two may name the same item.
   * A crash may leave any subset done, so callers repeat the whole list and read the outcomes.
   */
  writeMany(writes: readonly Write[]): Promise<WriteOutcome[]>;
  /** All or nothing, at most TRANSACTION_LIMIT writes on different items. */
  transact(writes: readonly Write[], options?: TransactOptions): Promise<TransactionOutcome>;
  close(): Promise<void>;
}
