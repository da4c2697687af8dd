import { decodeWrappedKey } from '../../keys/wrapped-key.ts';
import { removeItem } from '../../ledger/change.ts';
import type { Item } from '../../ledger/ledger.ts';
import type { Context } from '../context.ts';
import { ingestRecord } from '../records/ingest.ts';
import { chunkRecord, jobRecord } from '../records/job.ts';
import { partyOfTransfer } from '../records/keys.ts';
import { orderRecord, packRecord } from '../records/order.ts';
import { reportWork } from '../records/report.ts';
import type { TraceKind, TraceRecord } from '../records/trace.ts';
import { transferRecord } from '../records/transfer.ts';
import { closeUpload } from './uploads.ts';

/** Destroys what a trace names, PPKs first; may be repeated. The caller has made sure that it counts for nothing. */
export async function destroyTraced(
  { ledger, vault, ppks, dataKeys }: Pick<Context, 'ledger' | 'vault' | 'ppks' | 'dataKeys'>,
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
  if (trace.kind !== 'upload') return;
  const { partition, sort: transferId } = trace.holder;
  await removeItem(ledger, trace.holder);
  await closeUpload(ledger, partyOfTransfer(partition), transferId);
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
  request(holder) {
    const { request } = jobRecord.from(holder);
    return request === undefined ? [] : [request.name];
  },
  report: (holder) => [reportWork.from(holder).body.name],
  batch: (holder) => [ingestRecord.from(holder).batch.name],
  upload(holder) {
    const { name, inUse, destroyed } = transferRecord.from(holder);
    return inUse === true || destroyed !== undefined ? [name] : [];
  },
  used: () => [],
  // each of its objects has a holder of its own: supply/lane-closing.ts
  lane: () => [],
};
