import { createHash, X509Certificate } from 'node:crypto';
import { UsageError } from '../../output/failure.ts';

/** A certificate of a chain, as a report names it. */
export interface ChainLink {
  readonly subject: string;
  readonly issuer: string;
  readonly serialNumber: string;
  /** As OpenSSL writes it. */
  readonly validTo: string;
  readonly sha256: string;
}

const PEM = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** Certificates of a file, in PEM, one after the other, or one in DER. */
export function certificatesOf(content: Buffer, option: string): X509Certificate[] {
  try {
    const blocks = content.toString('latin1').match(PEM);
    return (blocks ?? [content]).map((one) => new X509Certificate(one));
  } catch (cause) {
    throw new UsageError(`${option} has no certificates`, 'Certificates in PEM, or one in DER.', { cause });
  }
}

/**
 * The chain of whoever made an HSM (RFC 5280 section 6.1, as far as a device's chain goes): each certificate is signed by the next,
 * the last by the given root, all of them valid now, and all but the first of a CA. Where the root comes from is for who gives
 * it: the maker's own site, or a paper of the delivery. Returns what it is, the first one first, and the root last.
 */
export function verifiedChain(
  chain: readonly X509Certificate[],
  root: X509Certificate,
  now: number,
): ChainLink[] {
  const last = chain.at(-1);
  const path = last?.fingerprint256 === root.fingerprint256 ? [...chain] : [...chain, root];
  path.forEach((certificate, at) => {
    const issuer = path[at + 1] ?? certificate;
    const bad = problemOf(certificate, issuer, at > 0 || path.length === 1, now);
    if (bad !== undefined)
      throw new UsageError(
        `the chain does not hold: ${certificate.subject.replaceAll('\n', ', ')} ${bad}`,
        'Give the certificates in their order, the one of the device or key first, and the root of the maker.',
      );
  });
  return path.map(linkOf);
}

function problemOf(
  certificate: X509Certificate,
  issuer: X509Certificate,
  isCa: boolean,
  now: number,
): string | undefined {
  if (!certificate.checkIssued(issuer) || !certificate.verify(issuer.publicKey))
    return `is not signed by ${issuer.subject.replaceAll('\n', ', ')}`;
  if (Date.parse(certificate.validFrom) > now || Date.parse(certificate.validTo) < now)
    return `is not valid now, but from ${certificate.validFrom} to ${certificate.validTo}`;
  return isCa && !certificate.ca ? 'is of no CA' : undefined;
}

const linkOf = ({ subject, issuer, serialNumber, validTo, raw }: X509Certificate): ChainLink => ({
  subject: subject.replaceAll('\n', ', '),
  issuer: issuer.replaceAll('\n', ', '),
  serialNumber,
  validTo,
  sha256: createHash('sha256').update(raw).digest('hex'),
});
