import { checkEid } from '../../codec/eid.ts';
import { mapConcurrently } from '../../concurrency.ts';
import { suiteByName } from '../../crypto/suite.ts';
import { invariant, Refusal, refuse } from '../../errors.ts';
import { requireEligible } from '../../euicc/eligibility.ts';
import { decodeEuiccInfo2, type EuiccInfo2 } from '../../rsp/euicc-info2.ts';
import type { Caller } from '../api/caller.ts';
import type { Eligibility, EligibilityVerdict, OrderState } from '../api/es2f.ts';
import { itemRefusal } from '../api/item-refusal.ts';
import type { Context } from '../context.ts';
import { claim, standings } from '../esed1/claims.ts';
import { euiccRecord, itemName } from '../records/euicc.ts';
import { ledgerKeys } from '../records/keys.ts';
import type { OrderRecord } from '../records/order.ts';
import { loadOrderState, ownOrder } from '../supply/own-order.ts';
import type { Trust, TrustView } from '../trust/trust.ts';

/** A name that no request item has: what would be claimed is never written. */
const DRY_RUN = itemName('dry-run', 0);

/** EIDs that are looked at at once: each takes a few reads of the ledger. */
const AT_ONCE = 16;

/**
 * The dry run of DPFF09: which of these eUICCs would be refused a profile of the order, and why, by the rules of the
 * bind and in their order. Nothing is spent, and nothing is written. Refuses an order that is not the caller's.
 */
export class EligibilityService implements Eligibility {
  readonly #context: Context;
  readonly #trust: Trust;

  constructor(context: Context, trust: Trust) {
    this.#context = context;
    this.#trust = trust;
  }

  async checkEligibility(
    caller: Pick<Caller, 'identifier'>,
    { orderId, eids }: { orderId: string; eids: readonly string[] },
  ): Promise<EligibilityVerdict[]> {
    const order = await ownOrder(this.#context, caller, orderId);
    const { record } = await loadOrderState(this.#context, orderId);
    const would: DryRun = {
      context: this.#context,
      view: await this.#trust.current(),
      order,
      orderId,
      state: record.state,
      standingOf: standings(this.#context),
      infos: new Map(),
    };
    return await mapConcurrently(eids, AT_ONCE, async (eid) => {
      try {
        await requireWouldBind(would, eid);
        return { eid };
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        return { eid, refusal: itemRefusal(error) };
      }
    });
  }
}

interface DryRun {
  readonly context: Context;
  readonly view: TrustView;
  readonly order: OrderRecord;
  readonly orderId: string;
  readonly state: OrderState;
  readonly standingOf: ReturnType<typeof standings>;
  /** By hash; nearly all eUICCs of a production run have the same. */
  readonly infos: Map<string, Promise<EuiccInfo2>>;
}

async function requireWouldBind(would: DryRun, eid: string): Promise<void> {
  const { context, view, order, orderId } = would;
  if (would.state !== 'Open') refuse('orderExpired', 'the order is not open', { subjectIdentifier: orderId });
  checkEid(eid);
  const [item, certificate] = await context.ledger.getMany([
    ledgerKeys.euicc(eid),
    ledgerKeys.euiccCertificate(eid),
  ]);
  if (item === undefined || certificate === undefined)
    refuse('eidUnknown', 'no data is registered for this EID', { subjectIdentifier: eid });
  const euicc = euiccRecord.from(item);
  if (!order.requesterDms.some((maker) => euicc.deviceMakers.includes(maker)))
    refuse('eidBoundElsewhere', 'the EUM has named no device manufacturer of the order for this EID', {
      subjectIdentifier: eid,
    });
  const eum = await view.requireTrusted(euicc, certificate.attributes.der as Uint8Array);
  const info = await infoOf(would, euicc.euiccInfo2);
  requireEligible(order.eligibility, { eid, ciPkId: euicc.ciPkId, eum: eum.organization, info });
  view.dpBindingFor(suiteByName(euicc.suite), info.euiccCiPKIdListForVerification);
  await claim(DRY_RUN, { orderId, keyId: undefined, additional: false }, euicc, would.standingOf);
}

function infoOf({ context, infos }: DryRun, hash: string): Promise<EuiccInfo2> {
  let info = infos.get(hash);
  if (info === undefined) {
    info = context.ledger.get(ledgerKeys.euiccInfo2(hash)).then((item) => {
      invariant(item !== undefined, 'an eUICC names an EuiccInfo2 that is not stored');
      return decodeEuiccInfo2(item.attributes.der as Uint8Array);
    });
    infos.set(hash, info);
  }
  return info;
}
