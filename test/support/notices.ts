import type { Item, Ledger } from '../../shared/ledger/ledger.ts';
import { scanSpread } from '../../shared/ledger/scan.ts';
import { noticePartitions } from '../../shared/service/records/keys.ts';

/** The notices that wait whose names begin so, in their order. */
export async function waitingNotices(ledger: Pick<Ledger, 'query'>, prefix = ''): Promise<readonly Item[]> {
  const items: Item[] = [];
  for await (const page of scanSpread(ledger, noticePartitions, { prefix })) items.push(...page);
  return items;
}
