import { type Bytes, equal, toHex } from '../codec/bytes.ts';
import { decodeEcdsaSignature } from '../crypto/ecdsa-signature.ts';
import { refuse } from '../errors.ts';
import type { Certificate, CertificateStanding } from './certificate.ts';
import type { ChainCodes } from './chain-codes.ts';
import { type Crl, decodeCrl } from './crl.ts';
import { CRL_SIGN } from './extensions/key-usage.ts';
import { nameKey, sameName } from './name.ts';

/** What to do where a certificate names distribution points and no list, or no current one, is held. */
export interface RevocationPolicy {
  readonly missing: 'refuse' | 'accept';
  readonly expired: 'refuse' | 'accept';
}

export const REFUSE_WITHOUT_LIST: RevocationPolicy = { missing: 'refuse', expired: 'refuse' };

/** Something for an alarm: a needed list is not there, or past its nextUpdate. Told under either policy. */
export interface RevocationGap {
  readonly kind: 'missing' | 'expired';
  /** SubjectKeyIdentifier of the issuer whose list is needed, hexadecimal. */
  readonly issuerKeyId: string;
  readonly distributionPoints: readonly string[];
}

/**
 * The verified revocation lists of a deployment, kept by the key and the name that signed them, newest number only. Nothing
 * gets in unverified, and an issuer can only speak for the certificates that it issued.
 *
 * A certificate without cRLDistributionPoints needs no list (its issuer announces none: Variant O EUMs may not
 * sign any), but is refused too where a list names it.
 */
export class RevocationLists {
  readonly policy: RevocationPolicy;
  readonly #onGap: (gap: RevocationGap) => void;
  readonly #byIssuer = new Map<string, Crl[]>();

  constructor(
    policy: RevocationPolicy = REFUSE_WITHOUT_LIST,
    onGap: (gap: RevocationGap) => void = () => undefined,
  ) {
    this.policy = policy;
    this.#onGap = onGap;
  }

  /** All lists held, for storing and for showing. */
  get lists(): readonly Crl[] {
    return [...this.#byIssuer.values()].flat();
  }

  /**
   * Takes in a list from its DER, or decoded where the caller had to look for the issuer by
   * `authorityKeyIdentifier`. `issuer` is a trusted CI or a certificate of a verified chain. Refuses as
   * `crlInvalid` what the issuer did not sign, may not sign, or has replaced by a higher number.
   * A list past its nextUpdate is taken in, since what it revokes stays revoked; `check` sees to its age.
   * Returns whether it is new; the same octets again change nothing.
   */
  add(list: Bytes | Crl, issuer: Certificate, atMs: number): boolean {
    const crl = list instanceof Uint8Array ? decodeCrl(list) : list;
    verifyCrl(crl, issuer, atMs);
    const key = issuerKey(issuer);
    const held = this.#byIssuer.get(key) ?? [];
    const earlier = held.find((other) => sameSeries(other, crl));
    if (earlier !== undefined) {
      if (equal(earlier.raw, crl.raw)) return false;
      if (crl.cRLNumber <= earlier.cRLNumber)
        refuse(
          'crlInvalid',
          `the list has number ${crl.cRLNumber}, and ${earlier.cRLNumber} is held already`,
        );
    }
    this.#byIssuer.set(key, [...held.filter((other) => other !== earlier), crl]);
    return true;
  }

  /**
   * Refuses a revoked certificate as `codes.expired`, and one without the list it needs as `crlMissing`. Where `atMs`
   * is undefined, a list of any age will do.
   */
  check(
    certificate: CertificateStanding,
    issuer: Certificate,
    atMs: number | undefined,
    codes: ChainCodes,
  ): void {
    const held = this.#byIssuer.get(issuerKey(issuer)) ?? [];
    for (const list of held) {
      const reason = list.revoked.get(certificate.serialNumber);
      if (reason !== undefined)
        refuse(codes.expired, `certificate ${certificate.serialNumber} is revoked (reason ${reason})`);
    }
    const points = certificate.extensions.cRLDistributionPoints;
    if (points === undefined) return;
    const covering = held.filter((list) => covers(list, certificate.isCa, points));
    if (isComplete(covering.filter((list) => atMs === undefined || atMs <= list.nextUpdateMs))) return;
    const kind = isComplete(covering) ? 'expired' : 'missing';
    const issuerKeyId = toHex(issuer.extensions.subjectKeyIdentifier ?? Buffer.alloc(0));
    this.#onGap({ kind, issuerKeyId, distributionPoints: points });
    if (this.policy[kind] === 'refuse')
      refuse('crlMissing', `the revocation list of issuer ${issuerKeyId} is ${kind}`, {
        subjectIdentifier: issuerKeyId,
      });
  }
}

/** Verifies a list against the certificate that is to have issued it; throws `crlInvalid`. */
export function verifyCrl(crl: Crl, issuer: Certificate, atMs: number): void {
  const { subjectKeyIdentifier, keyUsage = 0 } = issuer.extensions;
  if (subjectKeyIdentifier === undefined || !equal(crl.authorityKeyIdentifier, subjectKeyIdentifier))
    refuse('crlInvalid', 'the list is from another key than this issuer');
  if (!sameName(crl.issuer, issuer.subject)) refuse('crlInvalid', 'the list names another issuer');
  if (!issuer.isCa || (keyUsage & CRL_SIGN) === 0)
    refuse('crlInvalid', 'the issuer may not sign revocation lists');
  const signature = decodeEcdsaSignature(issuer.curve, crl.signatureValue);
  if (!issuer.curve.signatureHolds(issuer.publicKey, crl.tbs, signature))
    refuse('crlInvalid', 'the signature of the list does not verify');
  if (crl.nextUpdateMs < crl.thisUpdateMs) refuse('crlInvalid', 'nextUpdate is before thisUpdate');
  if (crl.thisUpdateMs > atMs) refuse('crlInvalid', 'the list is not valid yet');
}

/**
 * By the key itself, since a sub-CA could be given the key identifier of another issuer, but not its key; and by the name,
 * since an issuer that has two for one key numbers its certificates under each (RFC 5280 section 4.1.2.2).
 */
function issuerKey(issuer: Certificate): string {
  let key = ISSUER_KEYS.get(issuer);
  if (key === undefined) {
    key = `${toHex(issuer.publicKey.point)} ${nameKey(issuer.subject)}`;
    ISSUER_KEYS.set(issuer, key);
  }
  return key;
}

/** Asked for every certificate that the issuer has issued. */
const ISSUER_KEYS = new WeakMap<Certificate, string>();

/** Lists of one issuer that replace each other: same scope, same place, same segment. */
function sameSeries(a: Crl, b: Crl): boolean {
  return (
    a.issuingDistributionPoint.covers === b.issuingDistributionPoint.covers &&
    a.issuingDistributionPoint.uris.join('\n') === b.issuingDistributionPoint.uris.join('\n') &&
    a.partial?.number === b.partial?.number
  );
}

/** RFC 5280 section 6.3.3 (b)(2): the list's scope includes the certificate, and one name of it is pointed to. */
function covers(list: Crl, isCa: boolean, points: readonly string[]): boolean {
  const { covers: scope, uris } = list.issuingDistributionPoint;
  if (scope === (isCa ? 'userCerts' : 'caCerts')) return false;
  return uris.length === 0 || points.length === 0 || uris.some((uri) => points.includes(uri));
}

/** A whole list, or every segment of one number. */
function isComplete(lists: readonly Crl[]): boolean {
  return lists.some(({ partial, cRLNumber }) => {
    if (partial === undefined) return true;
    const segments = new Set<number>();
    for (const other of lists)
      if (other.partial?.total === partial.total && other.cRLNumber === cRLNumber)
        segments.add(other.partial.number);
    return segments.size === partial.total;
  });
}
