import { type Bytes, toHex } from '../codec/bytes.ts';
import { refuse } from '../errors.ts';
import { type Certificate, decodeCertificate } from './certificate.ts';
import { KEY_CERT_SIGN } from './extensions/key-usage.ts';
import { roleOf } from './roles.ts';

/**
 * The eSIM CAs (CI) that this server trusts. As SGP.22 keeps two lists in EUICCInfo2, so do we: under `forSigning` eUICCs
 * sign (their own chain, EUICCInfo2 tag AA), and under `forVerification` they verify (the chain of an SM-DPf, tag A9).
 *
 * SGP.22 names a CI by its SubjectKeyIdentifier, and one key may have several certificates: under another name, as the NIST
 * test CI of SGP.26 has, or renewed. Each is a trust anchor by its name and its key (RFC 5280 section 6.1.1 d), and a chain
 * holds if it does under any of them that it fits.
 */
export class TrustStore {
  readonly #forSigning: ReadonlyMap<string, readonly Certificate[]>;
  readonly #forVerification: ReadonlyMap<string, readonly Certificate[]>;

  /** From DER certificates; the same CI may be in both. Refuses what is no self-signed CI as `ciUnknown`. */
  constructor(selections: { forSigning: readonly Bytes[]; forVerification: readonly Bytes[] }) {
    this.#forSigning = byKeyId(selections.forSigning);
    this.#forVerification = byKeyId(selections.forVerification);
  }

  /** The certificates of the CI of an eUICC's chain; `ciUnknown` (8.11.1/3.9) where none is trusted for that. */
  anchorsForSigning(ciPkId: Bytes): readonly Certificate[] {
    return this.#forSigning.get(toHex(ciPkId)) ?? unknown(ciPkId);
  }

  /** The certificates of the CI of an SM-DPf chain; `ciUnknown` where none is trusted for that. */
  anchorsForVerification(ciPkId: Bytes): readonly Certificate[] {
    return this.#forVerification.get(toHex(ciPkId)) ?? unknown(ciPkId);
  }

  /** Every CI certificate once, to match revocation lists with their issuer. */
  get certificates(): readonly Certificate[] {
    const all = [...this.#forSigning.values(), ...this.#forVerification.values()].flat();
    return [...new Map(all.map((ci) => [toHex(ci.raw), ci])).values()];
  }
}

function unknown(ciPkId: Bytes): never {
  const keyId = toHex(ciPkId);
  return refuse('ciUnknown', `no trusted CI has the key identifier ${keyId}`, { subjectIdentifier: keyId });
}

function byKeyId(ders: readonly Bytes[]): Map<string, readonly Certificate[]> {
  const found = new Map<string, readonly Certificate[]>();
  for (const der of ders) {
    const certificate = decodeCi(der);
    const keyId = toHex(certificate.extensions.subjectKeyIdentifier!);
    found.set(keyId, [...(found.get(keyId) ?? []), certificate]);
  }
  return found;
}

/** Decodes the self-signed certificate of a CI, which has a SubjectKeyIdentifier; refuses others as `ciUnknown`. */
export function decodeCi(der: Bytes): Certificate {
  const certificate = decodeCertificate(der, 'ciUnknown');
  const { keyUsage = 0, subjectKeyIdentifier } = certificate.extensions;
  if (roleOf(certificate, 'ciUnknown').role !== 'ci')
    refuse('ciUnknown', 'the certificate has not the role of a CI');
  if (!certificate.isCa || (keyUsage & KEY_CERT_SIGN) === 0)
    refuse('ciUnknown', 'the CI certificate may not sign certificates');
  if (subjectKeyIdentifier === undefined)
    refuse('ciUnknown', 'the CI certificate has no SubjectKeyIdentifier');
  if (!certificate.isSignedBy(certificate.publicKey))
    refuse('ciUnknown', 'the CI certificate does not verify under its own key');
  return certificate;
}
