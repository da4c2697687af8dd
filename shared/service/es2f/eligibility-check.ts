import { mapConcurrently } from '../../concurrency.ts';
import { Refusal } from '../../errors.ts';
import type { Caller } from '../api/caller.ts';
import type { Eligibility, EligibilityVerdict } from '../api/es2f.ts';
import { itemRefusal } from '../api/item-refusal.ts';
import type { Context } from '../context.ts';
import { type Candidate, gateReads, mayHaveProfile } from '../eligibility/gate.ts';
import { euiccCertificateRecord, euiccRecord, itemName } from '../records/euicc.ts';
import { ledgerKeys } from '../records/keys.ts';
import { loadOrderState, ownOrder } from '../supply/own-order.ts';
import { eidsWithKept } from '../supply/supply.ts';
import type { Trust } from '../trust/trust.ts';

/** A name that no request item has: what would be claimed is never written. */
const DRY_RUN = itemName('dry-run', 0);

/** EIDs that are looked at at once: each takes a few reads of the ledger. */
const AT_ONCE = 16;

/**
 * The dry run of DPFF09: which of these eUICCs would be refused a profile of the order, and why. It passes the gate that
 * binding passes; nothing is drawn, spent or written. Refuses an order that is not the caller's.
 */
export class EligibilityService implements Eligibility {
  readonly #context: Context;
  readonly #trust: Trust;

  constructor(context: Context, trust: Trust) {
    this.#context = context;
    this.#trust = trust;
  }

  async checkEligibility(
    caller: Pick<Caller, 'identifier' | 'role'>,
    { orderId, eids }: { orderId: string; eids: readonly string[] },
  ): Promise<EligibilityVerdict[]> {
    const order = await ownOrder(this.#context, caller, orderId);
    const { record } = await loadOrderState(this.#context, orderId);
    const kept = await eidsWithKept(this.#context, orderId);
    const gate = gateReads(this.#context, await this.#trust.current());
    const wanted = {
      orderId,
      order,
      orderState: record.state,
      askedBy: { makers: order.requesterDms, called: 'a device manufacturer of the order' },
      keyId: undefined,
      claimAs: DRY_RUN,
    };
    return await mapConcurrently(eids, AT_ONCE, async (eid) => {
      const candidate = await this.#candidate(eid);
      // a replacement comes beside the profile that it replaces
      const verdict = await mayHaveProfile(candidate, { ...wanted, additional: kept.has(eid) }, gate);
      return verdict instanceof Refusal ? { eid, refusal: itemRefusal(verdict) } : { eid };
    });
  }

  async #candidate(eid: string): Promise<Candidate> {
    const [item, certificate] = await this.#context.ledger.getMany([
      ledgerKeys.euicc(eid),
      ledgerKeys.euiccCertificate(eid),
    ]);
    return {
      eid,
      record: item && euiccRecord.from(item),
      certificate: certificate && euiccCertificateRecord.from(certificate).der,
    };
  }
}
