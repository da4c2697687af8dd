import type { Item, Ledger, Range, Walk } from './ledger.ts';

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
