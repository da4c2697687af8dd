import type { AuditLog } from '../../shared/service/audit.ts';
import { backgroundEntry } from '../background.ts';
import { sharedRuntime } from '../runtime.ts';

/**
 * Moves waiting lines into the audit chain, then archives them in locked objects: who could rewrite the ledger cannot
 * rewrite those.
 */
export async function chainAndArchive(
  audit: AuditLog,
): Promise<{ chained: number; archived: number; sequence: number }> {
  const chained = await audit.chain();
  const archived = await audit.archive();
  return { chained, archived, sequence: (await audit.head()).sequence };
}

export const handler = backgroundEntry(
  'audit.chain',
  async (_event: unknown) => {
    return chainAndArchive((await sharedRuntime()).audit);
  },
  { outcome: (counts) => counts },
);
