import { refuse } from '../../errors.ts';
import { personOf } from '../api/actor.ts';
import type { Caller } from '../api/caller.ts';
import type { Operations } from '../api/operations.ts';
import type { Context } from '../context.ts';
import { cancelOrder, closeOrder } from '../es2f/order-changes.ts';
import { replaceProfile } from '../es2f/order-replacement.ts';
import type { PartyService } from '../parties/parties.ts';
import { ledgerKeys } from '../records/keys.ts';
import { dpPbRecord } from '../records/trust.ts';
import type { TrustAdministration } from '../trust/trust-administration.ts';

/** What administrators change by `ops.*`; the audit log has it under the person's name. */
export class OperationsService implements Operations {
  readonly #context: Context;
  readonly #parties: PartyService;
  readonly #trust: TrustAdministration;

  constructor(context: Context, parties: PartyService, trust: TrustAdministration) {
    this.#context = context;
    this.#parties = parties;
    this.#trust = trust;
  }

  cancelOrder: Operations['cancelOrder'] = (caller, input) => cancelOrder(this.#context, caller, input);
  closeOrder: Operations['closeOrder'] = (caller, input) => closeOrder(this.#context, caller, input);
  replaceProfile: Operations['replaceProfile'] = (caller, input) =>
    replaceProfile(this.#context, caller, input);

  async suspendParty(
    caller: Caller,
    { identifier }: { identifier: string },
  ): Promise<{ certificates: number }> {
    if (identifier === caller.identifier)
      refuse('requesterNotAllowed', 'nobody suspends itself: another administrator may', {
        subjectIdentifier: identifier,
      });
    return { certificates: await this.#parties.suspend(identifier, personOf(caller)) };
  }

  async resumeParty(
    caller: Caller,
    { identifier }: { identifier: string },
  ): Promise<{ certificates: number }> {
    return { certificates: await this.#parties.resume(identifier, personOf(caller)) };
  }

  async retireCertificate(
    caller: Caller,
    { certificate }: { certificate: string },
  ): Promise<{ isNew: boolean }> {
    const item = await this.#context.ledger.get(ledgerKeys.trust('dppb', certificate));
    const isNew = item !== undefined && dpPbRecord.from(item).state === 'active';
    if (item === undefined || isNew) await this.#trust.retireDpPb(certificate, personOf(caller));
    return { isNew };
  }
}
