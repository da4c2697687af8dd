import type { Item } from '../../ledger/ledger.ts';
import { type ListReader, lastOfSpread, scanSpread } from '../../ledger/scan.ts';
import { waitingLineStripes } from '../records/keys.ts';

/**
 * The lines that wait when the call begins, in the order in which they are chained: by the millisecond at which each was
 * written, and by their names within one.
 *
 * They may be spread, and partitions are not read at one moment: a line could be found whose cause was not there yet when the
 * partition of the cause was read. So each partition is asked for its newest line first, and nothing newer is read then. What a
 * line came after was complete before that line was written, and so before the reading began, which finds it. Thus no line is
 * chained before one that it came after, as far as the clocks of those who wrote them agree, and a reading has an end however
 * fast others write.
 */
export async function* waitingLines(
  ledger: ListReader,
  pageSize: number,
): AsyncGenerator<readonly Item[], void, undefined> {
  const to = await lastOfSpread(ledger, waitingLineStripes);
  if (to !== undefined) yield* scanSpread(ledger, waitingLineStripes, { to, pageSize });
}
