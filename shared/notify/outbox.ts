import { removeItem } from '../ledger/change.ts';
import type { ItemKey, Ledger } from '../ledger/ledger.ts';
import { scanPages } from '../ledger/scan.ts';
import type { Carrier } from './ledger-notifier.ts';
import type { Notice } from './notifier.ts';

/** Notices wait in this partition from the state change they tell of until they are taken. */
const OUTBOX = 'notices';

export const noticeKey = (id: string): ItemKey => ({ partition: OUTBOX, sort: id });

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
  for await (const notices of scanPages(ledger, OUTBOX)) {
    const waiting = notices.filter(({ attributes }) => {
      const { queuedAt } = attributes;
      return queuedAt === undefined || Number(queuedAt) + QUEUED_AGAIN_MS <= now();
    });
    await enqueue(waiting.map(({ sort }) => sort));
    await ledger.writeMany(
      waiting.map((item) => ({
        put: noticeKey(item.sort),
        attributes: { ...item.attributes, queuedAt: now() },
        when: { revision: item.revision },
      })),
    );
    queued += waiting.length;
  }
  return queued;
}

/** Posts one notice and takes it out of the outbox. One that is there no more was delivered before: done. */
export async function deliverNotice(ledger: Ledger, carry: Carrier, id: string): Promise<void> {
  const item = await ledger.get(noticeKey(id));
  if (item === undefined) return;
  const { url, body } = item.attributes as unknown as Notice;
  await carry({ id, url, body });
  // the sweeper may have marked the notice while it was posted
  await removeItem(ledger, noticeKey(id));
}
