import { Fault } from '../errors.ts';
import { checkKey } from './item.ts';
import type { Range } from './ledger.ts';

/** Sort keys compare by their UTF-8 octets, as both databases do; JavaScript's `<` differs above U+FFFF. */
export function compareSort(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** The smallest text above every text with this prefix; undefined where there is none. */
export function afterPrefix(prefix: string): string | undefined {
  // as almost all are: what comes next is no surrogate
  const end = prefix.charCodeAt(prefix.length - 1);
  if (end < 0xd7ff) return prefix.slice(0, -1) + String.fromCharCode(end + 1);
  const points = Array.from(prefix, (character) => character.codePointAt(0)!);
  for (let last = points.pop(); last !== undefined; last = points.pop()) {
    if (last === 0x10ffff) continue;
    // The code points D800 to DFFF are surrogates, no characters.
    return String.fromCodePoint(...points, last === 0xd7ff ? 0xe000 : last + 1);
  }
  return undefined;
}

/** Bounds of a query with prefix and cursor worked in. */
export interface Bounds {
  /** Inclusive. */
  readonly from: string;
  /** Inclusive; undefined is no bound. */
  readonly to: string | undefined;
  /** Exclusive; undefined is no bound. */
  readonly before: string | undefined;
  /** The last sort key of the page before: excluded, with all that comes ahead of it in reading order. */
  readonly after: string | undefined;
}

/** Items of a page where the caller names no limit. */
export const PAGE_LIMIT = 1000;

export function bounds(range: Range): Bounds {
  const { from = '', to, prefix = '', limit, cursor } = range;
  if (limit !== undefined && !(Number.isSafeInteger(limit) && limit > 0)) {
    throw new Fault('ledger', 'the limit of a page is not a positive whole number');
  }
  for (const bound of [from, to ?? '', prefix]) if (bound !== '') checkKey({ partition: '-', sort: bound });
  return {
    from: compareSort(from, prefix) > 0 ? from : prefix,
    to,
    before: prefix === '' ? undefined : afterPrefix(prefix),
    after: cursor === undefined ? undefined : readCursor(cursor),
  };
}

export function makeCursor(lastSort: string): string {
  return Buffer.from(lastSort).toString('base64url');
}

function readCursor(cursor: string): string {
  const sort = Buffer.from(cursor, 'base64url').toString();
  if (sort === '' || makeCursor(sort) !== cursor)
    throw new Fault('ledger', 'this is no cursor of the ledger');
  return sort;
}
