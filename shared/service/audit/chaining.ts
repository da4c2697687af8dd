import { asRead } from '../../ledger/change.ts';
import type { Item, Ledger, Write } from '../../ledger/ledger.ts';
import { type AnchorMark, auditHead, chainedLine, headOf, waitingLine } from '../records/audit.ts';
import { ledgerKeys } from '../records/keys.ts';
import type { RecordOf } from '../records/record.ts';
import { GENESIS } from './chain-check.ts';
import { lineHash } from './line.ts';
import { waitingLines } from './waiting.ts';

/** Lines that one transaction moves; each is two writes, and the head is one more. */
export const CHAINED_TOGETHER = 49;
/** Lines that are read at once. */
const PAGE = 10 * CHAINED_TOGETHER;

/** The end of the chain, with the marks of its entries in the PPK vault. */
export type ChainEnd = RecordOf<typeof auditHead>;

/** The end before the first line. */
export const START: ChainEnd = { sequence: 0, hash: GENESIS, anchors: [] };

/** The marks of an end that is about to be written, by those that stand. */
export type Marks = (marked: readonly AnchorMark[], sequence: number) => readonly AnchorMark[];

/** What one transaction has moved. */
export interface Chained {
  readonly lines: number;
  readonly end: ChainEnd;
}

/**
 * Moves the lines that wait into the chain, in the order of waiting.ts: each transaction takes some away, puts them behind the
 * end and moves the end, on condition that nobody else did. So a line is in one of both lists at any time, and several callers
 * do no harm: who was overtaken reads anew.
 */
export async function* chainWaiting(ledger: Ledger, marks: Marks): AsyncGenerator<Chained, void, undefined> {
  for (;;) {
    const isOvertaken = yield* chainRound(ledger, marks);
    if (!isOvertaken) return;
  }
}

/** Whether somebody else was faster. */
async function* chainRound(ledger: Ledger, marks: Marks): AsyncGenerator<Chained, boolean, undefined> {
  let head = await ledger.get(ledgerKeys.auditHead);
  for await (const page of waitingLines(ledger, PAGE))
    for (let from = 0; from < page.length; from += CHAINED_TOGETHER) {
      const items = page.slice(from, from + CHAINED_TOGETHER);
      const { end, writes } = appended(items, headOf(head) ?? START, marks);
      const attributes = auditHead.to(end);
      writes.push({ put: ledgerKeys.auditHead, attributes, when: asRead(head) });
      if (!(await ledger.transact(writes)).done) return true;
      head = { ...ledgerKeys.auditHead, revision: (head?.revision ?? 0) + 1, attributes };
      yield { lines: items.length, end };
    }
  return false;
}

/** Moves these items behind the end of the chain. */
function appended(
  items: readonly Item[],
  before: ChainEnd,
  marks: Marks,
): { end: ChainEnd; writes: Write[] } {
  const writes: Write[] = [];
  let { sequence, hash } = before;
  for (const item of items) {
    sequence += 1;
    const line = { ...waitingLine.from(item), sequence, previous: hash };
    hash = lineHash(line);
    writes.push({ remove: item, when: { revision: item.revision } });
    writes.push({
      put: ledgerKeys.auditLine(sequence),
      attributes: chainedLine.to({ ...line, hash }),
      when: 'absent',
    });
  }
  return { end: { sequence, hash, anchors: [...marks(before.anchors, sequence)] }, writes };
}
