import { createHash } from 'node:crypto';

// Which stripe of a list (ledger/stripes.ts) an item is in.

/** One after the other, for items that have a number. */
export const byTurn = (stripes: readonly string[], number: number): string =>
  stripes[number % stripes.length]!;

/** By what an item is of, so that all of it lies in one. */
export function bySubject(stripes: readonly string[], subject: string): string {
  const [octet = 0] = createHash('sha256').update(subject).digest();
  return byTurn(stripes, octet);
}
