import type { Item, Ledger } from '../../shared/ledger/ledger.ts';
import { scanSpread } from '../../shared/ledger/scan.ts';
import { auditLinePartitions, waitingLinePartitions } from '../../shared/service/records/keys.ts';

const allOf = async (
  ledger: Pick<Ledger, 'query'>,
  partitions: readonly string[],
): Promise<readonly Item[]> => {
  const items: Item[] = [];
  for await (const page of scanSpread(ledger, partitions)) items.push(...page);
  return items;
};

/** Lines of the audit log that wait, by when they were written. */
export const waitingAuditLines = (ledger: Pick<Ledger, 'query'>) => allOf(ledger, waitingLinePartitions);

/** Lines of the chain, in their order. */
export const chainedAuditLines = (ledger: Pick<Ledger, 'query'>) => allOf(ledger, auditLinePartitions);
