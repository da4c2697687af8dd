import { createHash } from 'node:crypto';

/**
 * A list that one partition could not take is spread over several, since DynamoDB takes 1,000 write units a second for each:
 * those of such a list, and which of them an item lies in. `scanSpread` of ledger/scan.ts reads them as one list.
 */
export const overShards = (list: string, shards: number): readonly string[] =>
  Array.from({ length: shards }, (_, shard) => `${list}#${shard}`);

/** One after the other, for items that have a number. */
export const byTurn = (shards: readonly string[], number: number): string => shards[number % shards.length]!;

/** By what an item is of, so that all of it lies in one. */
export function bySubject(shards: readonly string[], subject: string): string {
  const [octet = 0] = createHash('sha256').update(subject).digest();
  return byTurn(shards, octet);
}
