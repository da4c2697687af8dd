import type { Bytes } from '../../codec/bytes.ts';
import type { PublicKey, Verifier } from '../../crypto/curves.ts';
import { fromSpki } from '../../crypto/ec-key-forms.ts';
import { refuse } from '../../errors.ts';
import type { TrustedEum } from '../trust/trust-view.ts';

/**
 * The check of eumDataSignature, over the octets received: by the data key that is registered for the EUM. On either
 * path, a signature that is there must hold, and one must be there once a key is registered, unless the EUM is allowed
 * with an optional signature: whoever carries a batch could otherwise take the signature off and name other device
 * manufacturers. Where no key is registered nobody could tell whether a signature holds, so that is a refusal too.
 */
export class EumDataSignature {
  readonly #key: PublicKey | undefined;
  readonly #verifier: Verifier | undefined;
  readonly #isRequired: boolean;

  constructor({ record }: TrustedEum) {
    this.#isRequired = record.dataKey !== undefined && record.dataSignature !== 'optional';
    this.#key = record.dataKey === undefined ? undefined : fromSpki(record.dataKey);
    this.#verifier = this.#key?.curve.verifier();
  }

  update(piece: Bytes): void {
    this.#verifier?.update(piece);
  }

  check(signature: Bytes | undefined): void {
    if (signature === undefined) {
      if (this.#isRequired)
        refuse(
          'mandatoryElementMissing',
          'eumDataSignature is missing: the EUM has registered a data key, which signs each of its batches',
        );
      return;
    }
    if (this.#key === undefined || this.#verifier === undefined)
      refuse('eumNotAllowed', 'the EUM has no registered key for signing its batches');
    if (!this.#verifier.signatureHolds(this.#key, signature))
      refuse('eumCertificateInvalid', 'the EUM data signature does not verify');
  }
}
