import { asRead } from '../../ledger/change.ts';
import type { Ledger, Write } from '../../ledger/ledger.ts';
import { COPIES, ledgerKeys } from '../records/keys.ts';
import { trustEpochCopy } from '../records/trust.ts';

/**
 * Copies of the trust epoch, which move with it in one transaction. Those who bind just in time lean on one of them at
 * random: two transactions that check the same item at once cancel each other on DynamoDB.
 */
export async function epochCopyWrites(ledger: Ledger, epoch: number): Promise<Write[]> {
  const keys = Array.from({ length: COPIES }, (_, copy) => ledgerKeys.trustEpochCopy(copy));
  const items = await ledger.getMany(keys);
  return keys.map((put, i) => ({
    put,
    attributes: trustEpochCopy.to({ epoch }),
    when: asRead(items[i]),
  }));
}
