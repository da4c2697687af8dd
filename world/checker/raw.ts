/** Writes and items of the ledger as they lie, read by name and not by the server's records. */
export interface RawKey {
  readonly partition: string;
  readonly sort: string;
}

export interface RawItem extends RawKey {
  readonly attributes: Readonly<Record<string, unknown>>;
}

export type RawWrite =
  | { readonly put: RawKey; readonly attributes: Readonly<Record<string, unknown>> }
  | { readonly remove: RawKey }
  | { readonly check: RawKey };

export const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);

/** What an outcome says that is bound; undefined of a refused one and of what is no outcome. */
export interface RawBound {
  readonly eid: string;
  readonly keyId: string;
  readonly iccid: string;
  readonly otpk: string;
}

/** The bound items in the `outcomes` of a record, wherever it stands. */
export function boundIn(record: Readonly<Record<string, unknown>>): RawBound[] {
  const { outcomes } = record;
  if (!Array.isArray(outcomes)) return [];
  return outcomes.filter(isRecord).flatMap(({ eid, keyId, iccid, otpk }) => {
    if (typeof iccid !== 'string') return [];
    return [{ eid: textOf(eid), keyId: textOf(keyId), iccid, otpk: textOf(otpk) }];
  });
}

/** Every text within a value. */
export function* textsIn(value: unknown): Generator<string> {
  if (typeof value === 'string') yield value;
  else if (Array.isArray(value)) for (const one of value) yield* textsIn(one);
  else if (isRecord(value)) for (const one of Object.values(value)) yield* textsIn(one);
}
