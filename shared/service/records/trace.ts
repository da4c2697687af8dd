import { type RecordOf, recordOf } from './record.ts';
import { flag, list, object, oneOf, text } from './schema.ts';

/** What may be left behind: the rows of the table in service/life/kinds.ts that say how long. */
export const TRACE_KINDS = [
  'order',
  'pack',
  'part',
  'request',
  'report',
  'batch',
  'upload',
  'used',
  'lane',
] as const;
export type TraceKind = (typeof TRACE_KINDS)[number];

/**
 * What an attempt is about to write, entered before it writes anything: what is named here and by nothing else is
 * destroyed once the trace is due. See service/life/attempts.ts.
 */
export const traceRecord = recordOf('trace', {
  kind: oneOf(...TRACE_KINDS),
  /** Entries of the PPK vault: sealed PPKs, and the data key that they are sealed under. */
  ppks: list(text),
  /** Objects of the vault. */
  objects: list(text),
  /** The ledger item that names them once they count. */
  holder: object({ partition: text, sort: text }),
  /** The reaper has it: what it names can count no more. */
  claimed: flag,
});

export type TraceRecord = RecordOf<typeof traceRecord>;
