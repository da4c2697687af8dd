import type { Ledger } from '../../shared/ledger/ledger.ts';

/** Items that were asked for by name, and those that queries gave. */
export interface Reads {
  calls: number;
  items: number;
}

/** A ledger that counts what is read of it. */
export function countingReads(ledger: Ledger): { readonly ledger: Ledger; readonly reads: Reads } {
  const reads: Reads = { calls: 0, items: 0 };
  const count = (items: number) => {
    reads.calls += 1;
    reads.items += items;
  };
  const counted: Pick<Ledger, 'get' | 'getMany' | 'query' | 'walk'> = {
    async get(key) {
      count(1);
      return await ledger.get(key);
    },
    async getMany(keys) {
      count(keys.length);
      return await ledger.getMany(keys);
    },
    async query(partition, range) {
      const page = await ledger.query(partition, range);
      count(page.items.length);
      return page;
    },
    async walk(limit, cursor) {
      const walk = await ledger.walk(limit, cursor);
      count(walk.found.length);
      return walk;
    },
  };
  const proxy = new Proxy(ledger, {
    get(target, name) {
      const own: unknown = Reflect.get(counted, name);
      if (own !== undefined) return own;
      const member: unknown = Reflect.get(target, name, target);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
  return { ledger: proxy, reads };
}
