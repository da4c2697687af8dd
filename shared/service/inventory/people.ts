import { scanAll } from '../../ledger/scan.ts';
import { ifPresent, present } from '../../present.ts';
import type { CallEntry, Inventory, PartyEntry, PartyState } from '../api/ops.ts';
import type { Context } from '../context.ts';
import { endingOf } from '../parties/parties.ts';
import { callCounts } from '../records/inventory.ts';
import { partitions } from '../records/keys.ts';
import { type PartyRecord, partyRecord } from '../records/party.ts';
import { pageOf } from './page.ts';
import { iso, sortsWithin, splitSort } from './times.ts';

/** Who may call, and who called what. */

export async function listParties({ ledger, now }: Context): Promise<{ parties: readonly PartyEntry[] }> {
  const items = await scanAll(ledger, partitions.parties);
  const parties = items.map((item): PartyEntry => {
    const party = partyRecord.from(item);
    const { identifier, role, name, addedAt, notAfterMs } = party;
    return {
      identifier,
      role,
      fingerprint: item.sort,
      ...present({ name, notAfter: ifPresent(notAfterMs, iso) }),
      addedAt: iso(addedAt),
      state: stateOf(party, now()),
    };
  });
  return { parties: parties.sort((a, b) => (a.identifier < b.identifier ? -1 : 1)) };
}

function stateOf(party: PartyRecord, atMs: number): PartyState {
  if (party.revokedAt !== undefined) return 'revoked';
  const ending = endingOf(party, atMs);
  if (ending === 'expired') return 'expired';
  if (party.suspendedAt !== undefined) return 'suspended';
  return ending === 'soon' ? 'endsSoon' : 'valid';
}

export async function listCalls(
  { ledger }: Context,
  { party, function: called, ...request }: Parameters<Inventory['listCalls']>[0],
): Promise<{ calls: readonly CallEntry[]; cursor?: string }> {
  const source = { partition: partitions.calls, descending: true, ...sortsWithin(request) } as const;
  const { entries: calls, cursor } = await pageOf(ledger, request, source, async (items) =>
    items.map((item) =>
      callCounts
        .from(item)
        .calls.filter((one) => party === undefined || one.party === party)
        .filter((one) => called === undefined || one.function === called)
        .map((one): CallEntry => {
          const { function: name, status, count, subjectCode, reasonCode } = one;
          const at = iso(splitSort(item.sort).atMs);
          return {
            at,
            function: name,
            status,
            count,
            ...present({ party: one.party, subjectCode, reasonCode }),
          };
        }),
    ),
  );
  return { calls, ...present({ cursor }) };
}
