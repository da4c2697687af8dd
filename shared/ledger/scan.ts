import { present } from '../present.ts';
import type { Item, Ledger, Page, Range, Walk } from './ledger.ts';
import { compareSort, PAGE_LIMIT } from './range.ts';
import { partitionsOf } from './stripes.ts';

/** Which items of a partition are read, in which direction, and how many at once. */
export type ScanRange = Pick<Range, 'from' | 'to' | 'prefix' | 'descending'> & {
  /** Items of one page, and so what is held in memory at once; the ledger's own limit (1,000) unless given. */
  readonly pageSize?: number;
};

/**
 * Every item of a partition within the range, in the order of their sort keys. The next page is read only when the
 * one before is used up; a change made meanwhile is seen where it lies ahead.
 */
export async function* scan(
  ledger: Pick<Ledger, 'query'>,
  partition: string,
  range: ScanRange = {},
): AsyncGenerator<Item, void, undefined> {
  for await (const items of scanPages(ledger, partition, range)) yield* items;
}

/** As `scan`, a page at a time, for work that is done on many items at once. A page may be empty. */
export async function* scanPages(
  ledger: Pick<Ledger, 'query'>,
  partition: string,
  { pageSize, ...range }: ScanRange = {},
): AsyncGenerator<readonly Item[], void, undefined> {
  const bounds: Range = pageSize === undefined ? range : { ...range, limit: pageSize };
  let page = await ledger.query(partition, bounds);
  yield page.items;
  while (page.cursor !== undefined) {
    page = await ledger.query(partition, { ...bounds, cursor: page.cursor });
    yield page.items;
  }
}

/** What reads a list that may be spread. */
export type ListReader = Pick<Ledger, 'query' | 'spreads'>;

/** What was read of a partition and not told yet, and whether there is more. */
type Head = Page & { readonly partition: string };

/**
 * As `scanPages`, of one list in stripes (stripes.ts): its items in the order of their sort keys, whichever stripe they are in. Of
 * each partition no more than a share of the page is held at once; those that are used up are read on together.
 */
export async function* scanSpread(
  ledger: ListReader,
  stripes: readonly string[],
  { pageSize = PAGE_LIMIT, ...range }: ScanRange = {},
): AsyncGenerator<readonly Item[], void, undefined> {
  const partitions = partitionsOf(ledger, stripes);
  // twice an even share: some have more than others
  const limit = Math.min(pageSize, Math.ceil((2 * pageSize) / partitions.length));
  const read = async (partition: string, from?: string): Promise<Head> => {
    const page = await ledger.query(partition, { ...range, limit, ...present({ cursor: from }) });
    const { items, cursor } = page;
    return items.length === 0 && cursor !== undefined ? read(partition, cursor) : { ...page, partition };
  };
  const order = (a: string, b: string) => (range.descending ? compareSort(b, a) : compareSort(a, b));
  let heads = await Promise.all(partitions.map((partition) => read(partition)));
  do {
    // nothing that is still to be read comes before the end of what was read of its partition
    const [end] = heads
      .flatMap(({ items, cursor }) => (cursor === undefined ? [] : items.at(-1)!.sort))
      .sort(order);
    const isNext = ({ sort }: Item) => end === undefined || order(sort, end) <= 0;
    yield heads.flatMap(({ items }) => items.filter(isNext)).sort((a, b) => order(a.sort, b.sort));
    const left = heads.map((head) => ({ ...head, items: head.items.filter((item) => !isNext(item)) }));
    heads = await Promise.all(
      left
        .filter(({ items, cursor }) => items.length > 0 || cursor !== undefined)
        .map((head) => (head.items.length > 0 ? head : read(head.partition, head.cursor))),
    );
  } while (heads.length > 0);
}

/** At most so many of the first items of a list that is spread, and whether there are more. */
export async function firstOfSpread(
  ledger: ListReader,
  stripes: readonly string[],
  count: number,
  range: Pick<ScanRange, 'from' | 'to' | 'prefix'> = {},
): Promise<{ readonly items: readonly Item[]; readonly more: boolean }> {
  const items: Item[] = [];
  for await (const page of scanSpread(ledger, stripes, { ...range, pageSize: count })) {
    items.push(...page);
    if (items.length > count) break;
  }
  return { items: items.slice(0, count), more: items.length > count };
}

/** As `scan`, all at once: for partitions whose size a rule of the domain bounds. */
export async function scanAll(
  ledger: Pick<Ledger, 'query'>,
  partition: string,
  range: ScanRange = {},
): Promise<readonly Item[]> {
  const all: Item[] = [];
  for await (const items of scanPages(ledger, partition, range)) all.push(...items);
  return all;
}

/**
 * The greatest sort key of a list that is spread; undefined where it is empty. Partitions are not read at one moment: who reads no
 * further than this misses nothing that was there before what stands under this key.
 */
export async function lastOfSpread(
  ledger: ListReader,
  stripes: readonly string[],
): Promise<string | undefined> {
  const lastOf = async (partition: string) => {
    for await (const { sort } of scan(ledger, partition, { descending: true, pageSize: 1 })) return sort;
    return undefined;
  };
  const last = await Promise.all(partitionsOf(ledger, stripes).map(lastOf));
  const later = (one: string, other: string) => (compareSort(one, other) < 0 ? other : one);
  return last.filter((sort) => sort !== undefined).reduce(later, '') || undefined;
}

/** As `scanAll`, of one list in stripes. */
export async function scanAllSpread(
  ledger: ListReader,
  stripes: readonly string[],
  range: ScanRange = {},
): Promise<readonly Item[]> {
  const all: Item[] = [];
  for await (const items of scanSpread(ledger, stripes, range)) all.push(...items);
  return all;
}

/** Everything that the ledger holds, a page at a time, from where an earlier walk ended; for verifying. */
export async function* walkPages(
  ledger: Pick<Ledger, 'walk'>,
  pageSize: number,
  after?: string,
): AsyncGenerator<Walk, void, undefined> {
  let page = await ledger.walk(pageSize, after);
  yield page;
  while (page.cursor !== undefined) {
    page = await ledger.walk(pageSize, page.cursor);
    yield page;
  }
}
