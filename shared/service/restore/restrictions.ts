import { Refusal } from '../../errors.ts';
import { becomes, changeItem, unchanged } from '../../ledger/change.ts';
import type { ChainedLine } from '../api/admin.ts';
import type { Context } from '../context.ts';
import { PartyService } from '../parties/parties.ts';
import { euiccRecord, type OneTimeKeyRecord } from '../records/euicc.ts';
import { ledgerKeys } from '../records/keys.ts';
import { orderStateRecord } from '../records/order.ts';
import { Trust } from '../trust/trust.ts';

/** Who makes these changes again, in the audit log. */
const BY = 'restore';

/** What administrators do; the rest of the audit log tells of what restores itself or is repeated by its caller. */
const ADMINISTRATION = /^(party|trust|key\.(wrapping|delivery|intake))\./;

/**
 * What took something away after the restored ledger's last write takes it away again: closed keys, ended orders,
 * revoked parties, eUICCs and EUMs. What gave something is for the administrator to do again: `false` for such a line.
 */
export async function repeatRestriction(context: Context, { event, about }: ChainedLine): Promise<boolean> {
  try {
    switch (event) {
      case 'keys.closed':
        await closeKeys(context, String(about.eid), String(about.keys).split(' '));
        return true;
      case 'order.cancelled':
      case 'order.closed':
        await endOrder(context, String(about.order), event === 'order.closed' ? 'Closed' : 'Cancelled');
        return true;
      case 'party.revoked':
        await new PartyService(context).revoke(String(about.fingerprint), BY);
        return true;
      case 'trust.euicc.revoked':
        await new Trust(context).revokeEuicc(String(about.eid), BY);
        return true;
      case 'trust.eum.revoked':
        await new Trust(context).revokeEum(String(about.name).replace('eum#', ''), BY);
        return true;
      case 'trust.ci.removed':
        await new Trust(context).removeCi(String(about.name).replace('ci#', ''), BY);
        return true;
    }
  } catch (error) {
    // what the restored ledger never heard of cannot be taken from it
    if (error instanceof Refusal) return true;
    throw error;
  }
  return !ADMINISTRATION.test(event);
}

async function closeKeys({ ledger }: Context, eid: string, keyIds: readonly string[]): Promise<void> {
  await changeItem(ledger, ledgerKeys.euicc(eid), (item) => {
    if (item === undefined) return unchanged();
    const euicc = euiccRecord.from(item);
    const isOpen = ({ keyId, state }: OneTimeKeyRecord) => state === 'free' && keyIds.includes(keyId);
    if (!euicc.keys.some(isOpen)) return unchanged();
    const keys = euicc.keys.map((key): OneTimeKeyRecord => (isOpen(key) ? { ...key, state: 'closed' } : key));
    return becomes(euiccRecord.to({ ...euicc, keys }));
  });
}

async function endOrder({ ledger }: Context, orderId: string, state: 'Closed' | 'Cancelled'): Promise<void> {
  await changeItem(ledger, ledgerKeys.orderState(orderId), (item) =>
    item !== undefined && ['Open', 'Preparing'].includes(orderStateRecord.from(item).state)
      ? becomes(orderStateRecord.to({ state }))
      : unchanged(),
  );
}
