import type { ItemKey, Write } from '../../ledger/ledger.ts';
import { ledgerKeys } from '../records/keys.ts';
import { type TraceKind, type TraceRecord, traceRecord } from '../records/trace.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** Milliseconds after which what was left behind goes, counted from its trace. */
export const LIFE_MS: Readonly<Record<TraceKind, number>> = {
  order: 15 * MINUTE,
  pack: 15 * MINUTE,
  part: 15 * MINUTE,
  request: 15 * MINUTE,
  report: 15 * MINUTE,
  batch: 15 * MINUTE,
  upload: DAY,
  used: DAY,
  lane: 15 * MINUTE,
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
