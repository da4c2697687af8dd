import type { Item, Ledger } from '../../shared/ledger/ledger.ts';
import { scanSpread } from '../../shared/ledger/scan.ts';
import { orderPartition, RECORD_SHARDS } from '../../shared/service/records/keys.ts';

/** The records of an order's packs, in their order, whichever partitions they are in. */
export async function storedPacks(ledger: Pick<Ledger, 'query'>, orderId: string): Promise<readonly Item[]> {
  const partitions = Array.from(
    { length: RECORD_SHARDS },
    (_, shard) => `${orderPartition(orderId)}#${shard}`,
  );
  const packs: Item[] = [];
  for await (const page of scanSpread(ledger, partitions, { prefix: 'pack#' })) packs.push(...page);
  return packs;
}
