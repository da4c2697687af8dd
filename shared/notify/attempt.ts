import { messageOf, type OwnText } from '../events/error-record.ts';
import { changeItem, goes, removeItem, unchanged } from '../ledger/change.ts';
import type { Item, Ledger } from '../ledger/ledger.ts';
import { ledgerKeys } from '../service/records/keys.ts';
import { noticeRecord, parkedNotice } from '../service/records/notice.ts';
import type { Courier } from './notifier.ts';
import { pauseAfter, type Schedule } from './schedule.ts';

export type Outcome =
  /** Taken, or gone before. */
  | { readonly kind: 'taken' }
  | {
      readonly kind: 'delayed';
      readonly attempts: number;
      readonly reason: OwnText;
      /** Milliseconds until the next attempt. */
      readonly waitMs: number;
    }
  | { readonly kind: 'parked'; readonly url: string; readonly reason: OwnText };

/**
 * One attempt at a notice, and what it comes to in the ledger. A crash between taking and forgetting a notice posts it
 * twice, octet by octet the same: its functionCallIdentifier is how the receiver knows.
 */
export async function attempt(
  {
    ledger,
    courier,
    now,
  }: { readonly ledger: Ledger; readonly courier: Courier; readonly now: () => number },
  notice: Item,
  schedule?: Schedule,
): Promise<Outcome> {
  const prepared = await courier.prepare(notice);
  if (prepared === undefined) return { kind: 'taken' };
  try {
    await courier.post(prepared);
  } catch (error) {
    return await failed(ledger, notice, { reason: messageOf(error), at: now(), schedule });
  }
  await removeItem(ledger, notice);
  return { kind: 'taken' };
}

/** The sweeper may mark the notice in the meantime: what else it has stays. */
function failed(
  ledger: Ledger,
  { partition, sort }: Item,
  { reason, at, schedule }: { reason: OwnText; at: number; schedule: Schedule | undefined },
): Promise<Outcome> {
  return changeItem<Outcome>(ledger, { partition, sort }, (item) => {
    if (item === undefined) return unchanged<Outcome>({ kind: 'taken' });
    const record = noticeRecord.from(item);
    const attempts = record.attempts + 1;
    const waitMs = pauseAfter(attempts, schedule);
    const next = { ...record, attempts, reason };
    if (waitMs === undefined) {
      const attributes = parkedNotice.to({ ...next, parkedAt: at });
      return goes<Outcome>({ kind: 'parked', url: record.url, reason }, [
        { put: ledgerKeys.parkedNotice(sort), attributes, when: 'absent' },
      ]);
    }
    const attributes = noticeRecord.to({ ...next, dueAt: at + waitMs });
    const value: Outcome = { kind: 'delayed', attempts, reason, waitMs };
    return { kind: 'becomes', attributes, value, alongside: [] };
  });
}
