import { type Bytes, equal } from '../codec/bytes.ts';
import { Refusal, refuse } from '../errors.ts';
import type { StatusName } from '../status-codes.ts';
import { type Certificate, type CertificateStanding, decodeCertificate } from './certificate.ts';
import type { ChainCodes } from './chain-codes.ts';
import { DIGITAL_SIGNATURE, KEY_CERT_SIGN } from './extensions/key-usage.ts';
import { nameText, sameName } from './name.ts';
import type { RevocationLists } from './revocation.ts';
import { type CertificateRole, type RoleColumn, roleOf } from './roles.ts';

/** Chain shapes of SGP.22: Variant O with the identifiers of v2 or v3 (Ov3), sub-CAs below (A), above (B), both (C). */
export type Variant = 'O' | 'Ov3' | 'A' | 'B' | 'C';

export interface PathContext {
  readonly crls: RevocationLists;
  /**
   * The clock, in milliseconds since 1970-01-01T00:00:00Z. Undefined for what was verified while it was valid and is
   * asked for again: what is revoked or trusted no longer is refused then, what merely ran out is not.
   */
  readonly atMs: number | undefined;
  readonly codes: ChainCodes;
}

/** CI SubCA, EUM or DP SubCA, EUM SubCA; the longest chain has four certificates with its leaf. */
const MAX_CHAIN = 4;

/** Decodes certificates, subject first; an anchor at the end, where the sender put it in too, is left out. */
export function decodeChain(
  ders: readonly Bytes[],
  anchors: readonly Certificate[],
  codes: ChainCodes,
): Certificate[] {
  const last = ders.at(-1);
  const chain = last !== undefined && anchors.some(({ raw }) => equal(last, raw)) ? ders.slice(0, -1) : ders;
  if (chain.length === 0 || chain.length > MAX_CHAIN)
    refuse(codes.invalid, `a chain has 1 to ${MAX_CHAIN} certificates below the CI, not ${chain.length}`);
  // a copy: a verified chain is kept for long, the upload that it is a view of should not be
  return chain.map((der) => decodeCertificate(Buffer.from(der), codes.invalid));
}

/** The one column of role identifiers that all certificates use, whose roles must be one of the given orders. */
export function columnOf(
  chain: readonly Certificate[],
  orders: ReadonlyMap<string, Exclude<Variant, 'Ov3'>>,
  codes: ChainCodes,
): { column: RoleColumn; variant: Variant } {
  const entries = chain.map((certificate) => roleOf(certificate, codes.invalid));
  const order = entries.map(({ role }) => role).join(' < ');
  const shape = orders.get(order) ?? refuse(codes.invalid, `no chain has the roles ${order}`);
  const column = entries[0]?.column;
  if (column === undefined || entries.some((entry) => entry.column !== column))
    refuse(codes.invalid, 'the chain mixes role identifiers of SGP.22 v2 and v3');
  return { column, variant: shape === 'O' && column === 'v3' ? 'Ov3' : shape };
}

/**
 * Verifies the certificates of `chain`, subject first, up to whichever of the trust anchors has the name and the key that the
 * last one was issued under (RFC 5280 section 6.1.1 d), and returns that. Where several do, such as a certificate and the one
 * that renewed it, one that holds is enough.
 */
export function verifyToAnchor(
  chain: readonly Certificate[],
  anchors: readonly Certificate[],
  context: PathContext,
): Certificate {
  const { issuer } = chain.at(-1)!;
  let refusal: Refusal | undefined;
  for (const ci of anchors.filter(({ subject }) => sameName(issuer, subject))) {
    try {
      verifyPath(chain, ci, context);
      return ci;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      refusal ??= error;
    }
  }
  const names = anchors.map(({ subject }) => nameText(subject.attributes)).join(' or ');
  throw (
    refusal ??
    new Refusal(
      context.codes.invalid,
      `the chain was issued by "${nameText(issuer.attributes)}"; the CI of this key is trusted as "${names}" only`,
    )
  );
}

/** Verifies the certificates of `chain`, subject first, up to the trusted `ci`. */
export function verifyPath(chain: readonly Certificate[], ci: Certificate, context: PathContext): void {
  checkValidity(ci, context);
  for (const [index, certificate] of chain.entries()) {
    const issuer = chain[index + 1] ?? ci;
    const casBelow = chain.slice(0, index + 1).filter((below) => below.isCa).length;
    verifyIssued(certificate, issuer, casBelow, context);
  }
}

/**
 * One step of RFC 5280 section 6.1.3: names, key identifiers, curve, what the issuer may do, the signature over the
 * octets as received, validity, revocation. `casBelow`: how many CA certificates lie below the issuer.
 */
export function verifyIssued(
  certificate: Certificate,
  issuer: Certificate,
  casBelow: number,
  context: PathContext,
): void {
  const { codes } = context;
  const { subjectKeyIdentifier, basicConstraints } = issuer.extensions;
  const { authorityKeyIdentifier } = certificate.extensions;
  if (!sameName(certificate.issuer, issuer.subject))
    refuse(codes.invalid, 'the issuer of the certificate is not the subject of the next one');
  if (
    authorityKeyIdentifier === undefined ||
    subjectKeyIdentifier === undefined ||
    !equal(authorityKeyIdentifier, subjectKeyIdentifier)
  )
    refuse(codes.invalid, 'the AuthorityKeyIdentifier is not the SubjectKeyIdentifier of the issuer');
  if (certificate.curve !== issuer.curve) refuse(codes.invalid, 'the chain mixes curves');
  checkMayIssue(issuer, codes);
  if (casBelow > (basicConstraints?.pathLenConstraint ?? casBelow))
    refuse(codes.invalid, 'the chain is longer than the pathLenConstraint of an issuer');
  if (!certificate.isSignedBy(issuer.publicKey))
    refuse(codes.invalid, 'the signature of the certificate does not verify');
  checkValidity(certificate, context);
  context.crls.check(certificate, issuer, context.atMs, codes);
}

/** A CA by basicConstraints and by keyUsage, with a key identifier to link by. */
export function checkMayIssue(issuer: Certificate, codes: ChainCodes): void {
  const { keyUsage = 0, subjectKeyIdentifier } = issuer.extensions;
  if (subjectKeyIdentifier === undefined) refuse(codes.invalid, 'the issuer has no SubjectKeyIdentifier');
  if (!issuer.isCa) refuse(codes.invalid, 'the issuer is not a CA');
  if ((keyUsage & KEY_CERT_SIGN) === 0) refuse(codes.invalid, 'the issuer may not sign certificates');
}

export function checkValidity(certificate: CertificateStanding, { atMs, codes }: PathContext): void {
  if (atMs === undefined) return;
  if (atMs < certificate.notBeforeMs)
    refuse(codes.expired, `certificate ${certificate.serialNumber} is not valid yet`);
  // notAfter is the last second of validity
  if (atMs >= certificate.notAfterMs + 1000)
    refuse(codes.expired, `certificate ${certificate.serialNumber} is expired`);
}

/** A certificate whose key signs RSP data: digitalSignature, no CA, not narrowed to TLS or anything else. */
export function checkSigningLeaf(
  certificate: Certificate,
  role: CertificateRole,
  column: RoleColumn,
  invalid: StatusName,
): void {
  const entry = roleOf(certificate, invalid);
  if (entry.role !== role || entry.column !== column)
    refuse(invalid, `the certificate has the role ${entry.role}, not ${role} as SGP.22 ${column} writes it`);
  const { keyUsage = 0, extendedKeyUsage } = certificate.extensions;
  if ((keyUsage & DIGITAL_SIGNATURE) === 0) refuse(invalid, 'the key usage lacks digitalSignature');
  if (certificate.isCa || (keyUsage & KEY_CERT_SIGN) !== 0)
    refuse(invalid, 'the certificate is that of a CA');
  if (extendedKeyUsage !== undefined) refuse(invalid, 'the extended key usage excludes RSP signatures');
}
