import type { Item, ItemKey, Ledger, Write } from '../../ledger/ledger.ts';
import type { Context } from '../context.ts';
import { ledgerKeys } from '../records/keys.ts';
import { type TraceKind, type TraceRecord, traceRecord } from '../records/trace.ts';
import { destroyTraced } from './destroy.ts';

/*
 * Nothing that an attempt leaves behind outlives it unseen (I10). An attempt enters a trace, an item of the ledger that
 * names all that it is going to write, before it writes any of it; the transaction that makes its work count removes
 * the trace, on condition that nobody touched it. What is destroyed is what a trace names, and nothing else. Why that is
 * safe wherever a process stops, and with any number of them at once:
 *
 * 1. Names are of one attempt: they have its random identifier, so no other attempt writes under them or counts by them.
 * 2. Either the commit removes the trace or the reaper claims it: both are conditional writes on the same item, which
 *    replace it for good. Once it is claimed the commit fails, and the attempt starts over under another name; once it
 *    is removed nobody finds what to destroy. A commit is never waited for, so age decides when, and never whether.
 * 3. A trace from a backup may name what a later commit made count: its holder is asked before anything is destroyed. A
 *    restored ledger refuses the claim until every commit is back (ledger/guarded.ts).
 * 4. Destroying may be repeated: the claimed trace goes last. PPKs go first and their data key next, so that a reaper
 *    that is cut off leaves nothing that opens.
 * 5. An attempt that was only slow may write after the reaper came by. A claimed trace therefore stays for as long again,
 *    and what it names is destroyed a second time before the trace goes.
 */

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** Milliseconds after which what was left behind goes, counted from its trace. */
export const LIFE_MS: Readonly<Record<TraceKind, number>> = {
  order: 15 * MINUTE,
  pack: 15 * MINUTE,
  part: 15 * MINUTE,
  request: 15 * MINUTE,
  upload: DAY,
  used: DAY,
};
/** For how long a claimed trace stays, for what a slow attempt still writes: longer than any call or task may take. */
export const CLAIMED_MS = 15 * MINUTE;

/** What is written under names of the attempt's own, and the ledger item that names it once it counts. */
export interface Leaves {
  /** Entries of the PPK vault, in the order in which they are destroyed. */
  readonly ppks?: readonly string[];
  readonly objects: readonly string[];
  readonly holder: ItemKey;
}

export interface Attempt {
  /** Belongs into the transaction that makes the attempt's work count. */
  readonly settled: Write;
  readonly trace: ItemKey;
}

/** The writes that enter a trace and take it away again; for who enters it in a transaction of its own. */
export function traceOf(
  kind: TraceKind,
  id: string,
  { ppks = [], objects, holder: { partition, sort } }: Leaves,
  from: number,
): { readonly entered: Write } & Attempt {
  const trace = ledgerKeys.trace(id, from + LIFE_MS[kind]);
  const record: TraceRecord = { kind, ppks, objects, holder: { partition, sort }, claimed: false };
  return {
    trace,
    entered: { put: trace, attributes: traceRecord.to(record), when: 'absent' },
    settled: { remove: trace, when: { revision: 1 } },
  };
}

/** Enters the trace of an attempt; nothing that it names may be written before this resolves. */
export async function beginAttempt(
  { ledger, now }: Pick<Context, 'ledger' | 'now'>,
  kind: TraceKind,
  id: string,
  leaves: Leaves,
): Promise<Attempt> {
  const { entered, ...attempt } = traceOf(kind, id, leaves, now());
  await ledger.write(entered);
  return attempt;
}

/** Ends an attempt of this process that does not count, and destroys what it wrote. Not to be called while it writes. */
export async function abandonAttempt(
  context: Pick<Context, 'ledger' | 'now' | 'vault' | 'ppks' | 'dataKeys'>,
  { trace }: Attempt,
): Promise<void> {
  const item = await context.ledger.get(trace);
  // settled after all, or the reaper has it
  const claimed = item && (await claimTrace(context.ledger, item, context.now()));
  if (claimed === undefined) return;
  await destroyTraced(context, traceRecord.from(claimed));
  await context.ledger.write({ remove: claimed, when: { revision: claimed.revision } });
}

/** Makes sure that what the trace names never counts; undefined where it was settled or claimed by somebody else. */
export async function claimTrace(ledger: Ledger, item: Item, now: number): Promise<Item | undefined> {
  const id = item.sort.slice(item.sort.indexOf('#') + 1);
  const record: TraceRecord = { ...traceRecord.from(item), claimed: true };
  const put = ledgerKeys.trace(`${id}#claimed`, now + CLAIMED_MS);
  const attributes = traceRecord.to(record);
  const { done } = await ledger.transact([
    { remove: item, when: { revision: item.revision } },
    { put, attributes, when: 'absent' },
  ]);
  return done ? { ...put, revision: 1, attributes } : undefined;
}
