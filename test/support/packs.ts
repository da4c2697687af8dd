import type { Item } from '../../shared/ledger/ledger.ts';
import { type ListReader, scanSpread } from '../../shared/ledger/scan.ts';
import { stripesOf } from '../../shared/ledger/stripes.ts';
import { orderPartition, RECORD_STRIPES } from '../../shared/service/records/keys.ts';

/** The records of an order's packs, in their order, whichever stripes they are in. */
export async function storedPacks(ledger: ListReader, orderId: string): Promise<readonly Item[]> {
  const stripes = stripesOf(orderPartition(orderId), RECORD_STRIPES);
  const packs: Item[] = [];
  for await (const page of scanSpread(ledger, stripes, { prefix: 'pack#' })) packs.push(...page);
  return packs;
}
