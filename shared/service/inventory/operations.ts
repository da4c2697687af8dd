import { refuse } from '../../errors.ts';
import { type Person, personOf } from '../api/actor.ts';
import type { Caller } from '../api/caller.ts';
import type { Operations } from '../api/operations.ts';
import type { Context } from '../context.ts';
import type { Guarded } from '../dual-control/actions.ts';
import { DualControl } from '../dual-control/dual-control.ts';
import { readSignedDecision, type SignedDecision } from '../dual-control/signed-decision.ts';
import { cancelOrder, closeOrder } from '../es2f/order-changes.ts';
import { replaceProfile } from '../es2f/order-replacement.ts';
import type { PartyService } from '../parties/parties.ts';
import { ledgerKeys } from '../records/keys.ts';
import { dpPbRecord } from '../records/trust.ts';
import type { TrustAdministration } from '../trust/trust-administration.ts';
import { approvalEntry } from './approvals.ts';

/** What administrators change by `ops.*`; the audit log has it under the person's name. */
export class OperationsService implements Operations {
  readonly #context: Context;
  readonly #parties: PartyService;
  readonly #trust: TrustAdministration;
  readonly #dualControl: DualControl;

  constructor(context: Context, parties: PartyService, trust: TrustAdministration) {
    this.#context = context;
    this.#parties = parties;
    this.#trust = trust;
    this.#dualControl = new DualControl(context.ledger, context.now, context.settings.deployment);
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

  retireCertificate: Operations['retireCertificate'] = async (caller, { certificate, begin }) => {
    const item = await this.#context.ledger.get(ledgerKeys.trust('dppb', certificate));
    const isNew = item !== undefined && dpPbRecord.from(item).state === 'active';
    const guarded = { action: 'key.retire', subject: certificate } as const;
    const by = begin === undefined ? personOf(caller) : await this.#begun(guarded, caller, begin);
    if (item === undefined || isNew) await this.#trust.retireDpPb(certificate, by);
    await this.#dualControl.finish(by);
    return { isNew };
  };

  signApproval: Operations['signApproval'] = async (caller, { decision }) => {
    const signed = await this.#signed(decision);
    const login = personOf(caller).person;
    const known = await this.#dualControl.decide(signed, signerOf(caller, signed), login);
    return { approval: approvalEntry(known, this.#context.now()) };
  };

  /** The person who begins what takes two, as they have signed for it. */
  async #begun(guarded: Guarded, caller: Caller, begin: string): Promise<Person> {
    const signed = await this.#signed(begin);
    return await this.#dualControl.beginSigned(signed, guarded, signerOf(caller, signed));
  }

  #signed(jws: string): Promise<SignedDecision> {
    const { settings, now } = this.#context;
    return readSignedDecision(jws, settings.deployment, this.#dualControl.administrators, now());
  }
}

/** A person by their own key, whichever login it came under. */
const signerOf = ({ identifier }: Caller, { claims }: SignedDecision): Person => ({
  through: identifier,
  person: claims.name,
  knownBy: 'key',
});
