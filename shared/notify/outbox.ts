import { removeItem } from '../ledger/change.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { scanPages } from '../ledger/scan.ts';
import { ledgerKeys, partitions } from '../service/records/keys.ts';
import { noticeRecord } from '../service/records/notice.ts';
import type { Carrier } from './ledger-notifier.ts';

/** After so long a notice is queued again: one that went to the dead-letter queue is tried anew every day. */
const QUEUED_AGAIN_MS = 24 * 3_600_000;

/**
 * Hands waiting notices to a queue, each once: `queuedAt` stands in the ledger only after the queue has it, so a
 * crash in between queues it twice, which the deliverer and the receiver can bear. Returns how many.
 */
export async function sweepOutbox(
  ledger: Ledger,
  enqueue: (ids: readonly string[]) => Promise<void>,
  now: () => number,
): Promise<number> {
  let queued = 0;
  for await (const notices of scanPages(ledger, partitions.notices)) {
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

/** Posts one notice and takes it out of the outbox. One that is there no more was delivered before: done. */
export async function deliverNotice(ledger: Ledger, carry: Carrier, id: string): Promise<void> {
  const item = await ledger.get(ledgerKeys.notice(id));
  if (item === undefined) return;
  const { url, body } = noticeRecord.from(item);
  await carry({ id, url, body });
  // the sweeper may have marked the notice while it was posted
  await removeItem(ledger, ledgerKeys.notice(id));
}
