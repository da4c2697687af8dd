import type { Item, ItemKey, Ledger } from '../ledger/ledger.ts';
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
  let cursor: string | undefined;
  do {
    const page = await ledger.query(OUTBOX, cursor === undefined ? {} : { cursor });
    const waiting = page.items.filter(({ attributes }) => {
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
    cursor = page.cursor;
  } while (cursor !== undefined);
  return queued;
}

/** Posts one notice and takes it out of the outbox. One that is there no more was delivered before: done. */
export async function deliverNotice(ledger: Ledger, carry: Carrier, id: string): Promise<void> {
  const item = await ledger.get(noticeKey(id));
  if (item === undefined) return;
  const { url, body } = item.attributes as unknown as Notice;
  await carry({ id, url, body });
  await remove(ledger, item);
}

/** The sweeper may mark the notice while it is posted: then the removal is tried with what stands there now. */
async function remove(ledger: Ledger, item: Item): Promise<void> {
  let stored: Item | undefined = item;
  while (stored !== undefined) {
    const outcome = await ledger.write({ remove: noticeKey(item.sort), when: { revision: stored.revision } });
    if (outcome.done) return;
    stored = outcome.found;
  }
}
