import { type Bytes, toHex } from '../codec/bytes.ts';
import { refuse } from '../errors.ts';
import { type Certificate, decodeCertificate } from './certificate.ts';
import { KEY_CERT_SIGN } from './extensions/key-usage.ts';
import { roleOf } from './roles.ts';

/**
 * The eSIM CAs (CI) that this server trusts, each known by its SubjectKeyIdentifier. As SGP.22 keeps two lists in
 * EUICCInfo2, so do we: under `forSigning` eUICCs sign (their own chain, EUICCInfo2 tag AA), and under
 * `forVerification` they verify (the chain of an SM-DPf, tag A9).
 */
export class TrustStore {
  readonly #forSigning: ReadonlyMap<string, Certificate>;
  readonly #forVerification: ReadonlyMap<string, Certificate>;

  /** From DER certificates; the same CI may be in both. Refuses what is no self-signed CI as `ciUnknown`. */
  constructor(selections: { forSigning: readonly Bytes[]; forVerification: readonly Bytes[] }) {
    this.#forSigning = byKeyId(selections.forSigning);
    this.#forVerification = byKeyId(selections.forVerification);
  }

  /** The CI of an eUICC's chain; `ciUnknown` (8.11.1/3.9) where it is not trusted for that. */
  ciForSigning(ciPkId: Bytes): Certificate {
    return this.#forSigning.get(toHex(ciPkId)) ?? unknown(ciPkId);
  }

  /** The CI of an SM-DPf chain; `ciUnknown` where it is not trusted for that. */
  ciForVerification(ciPkId: Bytes): Certificate {
    return this.#forVerification.get(toHex(ciPkId)) ?? unknown(ciPkId);
  }

  /** Every CI once, to match revocation lists with their issuer. */
  get certificates(): readonly Certificate[] {
    return [...new Map([...this.#forSigning, ...this.#forVerification]).values()];
  }
}

function unknown(ciPkId: Bytes): never {
  const keyId = toHex(ciPkId);
  return refuse('ciUnknown', `no trusted CI has the key identifier ${keyId}`, { subjectIdentifier: keyId });
}

function byKeyId(ders: readonly Bytes[]): Map<string, Certificate> {
  const found = new Map<string, Certificate>();
  for (const der of ders) {
    const certificate = decodeCertificate(der, 'ciUnknown');
    const keyId = toHex(checkCi(certificate));
    if (found.has(keyId)) refuse('ciUnknown', `two CI certificates have the key identifier ${keyId}`);
    found.set(keyId, certificate);
  }
  return found;
}

/** Returns the key identifier of a self-signed CI certificate. */
function checkCi(certificate: Certificate): Bytes {
  const { keyUsage = 0, subjectKeyIdentifier } = certificate.extensions;
  if (roleOf(certificate, 'ciUnknown').role !== 'ci')
    refuse('ciUnknown', 'the certificate has not the role of a CI');
  if (!certificate.isCa || (keyUsage & KEY_CERT_SIGN) === 0)
    refuse('ciUnknown', 'the CI certificate may not sign certificates');
  if (subjectKeyIdentifier === undefined)
    refuse('ciUnknown', 'the CI certificate has no SubjectKeyIdentifier');
  if (!certificate.isSignedBy(certificate.publicKey))
    refuse('ciUnknown', 'the CI certificate does not verify under its own key');
  return subjectKeyIdentifier;
}
