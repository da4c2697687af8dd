import { firstOfSpread, type ListReader } from '../../ledger/scan.ts';
import { ifPresent, present } from '../../present.ts';
import type { CallbackHealth } from '../api/es2f.ts';
import { noticeStripes, noticesOf, parkedNoticeStripes } from '../records/keys.ts';
import { noticeRecord, parkedNotice } from '../records/notice.ts';

/** Notices that are looked at: beyond them the counts are a least. */
const LOOKED_AT = 1_000;

/** How callbacks do: of an order, or of all. */
export async function callbackHealth(
  { ledger, now }: { readonly ledger: ListReader; readonly now: () => number },
  orderId?: string,
): Promise<CallbackHealth> {
  const range = present({ prefix: ifPresent(orderId, noticesOf) });
  const [waiting, parked] = await Promise.all([
    firstOfSpread(ledger, noticeStripes, LOOKED_AT, range),
    firstOfSpread(ledger, parkedNoticeStripes, LOOKED_AT, range),
  ]);
  const notices = waiting.items.map(noticeRecord.from);
  const delayed = notices.filter(({ attempts }) => attempts > 0);
  const givenUp = parked.items.map(parkedNotice.from);
  const last = [...delayed, ...givenUp].sort((a, b) => lastAttempt(b) - lastAttempt(a))[0];
  const oldest = earliest(notices.map(({ createdAt }) => createdAt));
  const next = earliest(delayed.map(({ dueAt }) => Math.max(dueAt, now())));
  return {
    waiting: notices.length,
    delayed: delayed.length,
    parked: givenUp.length,
    ...((waiting.more || parked.more) && { more: true }),
    ...present({ oldest, nextAttempt: next }),
    ...present({ lastFailure: ifPresent(last, ({ reason }) => reason ?? '') }),
  };
}

/** What orders failures: when the next attempt is due, or when there was the last one. */
const lastAttempt = (notice: { readonly dueAt: number; readonly parkedAt?: number | undefined }) =>
  notice.parkedAt ?? notice.dueAt;

const earliest = (times: readonly number[]) =>
  times.length === 0 ? undefined : new Date(times.reduce((a, b) => Math.min(a, b))).toISOString();
