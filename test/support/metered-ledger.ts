import { encodeAttributes } from '../../shared/ledger/item.ts';
import type { Item, ItemKey, Ledger, TransactOptions, Write } from '../../shared/ledger/ledger.ts';
import { ledgerWith } from './ledger-with.ts';

/** Units of DynamoDB. */
export interface Units {
  write: number;
  read: number;
}

const nameOf = ({ partition, sort }: ItemKey) => `${partition}\0${sort}`;

/**
 * The ledger, and what its calls would cost on DynamoDB: a unit for each KB begun that is written, twice as many within a
 * transaction, and one for each 4 KB begun that is read. `byPartition` has what was written, by partition.
 */
export function meteredLedger(
  ledger: Ledger,
  units: Units,
  byPartition: Map<string, number> = new Map(),
): Ledger {
  const sizes = new Map<string, number>();
  const octets = (item: Item | undefined) => {
    if (item === undefined) return 1;
    const size = nameOf(item).length + encodeAttributes(item.attributes).length;
    sizes.set(nameOf(item), size);
    return size;
  };
  const read = (items: readonly (Item | undefined)[]) => {
    for (const item of items) units.read += Math.ceil(octets(item) / 4096);
  };
  const write = (one: Write, factor: number) => {
    const key = 'put' in one ? one.put : 'remove' in one ? one.remove : one.check;
    const name = nameOf(key);
    if ('put' in one) sizes.set(name, name.length + encodeAttributes(one.attributes).length);
    const cost = factor * Math.ceil((sizes.get(name) ?? 1) / 1024);
    units.write += cost;
    byPartition.set(key.partition, (byPartition.get(key.partition) ?? 0) + cost);
  };
  return ledgerWith(ledger, {
    get: async (key: ItemKey) => {
      const item = await ledger.get(key);
      read([item]);
      return item;
    },
    getMany: async (keys: readonly ItemKey[]) => {
      const items = await ledger.getMany(keys);
      read(items);
      return items;
    },
    query: async (...args: Parameters<Ledger['query']>) => {
      const page = await ledger.query(...args);
      // a query is charged for the sum of what it reads
      units.read += Math.max(1, Math.ceil(page.items.reduce((sum, item) => sum + octets(item), 0) / 4096));
      return page;
    },
    write: (one: Write) => {
      write(one, 1);
      return ledger.write(one);
    },
    writeMany: (all: readonly Write[]) => {
      for (const one of all) write(one, 1);
      return ledger.writeMany(all);
    },
    transact: (all: readonly Write[], options?: TransactOptions) => {
      for (const one of all) write(one, 2);
      return ledger.transact(all, options);
    },
  });
}
