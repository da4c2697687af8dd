import { becomes, changeEach, unchanged } from '../../ledger/change.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import { ownMember } from '../../own-member.ts';
import type { Context } from '../context.ts';
import { claimStandings } from '../esed1/claims.ts';
import { type EuiccRecord, euiccRecord, itemName, keyOwner, keyOwnerKey } from '../records/euicc.ts';
import type { BoundItem } from '../records/job.ts';
import { ledgerKeys } from '../records/keys.ts';

/** A bound item with its place in its job. */
export interface Taken {
  readonly jobId: string;
  readonly index: number;
  readonly orderId: string;
  readonly item: BoundItem;
}

/**
 * Takes the one-time keys of committed items as they were taken: in the eUICC's record, and in the key's own item,
 * from where the record learns it should the eUICC be registered anew. Returns those that another commit stands
 * behind, which a restored ledger must have bound while nobody had frozen it. May be repeated.
 */
export async function replayClaims(context: Context, all: readonly Taken[]): Promise<readonly Taken[]> {
  const { ledger } = context;
  await takeKeys(ledger, all);
  const twice = new Set<Taken>();
  const byEid = [...Map.groupBy(all, ({ item }) => item.eid)];
  const standingOf = claimStandings(context);
  await changeEach(
    ledger,
    byEid,
    ([eid]) => ledgerKeys.euicc(eid),
    async (before, [, taken]) => {
      // registered after the restored ledger's last write: the key's own item keeps it until the EUM sends it again
      if (before === undefined) return unchanged();
      let euicc = euiccRecord.from(before);
      let changed = false;
      for (const one of taken) {
        const name = itemName(one.jobId, one.index);
        const key = euicc.keys.find(({ keyId }) => keyId === one.item.keyId);
        const other = key?.by === undefined || key.by === name ? undefined : key.by;
        if (other !== undefined && (await standingOf(other)) === 'bound') twice.add(one);
        else if (!hasClaim(euicc, one, name)) {
          euicc = withClaim(euicc, one, name);
          changed = true;
        }
      }
      return changed ? becomes(euiccRecord.to(euicc)) : unchanged();
    },
  );
  return [...twice];
}

/** Whether the record says of the key and of the EID's place in the order that this item has them. */
function hasClaim(euicc: EuiccRecord, { item, orderId }: Taken, name: string): boolean {
  const key = euicc.keys.find(({ keyId }) => keyId === item.keyId);
  const isTaken = key === undefined || (key.state === 'claimed' && key.by === name);
  return isTaken && (ownMember(euicc.orders, orderId) ?? []).includes(name);
}

function withClaim(euicc: EuiccRecord, { item, orderId }: Taken, name: string): EuiccRecord {
  const holders = ownMember(euicc.orders, orderId) ?? [];
  return {
    ...euicc,
    keys: euicc.keys.map((one) => (one.keyId === item.keyId ? { ...one, state: 'claimed', by: name } : one)),
    orders: { ...euicc.orders, [orderId]: [...new Set([...holders, name])] },
  };
}

async function takeKeys(ledger: Ledger, all: readonly Taken[]): Promise<void> {
  const keyOf = ({ item }: Taken) => keyOwnerKey(item.suite, item.otpk);
  // of two commits that took the same key the first one counts here; the other shows in the eUICC's record
  const firsts = [...Map.groupBy(all, (one) => keyOf(one).partition).values()].map(([first]) => first!);
  await changeEach(ledger, firsts, keyOf, (before, one) => {
    const known = before && keyOwner.from(before);
    if (known?.by !== undefined) return unchanged();
    const { eid, keyId } = one.item;
    return becomes(
      keyOwner.to({ ...known, eid, keyId, by: itemName(one.jobId, one.index), orderId: one.orderId }),
    );
  });
}
