import { checkEid } from '../codec/eid.ts';
import { suiteByName } from '../crypto/suite.ts';
import { invariant, Refusal, refuse } from '../errors.ts';
import { requireEligible } from '../euicc/eligibility.ts';
import { decodeEuiccInfo2 } from '../rsp/euicc-info2.ts';
import { claim, standings } from './claims.ts';
import type { Context } from './context.ts';
import { itemRefusal } from './item-refusal.ts';
import { euiccRecord, itemName } from './records/euicc.ts';
import { ledgerKeys } from './records/keys.ts';
import { type OrderRecord, orderRecord } from './records/order.ts';
import type { Caller, ItemRefusal } from './services.ts';
import type { Trust, TrustView } from './trust.ts';

/** Whether an eUICC would get a profile of the order now. */
export interface EligibilityVerdict {
  readonly eid: string;
  readonly refusal?: ItemRefusal;
}

/** A name that no request item has: what would be claimed is never written. */
const DRY_RUN = itemName('dry-run', 0);

/**
 * The dry run of DPFF09: which of these eUICCs would be refused a profile of the order, and why, by the rules of the
 * bind and in their order. Nothing is spent, and nothing is written. Refuses an order that is not the caller's.
 */
export async function checkEligibility(
  context: Context,
  trust: Trust,
  caller: Pick<Caller, 'identifier'>,
  orderId: string,
  eids: readonly string[],
): Promise<EligibilityVerdict[]> {
  const item = await context.ledger.get(ledgerKeys.order(orderId));
  const order = item && orderRecord.from(item);
  if (order?.operator !== caller.identifier)
    refuse('orderUnknown', 'no such order', { subjectIdentifier: orderId });
  const view = await trust.current();
  const verdicts: EligibilityVerdict[] = [];
  for (const eid of eids) {
    try {
      await requireWouldBind(context, view, order, orderId, eid);
      verdicts.push({ eid });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      verdicts.push({ eid, refusal: itemRefusal(error) });
    }
  }
  return verdicts;
}

async function requireWouldBind(
  context: Context,
  view: TrustView,
  order: OrderRecord,
  orderId: string,
  eid: string,
): Promise<void> {
  const { ledger } = context;
  checkEid(eid);
  const [item, certificate] = await ledger.getMany([ledgerKeys.euicc(eid), ledgerKeys.euiccCertificate(eid)]);
  if (item === undefined || certificate === undefined)
    refuse('eidUnknown', 'no data is registered for this EID', { subjectIdentifier: eid });
  const euicc = euiccRecord.from(item);
  if (!order.requesterDms.some((maker) => euicc.deviceMakers.includes(maker)))
    refuse('eidBoundElsewhere', 'the EUM has named no device manufacturer of the order for this EID', {
      subjectIdentifier: eid,
    });
  const eum = await view.requireTrusted(euicc, certificate.attributes.der as Uint8Array);
  const infoItem = await ledger.get(ledgerKeys.euiccInfo2(euicc.euiccInfo2));
  invariant(infoItem !== undefined, 'an eUICC names an EuiccInfo2 that is not stored');
  const info = decodeEuiccInfo2(infoItem.attributes.der as Uint8Array);
  requireEligible(order.eligibility, { eid, ciPkId: euicc.ciPkId, eum: eum.organization, info });
  view.dpBindingFor(suiteByName(euicc.suite), info.euiccCiPKIdListForVerification);
  await claim(DRY_RUN, { orderId, keyId: undefined, additional: false }, euicc, standings(context));
}
