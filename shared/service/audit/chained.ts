import type { Item, Ledger } from '../../ledger/ledger.ts';
import { type ListReader, lastOfSpread, scanSpread } from '../../ledger/scan.ts';
import { storedPartition } from '../../ledger/stripes.ts';
import { present } from '../../present.ts';
import { auditLineStripes, ledgerKeys } from '../records/keys.ts';

/** Bounds of sort keys of the chain: from one line to another, both with it. */
export const chainRange = (from: number, to: number) => ({
  from: ledgerKeys.auditLine(from).sort,
  to: ledgerKeys.auditLine(to).sort,
});

/** Which lines of the chain are read. */
export interface ChainPart {
  /** The first one unless given. */
  readonly from?: number;
  /** One that was chained before the call, as the end of the chain was; the last one that there is when it begins, unless given. */
  readonly to?: number;
  /** Lines that are read at once; 1,000 unless given. */
  readonly pageSize?: number;
}

/**
 * Items of the chain in the order of their lines. No further than to a line that was there when the reading began: its partitions
 * are not read at one moment, so that of lines that are chained meanwhile one could be found without the one before it.
 */
export async function* chainItems(
  ledger: ListReader,
  { from = 1, to, pageSize }: ChainPart = {},
): AsyncGenerator<Item, void, undefined> {
  const last = to === undefined ? await lastOfSpread(ledger, auditLineStripes) : undefined;
  if (to === undefined && last === undefined) return;
  const range = { ...chainRange(from, to ?? 0), ...present({ to: last, pageSize }) };
  for await (const items of scanSpread(ledger, auditLineStripes, range)) yield* items;
}

/** Whether an item of the chain stands where this ledger has the line that it holds. */
export function isInItsPlace(
  ledger: Pick<Ledger, 'spreads'>,
  { partition, sort }: Item,
  sequence: number,
): boolean {
  const place = ledgerKeys.auditLine(sequence);
  return partition === storedPartition(ledger, place.partition) && sort === place.sort;
}
