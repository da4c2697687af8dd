import { type Bytes, equal, toHex } from '../../codec/bytes.ts';
import { refuse } from '../../errors.ts';
import { scanAll } from '../../ledger/scan.ts';
import { type Certificate, decodeCertificate } from '../../pki/certificate.ts';
import type { Crl } from '../../pki/crl.ts';
import { sameName } from '../../pki/name.ts';
import { verifyPath } from '../../pki/path.ts';
import type { RevocationLists } from '../../pki/revocation.ts';
import type { TrustStore } from '../../pki/trust-store.ts';
import type { Context } from '../context.ts';
import { partitions } from '../records/keys.ts';
import { storedEumChains } from './eum-chains.ts';
import { chainsOf } from './trust-items.ts';

/** The certificate with the key that the list names, verified up to a trusted CI. */
export async function crlIssuer(
  context: Context,
  crl: Crl,
  chains: readonly (readonly Bytes[])[],
  store: TrustStore,
  crls: RevocationLists,
): Promise<Certificate> {
  const ci = store.certificates.find((candidate) => hasKeyId(candidate, crl.authorityKeyIdentifier));
  if (ci !== undefined) return ci;
  const candidates = [...chains];
  for await (const { certificates } of storedEumChains(context.ledger)) candidates.push(certificates);
  for (const ders of candidates) {
    const chain = ders.map((der) => decodeCertificate(der, 'crlInvalid'));
    const from = chain.findIndex((candidate) => hasKeyId(candidate, crl.authorityKeyIdentifier));
    if (from < 0) continue;
    const above = chain.slice(from);
    const rootKeyId = above.at(-1)!.extensions.authorityKeyIdentifier;
    const root = rootKeyId && store.certificates.find((candidate) => hasKeyId(candidate, rootKeyId));
    if (root === undefined) continue;
    const codes = { invalid: 'crlInvalid', expired: 'crlInvalid' } as const;
    verifyPath(above, root, { crls, atMs: context.now(), codes });
    return above[0]!;
  }
  return refuse('crlInvalid', 'the issuer of the list is not known', {
    subjectIdentifier: toHex(crl.authorityKeyIdentifier),
  });
}

/** EUM certificates known here, by their key identifier, that this list names. */
export async function eumsRevokedBy(context: Context, crl: Crl): Promise<string[]> {
  const revoked = new Set<string>();
  const chains: (readonly Bytes[])[] = chainsOf(await scanAll(context.ledger, partitions.trust));
  for await (const { certificates } of storedEumChains(context.ledger)) chains.push(certificates);
  for (const ders of chains) {
    for (const { extensions, issuer, serialNumber } of ders.map((der) => decodeCertificate(der))) {
      const { subjectKeyIdentifier, authorityKeyIdentifier } = extensions;
      if (
        subjectKeyIdentifier !== undefined &&
        authorityKeyIdentifier !== undefined &&
        equal(authorityKeyIdentifier, crl.authorityKeyIdentifier) &&
        sameName(issuer, crl.issuer) &&
        crl.revoked.has(serialNumber)
      )
        revoked.add(toHex(subjectKeyIdentifier));
    }
  }
  return [...revoked];
}

const hasKeyId = ({ extensions: { subjectKeyIdentifier } }: Certificate, keyId: Bytes) =>
  subjectKeyIdentifier !== undefined && equal(subjectKeyIdentifier, keyId);
