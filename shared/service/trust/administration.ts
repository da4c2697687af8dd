import type { Bytes } from '../../codec/bytes.ts';
import { personOf } from '../api/actor.ts';
import type { Administration, CrlTaken } from '../api/admin.ts';
import type { Caller } from '../api/caller.ts';
import type { TrustAdministration } from './trust-administration.ts';

/** What an administrator may do over the network: revoke. Trust itself is given beside the server (`smdpf trust`). */
export class AdministrationService implements Administration {
  readonly #trust: TrustAdministration;

  constructor(trust: TrustAdministration) {
    this.#trust = trust;
  }

  addCrl(
    caller: Caller,
    { crl, issuerChain }: { crl: Bytes; issuerChain: readonly Bytes[] },
  ): Promise<CrlTaken> {
    return this.#trust.addCrl(crl, issuerChain.length === 0 ? [] : [issuerChain], personOf(caller));
  }
}
