import type { Item, Ledger } from '../../ledger/ledger.ts';
import { scanSpread } from '../../ledger/scan.ts';
import { auditLinePartitions, ledgerKeys } from '../records/keys.ts';

/** No log has more lines. */
const LAST = 9_999_999_999;

/** Bounds of sort keys of the chain: from one line to another, both with it. */
export const chainRange = (from = 1, to = LAST) => ({
  from: ledgerKeys.auditLine(from).sort,
  to: ledgerKeys.auditLine(to).sort,
});

/** Items of the chain in the order of their lines, from one on; `pageSize` of them are read at once, 1,000 unless given. */
export async function* chainItems(
  ledger: Pick<Ledger, 'query'>,
  from = 1,
  pageSize?: number,
): AsyncGenerator<Item, void, undefined> {
  const range = { ...chainRange(from), ...(pageSize !== undefined && { pageSize }) };
  for await (const items of scanSpread(ledger, auditLinePartitions, range)) yield* items;
}

/** Whether an item of the chain stands where the line that it holds belongs. */
export function isInItsPlace({ partition, sort }: Item, sequence: number): boolean {
  const place = ledgerKeys.auditLine(sequence);
  return partition === place.partition && sort === place.sort;
}
