import { Refusal } from '../../errors.ts';
import { becomes, changeItem, unchanged } from '../../ledger/change.ts';
import type { ChainedLine } from '../api/admin.ts';
import {
  AUDIT_EVENTS,
  type AuditAbout,
  type AuditEvent,
  isAbout,
  isAuditEvent,
  type RestoredBy,
} from '../audit/events.ts';
import type { Context } from '../context.ts';
import { endWrites } from '../es2f/order-closing.ts';
import { profileCount } from '../es2f/order-profiles.ts';
import { PartyService } from '../parties/parties.ts';
import { euiccRecord, type OneTimeKeyRecord } from '../records/euicc.ts';
import { ledgerKeys } from '../records/keys.ts';
import { orderStateRecord } from '../records/order.ts';
import { loadOrder } from '../supply/own-order.ts';
import { Trust } from '../trust/trust.ts';
import { TrustAdministration } from '../trust/trust-administration.ts';

/** Who makes these changes again, in the audit log. */
const BY = 'restore';

const administration = (context: Context) => new TrustAdministration(context, new Trust(context));

type Restriction = RestoredBy<'again'>;

/** Each event that audit/events.ts says is taken away `again`, and how: the compiler wants every one of them here. */
const RESTRICTIONS: {
  readonly [E in Restriction]: (context: Context, about: AuditAbout<E>) => Promise<void>;
} = {
  'keys.closed': (context, { eid, keys }) => closeKeys(context, eid, keys.split(' ')),
  'order.cancelled': (context, { order }) => endOrder(context, order, 'Cancelled'),
  'order.closed': (context, { order }) => endOrder(context, order, 'Closed'),
  'party.revoked': (context, { fingerprint }) => new PartyService(context).revoke(fingerprint, BY),
  'trust.euicc.revoked': (context, { eid }) => administration(context).revokeEuicc(eid, BY),
  'trust.eum.revoked': (context, { eum }) => administration(context).revokeEum(eum, BY),
  'trust.ci.removed': async (context, { ci, certificate }) => {
    await administration(context).removeCi(certificate ?? ci, BY);
  },
};

/**
 * What took something away after the restored ledger's last write takes it away again: closed keys, ended orders,
 * revoked parties, eUICCs and EUMs. False for a line whose change an administrator has to look at: one that gave
 * something, and one that this release cannot read, since it may have taken something away.
 */
export async function repeatRestriction(context: Context, { event, about }: ChainedLine): Promise<boolean> {
  if (!isAuditEvent(event)) return false;
  if (isRestriction(event)) return await repeat(context, event, about);
  await retireSigningKey(context, event, about);
  return AUDIT_EVENTS[event].onRestore === 'other records';
}

/**
 * The public key comes back from the vault, and must not count again: it may be retired since others have the private key. An
 * administrator is told all the same, who has to replace it where it is in use again.
 */
async function retireSigningKey(
  { keyAssignments }: Context,
  event: AuditEvent,
  about: object,
): Promise<void> {
  for (const role of ['delivery', 'longTerm'] as const) {
    const retired = `key.${role}.retired` as const;
    if (event === retired && isAbout(retired, about)) await keyAssignments.retireAgain(role, about.key, BY);
  }
}

const isRestriction = (event: AuditEvent): event is Restriction => Object.hasOwn(RESTRICTIONS, event);

async function repeat<E extends Restriction>(context: Context, event: E, about: object): Promise<boolean> {
  if (!isAbout(event, about)) return false;
  try {
    await RESTRICTIONS[event](context, about);
  } catch (error) {
    // what the restored ledger never heard of cannot be taken from it
    if (!(error instanceof Refusal)) throw error;
  }
  return true;
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

async function endOrder(context: Context, orderId: string, state: 'Closed' | 'Cancelled'): Promise<void> {
  await changeItem(context.ledger, ledgerKeys.orderState(orderId), async (item) => {
    if (item === undefined || !['Open', 'Preparing'].includes(orderStateRecord.from(item).state))
      return unchanged();
    const count = await profileCount(context, orderId, await loadOrder(context, orderId));
    return becomes(orderStateRecord.to({ state }), undefined, await endWrites(context, orderId, count));
  });
}
