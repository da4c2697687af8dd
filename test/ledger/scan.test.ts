import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Ledger, Page, Range } from '../../shared/ledger/ledger.ts';
import {
  firstOfSpread,
  type ListReader,
  scan,
  scanAll,
  scanPages,
  scanSpread,
} from '../../shared/ledger/scan.ts';
import { SqliteLedger } from '../../shared/ledger/sqlite.ts';
import { stripesOf } from '../../shared/ledger/stripes.ts';

describe('a scan over a partition', () => {
  let ledger: Ledger;
  const sorts = Array.from({ length: 25 }, (_, n) => `item#${String(n).padStart(2, '0')}`);
  beforeAll(async () => {
    ledger = await SqliteLedger.open(':memory:');
    const put = (sort: string) => ({
      put: { partition: 'p', sort },
      attributes: {},
      when: 'absent' as const,
    });
    await ledger.writeMany([...sorts, 'other#1'].map(put));
  });
  afterAll(() => ledger.close());

  const limits: (number | undefined)[] = [];
  const counting = {
    query: (partition: string, range?: Range): Promise<Page> => {
      limits.push(range?.limit);
      return ledger.query(partition, range);
    },
  };

  it('gives every item within the range once, in order, over any size of page', async () => {
    for (const pageSize of [1, 7, 25, 1000]) {
      const items = await scanAll(ledger, 'p', { prefix: 'item#', pageSize });
      expect(items.map(({ sort }) => sort)).toEqual(sorts);
    }
    const down = await scanAll(ledger, 'p', {
      from: 'item#03',
      to: 'item#07',
      descending: true,
      pageSize: 2,
    });
    expect(down.map(({ sort }) => sort)).toEqual(sorts.slice(3, 8).reverse());
  });

  it('asks for pages of the given size, and for none beyond what its reader takes', async () => {
    limits.length = 0;
    for await (const { sort } of scan(counting, 'p', { pageSize: 10 })) if (sort === 'item#11') break;
    expect(limits).toEqual([10, 10]);
  });

  it('ends at a missing cursor, not at an empty page', async () => {
    const [first] = (await ledger.query('p', { limit: 1 })).items;
    const pages: Page[] = [
      { items: [], cursor: 'a' },
      { items: [first!], cursor: 'b' },
      { items: [], cursor: undefined },
    ];
    const asked: (string | undefined)[] = [];
    const sparse = {
      spreads: true,
      query: async (_: string, range?: Range) => {
        asked.push(range?.cursor);
        return pages[asked.length - 1]!;
      },
    };
    expect(await scanAll(sparse, 'p')).toEqual([first]);
    expect(asked).toEqual([undefined, 'a', 'b']);
  });

  it('an empty partition has no items, and a page without any', async () => {
    expect(await scanAll(ledger, 'nothing')).toEqual([]);
    const pages: number[] = [];
    for await (const items of scanPages(ledger, 'nothing')) pages.push(items.length);
    expect(pages).toEqual([0]);
  });
});

describe('a scan over a list that is spread over partitions', () => {
  let ledger: Ledger;
  const partitions = stripesOf('list', 4);
  // the third has none, the last almost all; above U+FFFF the order of octets is not that of JavaScript
  const names = [
    ...Array.from({ length: 60 }, (_, n) => `item#${String(n).padStart(2, '0')}`),
    'item#\uffff',
    'item#\u{10000}',
  ];
  const placeOf = (n: number) => partitions[n % 10 < 2 ? n % 10 : 3]!;
  beforeAll(async () => {
    ledger = await SqliteLedger.open(':memory:', { spreads: true });
    await ledger.writeMany(
      [...names, 'other#1'].map((sort, n) => ({
        put: { partition: placeOf(n), sort },
        attributes: {},
        when: 'absent' as const,
      })),
    );
  });
  afterAll(() => ledger.close());

  const spread = async (range: Parameters<typeof scanSpread>[2], from: ListReader = ledger) => {
    const sorts: string[] = [];
    for await (const page of scanSpread(from, partitions, range)) sorts.push(...page.map(({ sort }) => sort));
    return sorts;
  };

  it('gives every item within the range once, in the order of all, over any size of page', async () => {
    for (const pageSize of [1, 7, 60, 1000])
      expect(await spread({ prefix: 'item#', pageSize })).toEqual(names);
    const within = { from: 'item#10', to: 'item#30', descending: true, pageSize: 8 } as const;
    expect(await spread(within)).toEqual(names.slice(10, 31).reverse());
  });

  it('holds a share of a page of each partition, and reads none again before it is used up', async () => {
    const asked = new Map<string, number>();
    const limits = new Set<number | undefined>();
    const counting = {
      spreads: true,
      query: (partition: string, range?: Range) => {
        asked.set(partition, (asked.get(partition) ?? 0) + 1);
        limits.add(range?.limit);
        return ledger.query(partition, range);
      },
    };
    expect(await spread({ prefix: 'item#', pageSize: 20 }, counting)).toEqual(names);
    expect(limits).toEqual(new Set([10]));
    expect(Object.fromEntries(asked)).toEqual({ 'list##0': 1, 'list##1': 1, 'list##2': 1, 'list##3': 5 });
  });

  it('goes on after an empty page, and gives a page without any of an empty list', async () => {
    const sparse = {
      spreads: true,
      query: async (partition: string, range: Range = {}) =>
        range.cursor === undefined
          ? { items: [], cursor: '-' }
          : await ledger.query(partition, { prefix: 'item#' }),
    };
    expect(await spread({}, sparse)).toEqual(names);
    const pages: number[] = [];
    for await (const items of scanSpread(ledger, stripesOf('none', 2))) pages.push(items.length);
    expect(pages).toEqual([0]);
  });

  it('tells of its first items whether there are more', async () => {
    const prefix = 'item#';
    const first = async (count: number) => {
      const { items, more } = await firstOfSpread(ledger, partitions, count, { prefix });
      return [items.map(({ sort }) => sort), more];
    };
    expect(await first(5)).toEqual([names.slice(0, 5), true]);
    expect(await first(61)).toEqual([names.slice(0, 61), true]);
    expect(await first(62)).toEqual([names, false]);
  });
});
