import { type Bytes, equal, toHex } from '../../codec/bytes.ts';
import { Refusal } from '../../errors.ts';
import { scanAll } from '../../ledger/scan.ts';
import { type Certificate, decodeCertificate } from '../../pki/certificate.ts';
import type { Crl } from '../../pki/crl.ts';
import { nameText, sameName } from '../../pki/name.ts';
import { type PathContext, verifyToAnchor } from '../../pki/path.ts';
import { type RevocationLists, verifyCrl } from '../../pki/revocation.ts';
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
  const atMs = context.now();
  const isIssuer = (candidate: Certificate) =>
    hasKeyId(candidate, crl.authorityKeyIdentifier) && sameName(candidate.subject, crl.issuer);
  const candidates = [...chains];
  for await (const { certificates } of storedEumChains(context.ledger)) candidates.push(certificates);
  let refusal: Refusal | undefined;
  const attempts = [
    ...store.certificates.filter(isIssuer).map((ci) => () => ci),
    ...candidates.map((ders) => () => issuerBelow(ders, isIssuer, store, { crls, atMs, codes: CODES })),
  ];
  for (const attempt of attempts) {
    try {
      const issuer = attempt();
      if (issuer === undefined) continue;
      verifyCrl(crl, issuer, atMs);
      return issuer;
    } catch (error) {
      // another certificate of the same key may hold
      if (!(error instanceof Refusal)) throw error;
      refusal ??= error;
    }
  }
  throw (
    refusal ??
    new Refusal('crlInvalid', `the issuer of the list, "${nameText(crl.issuer.attributes)}", is not known`, {
      subjectIdentifier: toHex(crl.authorityKeyIdentifier),
    })
  );
}

const CODES = { invalid: 'crlInvalid', expired: 'crlInvalid' } as const;

/** The issuer within a chain whose root is trusted, verified up to that; undefined where it is not in there. */
function issuerBelow(
  ders: readonly Bytes[],
  isIssuer: (candidate: Certificate) => boolean,
  store: TrustStore,
  context: PathContext,
): Certificate | undefined {
  const chain = ders.map((der) => decodeCertificate(der, 'crlInvalid'));
  const from = chain.findIndex(isIssuer);
  const rootKeyId = chain.at(-1)?.extensions.authorityKeyIdentifier;
  if (from < 0 || rootKeyId === undefined) return undefined;
  const roots = store.certificates.filter((candidate) => hasKeyId(candidate, rootKeyId));
  if (roots.length === 0) return undefined;
  const above = chain.slice(from);
  verifyToAnchor(above, roots, context);
  return above[0];
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
