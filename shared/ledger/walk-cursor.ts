import { invariant } from '../errors.ts';
import type { ItemKey } from './ledger.ts';

/** Where a walk over all items goes on: behind the item of this key. */
export const walkCursor = ({ partition, sort }: ItemKey): string => JSON.stringify([partition, sort]);

export function parseWalkCursor(cursor: string): ItemKey {
  const parsed: unknown = JSON.parse(cursor);
  invariant(Array.isArray(parsed) && parsed.length === 2, 'a cursor of a walk has two members');
  return { partition: String(parsed[0]), sort: String(parsed[1]) };
}
