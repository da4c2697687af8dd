import type { Item, Ledger } from '../../ledger/ledger.ts';
import type { Context } from '../context.ts';
import { ledgerKeys } from '../records/keys.ts';
import { type TraceKind, type TraceRecord, traceRecord } from '../records/trace.ts';
import { destroyTraced } from './destroy.ts';
import { type Attempt, CLAIMED_MS, type Leaves, traceOf } from './traces.ts';

export type { Attempt };

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
