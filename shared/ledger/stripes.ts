import type { Ledger } from './ledger.ts';

const MARK = '##';

/**
 * A list that one partition of DynamoDB could not take, 1,000 write units a second, lies in several stripes: the partitions
 * `LIST##0`, `LIST##1` and so on. A store whose partitions have no such limit keeps them together, as the one partition
 * `LIST##`, whichever stripe a call names: what is written at one moment then lies on few pages of the file. Which of both a
 * ledger does, it says itself (`Ledger.spreads`), and whoever reads a list asks it (`partitionsOf`).
 *
 * Which stripe an item is in follows from its sort key, so that no two stripes of a list have the same one.
 */
export const stripeOf = (list: string, stripe: number): string => `${list}${MARK}${stripe}`;

export const stripesOf = (list: string, count: number): readonly string[] =>
  Array.from({ length: count }, (_, stripe) => stripeOf(list, stripe));

const DIGITS = /^\d+$/;

/** The one partition of a list, by the name of any stripe; any other partition is itself. */
function gathered(partition: string): string {
  const mark = partition.lastIndexOf(MARK);
  if (mark === -1) return partition;
  const end = mark + MARK.length;
  return DIGITS.test(partition.slice(end)) ? partition.slice(0, end) : partition;
}

/** Under which name this ledger keeps a partition. */
export const storedPartition = ({ spreads }: Pick<Ledger, 'spreads'>, partition: string): string =>
  spreads ? partition : gathered(partition);

/** The partitions in which this ledger keeps a list, given all of its stripes. */
export const partitionsOf = (
  ledger: Pick<Ledger, 'spreads'>,
  stripes: readonly string[],
): readonly string[] => [...new Set(stripes.map((stripe) => storedPartition(ledger, stripe)))];
