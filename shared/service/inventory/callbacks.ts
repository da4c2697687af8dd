import type { ListReader } from '../../ledger/scan.ts';
import { present } from '../../present.ts';
import type { CallbackEntry, Inventory } from '../api/ops.ts';
import { callOfNotice, noticeStripes, noticesOf, parkedNoticeStripes } from '../records/keys.ts';
import { noticeRecord, parkedNotice } from '../records/notice.ts';
import { pageOf } from './page.ts';
import { iso } from './times.ts';

/** Callbacks that wait, or were given up, by order. */
export async function listCallbacks(
  { ledger }: { readonly ledger: ListReader },
  { state, orderId, ...request }: Parameters<Inventory['listCallbacks']>[0],
): Promise<{ callbacks: readonly CallbackEntry[]; cursor?: string }> {
  const source = {
    stripes: state === 'waiting' ? noticeStripes : parkedNoticeStripes,
    // `$` comes after `#`, and is no character of an orderId
    ...(orderId !== undefined && { from: noticesOf(orderId), to: `${orderId}$` }),
  };
  const { entries: callbacks, cursor } = await pageOf(ledger, request, source, async (items) =>
    items.map((item): CallbackEntry[] => {
      const parked = state === 'parked' ? parkedNotice.from(item) : undefined;
      const { orderId: order, url, createdAt, attempts, dueAt, reason } = parked ?? noticeRecord.from(item);
      const common = {
        orderId: order,
        call: callOfNotice(item.sort),
        to: new URL(url).origin,
        state,
        createdAt: iso(createdAt),
        attempts,
        ...present({ reason }),
      };
      return [
        parked === undefined
          ? { ...common, dueAt: iso(dueAt) }
          : { ...common, parkedAt: iso(parked.parkedAt) },
      ];
    }),
  );
  return { callbacks, ...present({ cursor }) };
}
