import { mapConcurrently } from '../concurrency.ts';
import type { Item, Ledger } from '../ledger/ledger.ts';
import { type ListReader, scanSpread } from '../ledger/scan.ts';
import { ledgerKeys, noticeStripes } from '../service/records/keys.ts';
import { noticeRecord } from '../service/records/notice.ts';
import { type AttemptPort, attempt, type Outcome } from './attempt.ts';
import { callsOf } from './calls.ts';

/** After so long a notice is queued again: its message may be lost, or lie in the dead-letter queue. */
const QUEUED_AGAIN_MS = 24 * 3_600_000;
/** Calls of a message that are under way at once, where it became several since it was queued, */
const AT_ONCE = 8;
/** and for how long another one is begun: a Lambda has a minute, and a call may take 20 s. */
const BEGIN_MS = 20_000;

/**
 * Hands waiting notices to a queue, each once, those that go together (calls.ts) in one message: `queuedAt` stands in the
 * ledger only after the queue has it, so a crash in between queues it twice, which the deliverer and the receiver can bear.
 * Returns how many.
 */
export async function sweepOutbox(
  ledger: ListReader & Pick<Ledger, 'writeMany'>,
  enqueue: (calls: readonly (readonly string[])[]) => Promise<void>,
  now: () => number,
): Promise<number> {
  let queued = 0;
  for await (const notices of scanSpread(ledger, noticeStripes)) {
    const waiting = notices.filter((item) => {
      const { queuedAt } = noticeRecord.from(item);
      return queuedAt === undefined || queuedAt + QUEUED_AGAIN_MS <= now();
    });
    await enqueue(callsOf(waiting).map((call) => call.map(({ sort }) => sort)));
    await ledger.writeMany(
      waiting.map((item) => ({
        put: item,
        attributes: noticeRecord.to({ ...noticeRecord.from(item), queuedAt: now() }),
        when: { revision: item.revision },
      })),
    );
    queued += waiting.length;
  }
  return queued;
}

/** What came of a notice of a message; one that `waits` had no attempt. */
export type Delivery = Outcome | { readonly kind: 'waits'; readonly waitMs: number };

/**
 * One attempt at the notices of a message, by their names. Those that are there no more were delivered before; those that are
 * not due yet wait for the next time, unless none is.
 */
export async function deliverNotices(
  port: AttemptPort,
  names: readonly string[],
): Promise<ReadonlyMap<string, Delivery>> {
  const { ledger, now } = port;
  const deliveries = new Map<string, Delivery>(names.map((name) => [name, { kind: 'taken' }]));
  const stored = (await ledger.getMany(names.map(ledgerKeys.notice))).filter((item) => item !== undefined);
  const waitOf = (item: Item) => noticeRecord.from(item).dueAt - now();
  const due = stored.filter((item) => waitOf(item) <= 0);
  const calls = callsOf(due.length > 0 ? due : stored);
  for (const item of stored) deliveries.set(item.sort, { kind: 'waits', waitMs: Math.max(0, waitOf(item)) });
  const until = now() + BEGIN_MS;
  await mapConcurrently(calls, AT_ONCE, async (call) => {
    if (now() > until) return;
    const outcomes = await attempt(port, call);
    for (const [i, { sort }] of call.entries()) deliveries.set(sort, outcomes[i]!);
  });
  return deliveries;
}
