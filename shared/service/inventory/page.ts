import { refuse } from '../../errors.ts';
import type { Item } from '../../ledger/ledger.ts';
import { type ListReader, scanPages, scanSpread } from '../../ledger/scan.ts';
import type { PageRequest } from '../api/ops.ts';

/** Entries of a page unless it is told. */
const USUAL = 100;
/** Items that one call looks at, whatever it finds: an answer is bounded also where little fits its filter. */
const LOOKED_AT = 1_000;

const ALL = Number.MAX_SAFE_INTEGER;

export interface PageOf<Entry> {
  readonly entries: readonly Entry[];
  readonly cursor?: string;
}

export type PageSource = (
  | { readonly partition: string }
  /** The stripes of a list. */
  | { readonly stripes: readonly string[] }
) & {
  readonly descending?: true;
  /** Inclusive bounds of the sort key. */
  readonly from?: string;
  readonly to?: string;
};

export const limitOf = ({ limit = USUAL }: PageRequest) => limit;

/** Where the next page begins: at this sort key, and so many of its entries are told. */
interface Place {
  readonly sort: string;
  readonly told: number;
}

/**
 * A page of what the items of a partition tell, each of them any number of entries; items are made into entries many at a
 * time, so that what they name is read together.
 */
export async function pageOf<Entry>(
  ledger: ListReader,
  request: PageRequest,
  source: PageSource,
  tell: (items: readonly Item[]) => Promise<readonly (readonly Entry[])[]>,
): Promise<PageOf<Entry>> {
  const limit = limitOf(request);
  const begin = request.cursor === undefined ? undefined : parseCursor(request.cursor);
  const entries: Entry[] = [];
  let looked = 0;
  let stopped: Place | undefined;
  const range = { ...boundsOf(source, begin?.sort), pageSize: limit };
  const pages =
    'stripes' in source
      ? scanSpread(ledger, source.stripes, range)
      : scanPages(ledger, source.partition, range);
  for await (const items of pages) {
    const told = await tell(items);
    for (const [i, { sort }] of items.entries()) {
      // only a further item says that there is more
      if (stopped !== undefined) return { entries, cursor: cursorOf(stopped) };
      const from = sort === begin?.sort ? begin.told : 0;
      const wanted = (told[i] ?? []).slice(from);
      const fitting = wanted.slice(0, limit - entries.length);
      entries.push(...fitting);
      looked += 1;
      const here = { sort, told: from + fitting.length };
      if (fitting.length < wanted.length) return { entries, cursor: cursorOf(here) };
      if (entries.length === limit || looked === LOOKED_AT) stopped = { sort, told: ALL };
    }
  }
  return { entries };
}

function boundsOf({ descending, from, to }: PageSource, at: string | undefined) {
  const lower = descending ? from : (at ?? from);
  const upper = descending ? (at ?? to) : to;
  return {
    ...(descending && { descending }),
    ...(lower !== undefined && { from: lower }),
    ...(upper !== undefined && { to: upper }),
  };
}

const cursorOf = ({ sort, told }: Place) =>
  Buffer.from(JSON.stringify([sort, told]), 'utf8').toString('base64url');

function parseCursor(cursor: string): Place {
  try {
    const place: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    if (!Array.isArray(place)) throw new TypeError('no place');
    const [sort, told]: readonly unknown[] = place;
    if (typeof sort === 'string' && sort !== '' && typeof told === 'number' && told >= 0)
      return { sort, told };
  } catch {
    // refused below
  }
  return refuse('protocolFormat', 'the cursor is not one that this list gave');
}
