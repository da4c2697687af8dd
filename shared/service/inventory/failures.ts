import type { Item } from '../../ledger/ledger.ts';
import { present } from '../../present.ts';
import type { FailureCount, FailureEntry, FailureFilter, Inventory, PageRequest } from '../api/ops.ts';
import type { Context } from '../context.ts';
import { callCounts, failureRecord } from '../records/inventory.ts';
import { partitions } from '../records/keys.ts';
import { explained, explainedCodes } from './explained.ts';
import { pageOf } from './page.ts';
import { iso, sortsWithin, splitSort } from './times.ts';

/** Pages of entries that are counted in one call. */
const COUNTED_PAGES = 10;
const PAGE = 1_000;

/** What failed and why, the newest first; calls that were refused as a whole are asked for by their kind. */
export async function listFailures(
  context: Context,
  request: PageRequest & FailureFilter,
): Promise<{ failures: readonly FailureEntry[]; cursor?: string }> {
  const { entries: failures, cursor } = await page(context, request);
  return { failures, ...present({ cursor }) };
}

/** Calls that were refused as a whole stand with the counts of calls, which one page of one list cannot merge by time. */
function page({ ledger }: Context, request: PageRequest & FailureFilter) {
  if (request.kind === 'call') {
    const source = { partition: partitions.calls, descending: true, ...sortsWithin(request) } as const;
    return pageOf(ledger, request, source, async (items) =>
      items.map((item) => callsOf(item).filter((entry) => fits(entry, request))),
    );
  }
  const source = { partition: partitions.failures, descending: true, ...sortsWithin(request) } as const;
  return pageOf(ledger, request, source, async (items) =>
    items.map((item) => entriesOf(item).filter((entry) => fits(entry, request))),
  );
}

function entriesOf(item: Item): FailureEntry[] {
  const { kind, party, orderId, jobId, function: called, failures } = failureRecord.from(item);
  const at = iso(splitSort(item.sort).atMs);
  const job = jobId?.toUpperCase();
  return failures.map(({ code, count, ein, eid, iccid, detail }) => ({
    at,
    kind,
    ...explained(code),
    count,
    ...present({ party, ein, orderId, jobId: job, eid, iccid, function: called, detail }),
  }));
}

function callsOf(item: Item): FailureEntry[] {
  const at = iso(splitSort(item.sort).atMs);
  return callCounts
    .from(item)
    .calls.flatMap(({ party, function: called, subjectCode, reasonCode, count: times }) =>
      subjectCode === undefined || reasonCode === undefined
        ? []
        : [
            {
              at,
              kind: 'call' as const,
              ...explainedCodes(subjectCode, reasonCode),
              count: times,
              ...present({ party, function: called }),
            },
          ],
    );
}

function fits(entry: FailureEntry, { kind, code, party, ein, orderId }: FailureFilter): boolean {
  return (
    (kind === undefined || entry.kind === kind) &&
    (code === undefined || entry.code === code) &&
    (party === undefined || entry.party === party) &&
    (ein === undefined || entry.ein === ein) &&
    (orderId === undefined || entry.orderId === orderId)
  );
}

/** How often what failed: by kind, code, party and EUM. */
export async function countFailures(
  context: Context,
  filter: FailureFilter,
): ReturnType<Inventory['countFailures']> {
  const counts = new Map<string, FailureCount>();
  let more = false;
  for (const kind of filter.kind === undefined ? ([undefined, 'call'] as const) : [filter.kind]) {
    let cursor: string | undefined;
    for (let pages = 0; pages < COUNTED_PAGES; pages++) {
      const request = { ...filter, limit: PAGE, ...present({ kind, cursor }) };
      const { entries, ...next } = await page(context, request);
      for (const entry of entries) count(counts, entry);
      cursor = next.cursor;
      if (cursor === undefined) break;
    }
    more ||= cursor !== undefined;
  }
  const failures = [...counts.values()].sort((a, b) => b.count - a.count || (a.code < b.code ? -1 : 1));
  return { failures, more };
}

function count(counts: Map<string, FailureCount>, entry: FailureEntry): void {
  const { kind, code, party, ein, at, meaning, todo, subjectCode, reasonCode } = entry;
  const name = [kind, code, party, ein].join(' ');
  const known = counts.get(name);
  counts.set(name, {
    kind,
    code,
    ...present({ subjectCode, reasonCode, party, ein }),
    meaning,
    todo,
    count: (known?.count ?? 0) + entry.count,
    // the newest came first
    lastAt: known?.lastAt ?? at,
  });
}
