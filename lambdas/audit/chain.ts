import { utf8 } from '../../shared/codec/bytes.ts';
import type { AuditLog } from '../../shared/service/audit.ts';
import { padded } from '../../shared/service/records/keys.ts';
import type { Vault } from '../../shared/vault/vault.ts';
import { backgroundEntry } from '../background.ts';
import { sharedRuntime } from '../runtime.ts';

/**
 * Moves waiting lines into the audit chain, then keeps its head as a locked object: who could rewrite the ledger
 * cannot rewrite a chain that ends in a hash outside it.
 */
export async function chainAndAnchor(
  audit: AuditLog,
  vault: Pick<Vault, 'put'>,
): Promise<{ chained: number; sequence: number }> {
  const chained = await audit.chain();
  const head = await audit.head();
  if (chained > 0) {
    await vault.put(`audit/${padded(head.sequence)}`, utf8(JSON.stringify(head)), { lock: true });
  }
  return { chained, sequence: head.sequence };
}

export const handler = backgroundEntry(
  'audit.chain',
  async (_event: unknown) => {
    const { audit, context } = await sharedRuntime();
    return chainAndAnchor(audit, context.vault);
  },
  { outcome: (anchored) => anchored },
);
