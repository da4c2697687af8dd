import { type Bytes, equal } from '../shared/codec/bytes.ts';
import {
  type Certificate,
  caConstraint,
  hasKeyUsage,
  isIssuedBy,
  parseCertificate,
  policiesOf,
  subjectKeyIdentifier,
} from './certificate.ts';
import { SimError } from './tlv.ts';

const ROLE_ARC = '2.23.146.1.2.1';

/**
 * Certificate policies of a CERT.DPpb and of the CAs above it, leaf first, for each chain that SGP.26 knows:
 * variant O, then Ov3, A, B and C. A chain is from one column as a whole.
 */
const DPPB_COLUMNS: readonly (readonly string[])[] = [
  ['5', '0'],
  ['0.0.1.2', '0'],
  ['0.0.1.2', '0.0.1', '0'],
  ['0.0.1.2', '0.0', '0'],
  ['0.0.1.2', '0.0.1', '0.0', '0'],
];

export interface ChainContext {
  /** Certificates of the CIs in euiccCiPKIdListForVerification. */
  readonly trustedCis: readonly Certificate[];
  /** Absent where the eUICC has no clock; validity is then not checked. */
  readonly now?: Date | undefined;
  readonly isRevoked?: (certificate: Certificate) => boolean;
}

/**
 * Checks a CERT.DPpb chain (leaf first, root omitted) up to the trusted CI that `ciPkId` names: signatures, key
 * identifiers, validity, CA constraints and path length, key usage, role OIDs, one curve, revocation.
 * Returns the leaf; throws SimError with the first fault.
 */
export function checkDpPbChain(
  ciPkId: Bytes,
  chain: readonly Certificate[],
  context: ChainContext,
): Certificate {
  const roots = context.trustedCis.filter((ci) => equal(subjectKeyIdentifier(ci), ciPkId));
  const [leaf] = chain;
  const top = chain.at(-1);
  if (leaf === undefined || top === undefined) throw new SimError('the chain is empty');
  // one key may have several names
  const root = roots.find((ci) => isIssuedBy(top, ci)) ?? roots[0];
  if (root === undefined) throw new SimError('the CI is not trusted');
  const path = [...chain, root];
  for (const [depth, certificate] of path.entries()) {
    const issuer = path[depth + 1];
    if (issuer !== undefined && !isIssuedBy(certificate, issuer)) {
      throw new SimError(`certificate ${depth} is not issued by the next one`);
    }
    checkLimits(certificate, depth, context);
    if (certificate.publicKey.curve !== root.publicKey.curve)
      throw new SimError('the chain changes its curve');
  }
  if (caConstraint(leaf) !== undefined || !hasKeyUsage(leaf, 0)) {
    throw new SimError('CERT.DPpb must be an end entity for digitalSignature');
  }
  const roles = path.map((certificate) => policiesOf(certificate));
  const inOneColumn = DPPB_COLUMNS.some(
    (column) =>
      column.length === roles.length &&
      column.every((role, depth) => roles[depth]?.includes(`${ROLE_ARC}.${role}`)),
  );
  if (!inOneColumn) throw new SimError('the role OIDs are not those of a DPpb chain');
  return leaf;
}

function checkLimits(certificate: Certificate, depth: number, { now, isRevoked }: ChainContext): void {
  if (now !== undefined && (now < certificate.notBefore || now > certificate.notAfter)) {
    throw new SimError(`certificate ${depth} is outside its validity`);
  }
  if (isRevoked?.(certificate)) throw new SimError(`certificate ${depth} is revoked`);
  const pathLen = depth === 0 ? undefined : caConstraint(certificate)?.pathLen;
  if (pathLen !== undefined && depth - 1 > pathLen) throw new SimError(`path below ${depth} is too long`);
}

/** Certificates of a Chain in its order. */
export function parseChain(certificates: readonly Bytes[]): Certificate[] {
  return certificates.map((der) => parseCertificate(der));
}
