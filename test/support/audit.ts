import type { Item } from '../../shared/ledger/ledger.ts';
import { type ListReader, scanSpread } from '../../shared/ledger/scan.ts';
import { auditLineStripes, waitingLineStripes } from '../../shared/service/records/keys.ts';

const allOf = async (ledger: ListReader, stripes: readonly string[]): Promise<readonly Item[]> => {
  const items: Item[] = [];
  for await (const page of scanSpread(ledger, stripes)) items.push(...page);
  return items;
};

/** Lines of the audit log that wait, by when they were written. */
export const waitingAuditLines = (ledger: ListReader) => allOf(ledger, waitingLineStripes);

/** Lines of the chain, in their order. */
export const chainedAuditLines = (ledger: ListReader) => allOf(ledger, auditLineStripes);
