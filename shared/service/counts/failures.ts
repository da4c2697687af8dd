import { isEid } from '../../codec/eid.ts';
import type { Write } from '../../ledger/ledger.ts';
import { present } from '../../present.ts';
import { type FailureRecord, failureRecord } from '../records/inventory.ts';
import { ledgerKeys } from '../records/keys.ts';
import { einOf } from './ein.ts';

/** One failure, as its cause knows it. */
export interface Failure {
  /** A row of shared/status-codes.ts, or the error of an eUICC or an FPA. */
  readonly code: string;
  readonly eid?: string;
  readonly iccid?: string;
  readonly detail?: string;
}

/** Kinds of failures of one record: it stays far below the size of a ledger item. */
const GROUPS = 100;

/**
 * The record of what failed together, by code and EUM, with the first of each; belongs into the transaction that it failed
 * in. None where nothing did.
 */
export function failureWrites(
  about: Omit<FailureRecord, 'failures'>,
  failures: readonly Failure[],
  { atMs, id }: { readonly atMs: number; readonly id: string },
): Write[] {
  if (failures.length === 0) return [];
  const groups = new Map<string, FailureRecord['failures'][number]>();
  for (const { code, eid, iccid, detail } of failures) {
    const ein = eid !== undefined && isEid(eid) ? einOf(eid) : undefined;
    const name = `${code} ${ein}`;
    const known = groups.get(name);
    if (known === undefined && groups.size === GROUPS) continue;
    groups.set(
      name,
      known
        ? { ...known, count: known.count + 1 }
        : { code, count: 1, ...present({ ein, eid, iccid, detail }) },
    );
  }
  const record = { ...about, failures: [...groups.values()] };
  return [{ put: ledgerKeys.failure(atMs, id), attributes: failureRecord.to(record), when: 'absent' }];
}
