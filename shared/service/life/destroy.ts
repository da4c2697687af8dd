import { decodeWrappedKey } from '../../keys/wrapped-key.ts';
import type { Item } from '../../ledger/ledger.ts';
import type { Context } from '../context.ts';
import { chunkRecord, jobRecord } from '../records/job.ts';
import { orderRecord, packRecord } from '../records/order.ts';
import type { TraceKind, TraceRecord } from '../records/trace.ts';

/** Destroys what a trace names, PPKs first; may be repeated. The caller has made sure that it counts for nothing. */
export async function destroyTraced(
  { vault, ppks, dataKeys }: Pick<Context, 'vault' | 'ppks' | 'dataKeys'>,
  trace: TraceRecord,
): Promise<void> {
  for (const name of trace.ppks) {
    const header = await ppks.header(name);
    await ppks.destroyPack(name);
    // of a data key: its place in the list of its wrapping key
    if (header !== undefined && header.length > 0)
      await dataKeys.forget(decodeWrappedKey(header).keyUri, name);
  }
  for (const name of trace.objects) await vault.remove(name);
}

/** Whether the item that would name what a trace is about does so: then it counts, whatever the trace says. */
export async function isHeld({ ledger }: Pick<Context, 'ledger'>, trace: TraceRecord): Promise<boolean> {
  const item = await ledger.get(trace.holder);
  if (item === undefined) return false;
  const named = NAMED_BY[trace.kind](item);
  return trace.objects.some((name) => named.includes(name));
}

/** The objects that a holder names, by kind of trace. */
const NAMED_BY: Readonly<Record<TraceKind, (holder: Item) => readonly string[]>> = {
  order(holder) {
    const { template, rows } = orderRecord.from(holder);
    return rows === undefined ? [template.name] : [template.name, rows.name];
  },
  pack: (holder) => [packRecord.from(holder).object.name],
  part: (holder) => [chunkRecord.from(holder).part.name],
  request: (holder) => [jobRecord.from(holder).request.name],
  upload: () => [],
  used: () => [],
};
