import type { Write } from '../../ledger/ledger.ts';
import { type ListedEntry, type ListedKind, listedEntry } from '../records/inventory.ts';
import { ledgerKeys } from '../records/keys.ts';

/** The entry of a list by time; belongs into the transaction that takes on what it lists. `id` is unique in its kind. */
export const listedWrite = (kind: ListedKind, atMs: number, id: string, entry: ListedEntry): Write => ({
  put: ledgerKeys.listed(kind, atMs, id),
  attributes: listedEntry.to(entry),
  when: 'absent',
});
