import { changeItem, goes, unchanged } from '../../ledger/change.ts';
import { firstOfSpread } from '../../ledger/scan.ts';
import { ifPresent, present } from '../../present.ts';
import type { Actor } from '../api/actor.ts';
import { auditWrite } from '../audit/line.ts';
import type { Context } from '../context.ts';
import { callOfNotice, ledgerKeys, noticesOf, parkedNoticeStripes } from '../records/keys.ts';
import { noticeRecord, parkedNotice } from '../records/notice.ts';

export interface Replayed {
  readonly replayed: number;
  /** There are more: the same call again takes them. */
  readonly more: boolean;
}

/**
 * Parked callbacks wait again, of an order or of all, with all attempts before them and the octets that they had. Each by
 * itself: what a crash leaves is taken by a repeat.
 */
export async function replayParked(
  { ledger, notifier, now }: Pick<Context, 'ledger' | 'notifier' | 'now'>,
  { orderId, limit }: { readonly orderId?: string | undefined; readonly limit: number },
  by: Actor,
): Promise<Replayed> {
  const range = present({ prefix: ifPresent(orderId, noticesOf) });
  const { items, more } = await firstOfSpread(ledger, parkedNoticeStripes, limit, range);
  let replayed = 0;
  for (const { sort } of items)
    replayed += await changeItem<number>(ledger, ledgerKeys.parkedNotice(sort), (item) => {
      if (item === undefined) return unchanged(0);
      const { parkedAt: _, reason: __, queuedAt: ___, ...notice } = parkedNotice.from(item);
      const attributes = noticeRecord.to({ ...notice, attempts: 0, dueAt: now() });
      const about = { order: notice.orderId, call: callOfNotice(sort) };
      return goes(1, [
        { put: ledgerKeys.notice(sort), attributes, when: 'absent' },
        auditWrite({ event: 'callback.replayed', by, about }, `callback-${sort}-${now()}`, now()),
      ]);
    });
  if (replayed > 0) notifier.wake();
  return { replayed, more };
}
