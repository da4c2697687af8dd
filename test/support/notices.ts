import type { Item } from '../../shared/ledger/ledger.ts';
import { type ListReader, scanSpread } from '../../shared/ledger/scan.ts';
import { noticeStripes } from '../../shared/service/records/keys.ts';

/** The notices that wait whose names begin so, in their order. */
export async function waitingNotices(ledger: ListReader, prefix = ''): Promise<readonly Item[]> {
  const items: Item[] = [];
  for await (const page of scanSpread(ledger, noticeStripes, { prefix })) items.push(...page);
  return items;
}
