import type { Item } from '../ledger/ledger.ts';
import { BATCH_OCTETS, noticeRecord } from '../service/records/notice.ts';

/** Octets of a call around its notices, at most: header, orderId, brackets. */
const AROUND = 1_024;

interface OpenCall {
  readonly notices: Item[];
  octets: number;
}

/**
 * Which notices go together: those of one order that may, as many as each of them bears and as one body holds; every other
 * one by itself. Within a call, and from call to call of an order, they keep their order.
 */
export function callsOf(notices: readonly Item[]): readonly (readonly Item[])[] {
  const calls: Item[][] = [];
  const open = new Map<string, OpenCall>();
  for (const notice of notices) {
    const { orderId, batch = 1, content } = noticeRecord.from(notice);
    const octets = Buffer.byteLength(content) + 1;
    const group = `${orderId} ${batch}`;
    const call = open.get(group);
    if (call !== undefined && call.notices.length < batch && call.octets + octets <= BATCH_OCTETS) {
      call.notices.push(notice);
      call.octets += octets;
    } else {
      const begun: OpenCall = { notices: [notice], octets: AROUND + octets };
      open.set(group, begun);
      calls.push(begun.notices);
    }
  }
  return calls;
}
