import type { Ledger } from '../ledger/ledger.ts';
import { scanSpread } from '../ledger/scan.ts';
import { ledgerKeys, noticePartitions } from '../service/records/keys.ts';
import { noticeRecord } from '../service/records/notice.ts';
import { attempt, type Outcome } from './attempt.ts';
import type { Courier } from './notifier.ts';

/** After so long a notice is queued again: its message may be lost, or lie in the dead-letter queue. */
const QUEUED_AGAIN_MS = 24 * 3_600_000;

/**
 * Hands waiting notices to a queue, each once: `queuedAt` stands in the ledger only after the queue has it, so a
 * crash in between queues it twice, which the deliverer and the receiver can bear. Returns how many.
 */
export async function sweepOutbox(
  ledger: Pick<Ledger, 'query' | 'writeMany'>,
  enqueue: (ids: readonly string[]) => Promise<void>,
  now: () => number,
): Promise<number> {
  let queued = 0;
  for await (const notices of scanSpread(ledger, noticePartitions)) {
    const waiting = notices
      .map((item) => ({ item, record: noticeRecord.from(item) }))
      .filter(({ record: { queuedAt } }) => queuedAt === undefined || queuedAt + QUEUED_AGAIN_MS <= now());
    await enqueue(waiting.map(({ item }) => item.sort));
    await ledger.writeMany(
      waiting.map(({ item, record }) => ({
        put: item,
        attributes: noticeRecord.to({ ...record, queuedAt: now() }),
        when: { revision: item.revision },
      })),
    );
    queued += waiting.length;
  }
  return queued;
}

/** One attempt at a notice by its name. One that is there no more was delivered before. */
export async function deliverNotice(
  port: { readonly ledger: Ledger; readonly courier: Courier; readonly now: () => number },
  name: string,
): Promise<Outcome> {
  const item = await port.ledger.get(ledgerKeys.notice(name));
  return item === undefined ? { kind: 'taken' } : await attempt(port, item);
}
