import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Ledger, Page, Range } from '../../shared/ledger/ledger.ts';
import { scan, scanAll, scanPages } from '../../shared/ledger/scan.ts';
import { SqliteLedger } from '../../shared/ledger/sqlite.ts';

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
