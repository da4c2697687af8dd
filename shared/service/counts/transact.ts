import { untilDone } from '../../concurrency.ts';
import { changedTooFast } from '../../ledger/change.ts';
import type { Ledger, TransactionOutcome, Write } from '../../ledger/ledger.ts';

/**
 * A transaction with the writes that count it, which are planned anew, at another shard, where another was faster at the same
 * count or is under way there. What its own writes fail at is the caller's.
 */
export async function transactCounted(
  ledger: Pick<Ledger, 'transact'>,
  writes: readonly Write[],
  counts: () => Promise<readonly Write[]>,
): Promise<TransactionOutcome> {
  return await untilDone(async () => {
    const outcome = await ledger.transact([...writes, ...(await counts())], { contended: true });
    const isOwn = outcome.done || [...outcome.failed.keys()].some((index) => index < writes.length);
    return isOwn ? { value: outcome } : undefined;
  }, changedTooFast);
}
