import type { Ledger, Write } from '../../ledger/ledger.ts';
import { scanAll } from '../../ledger/scan.ts';
import { eidOfTie, orderPartition, TIE } from '../records/keys.ts';
import { type TieRecord, tieRecord } from '../records/order.ts';

/** A position of an order that is kept for one eUICC: a replacement for a profile that is of no use to it. */
export interface Tie extends TieRecord {
  readonly eid: string;
  /** On condition that nobody else has drawn it. */
  drawnWrite(): Write;
  /** Takes the tie away, on the same condition. */
  endWrite(): Write;
}

/** All of an order; seldom any. */
export async function readTies(ledger: Ledger, orderId: string): Promise<readonly Tie[]> {
  const items = await scanAll(ledger, orderPartition(orderId), { prefix: TIE });
  return items.map((item) => {
    const record = tieRecord.from(item);
    return {
      ...record,
      eid: eidOfTie(item.sort),
      drawnWrite: () => ({
        put: item,
        attributes: tieRecord.to({ ...record, drawn: true }),
        when: { revision: item.revision },
      }),
      endWrite: () => ({ remove: item, when: { revision: item.revision } }),
    };
  });
}
