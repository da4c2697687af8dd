import { type Bytes, equal, toHex } from '../../shared/codec/bytes.ts';
import {
  attributesOf,
  type Certificate,
  hasKeyUsage,
  isIssuedBy,
  parseCertificate,
  policiesOf,
  subjectKeyIdentifier,
} from '../../sim/certificate.ts';
import { isValidEid } from '../../sim/coding.ts';
import { readAll, readOnly } from '../../sim/tlv.ts';
import type { Conformity } from '../conformity.ts';
import { type ReadBatch, type ReadEntry, reasonOf } from './batch.ts';
import type { EumRule } from './rules.ts';

const ROLE_ARC = '2.23.146.1.2.1.';
/** Arcs of an EUM chain, the issuer of the eUICCs first, and of the eUICC below it (SGP.22 v2, v3). */
const EUM_ROLES: readonly { readonly chain: readonly string[]; readonly euicc: string }[] = [
  { chain: ['2'], euicc: '1' },
  { chain: ['0.0.0'], euicc: '0.0.0.0.0' },
  { chain: ['0.0.0.0', '0.0.0'], euicc: '0.0.0.0.0' },
  { chain: ['0.0.0', '0.0'], euicc: '0.0.0.0.0' },
  { chain: ['0.0.0.0', '0.0.0', '0.0'], euicc: '0.0.0.0.0' },
];
const SERIAL_NUMBER = '2.5.4.5';
const NAME_CONSTRAINTS = '2.5.29.30';

/** The chain of a batch as far as it could be read. */
export interface ReadChain {
  readonly certificates: readonly Certificate[];
  /** The issuer of the eUICCs. */
  readonly issuer: Certificate;
}

/** Looks at the chain up to one of `cis`, the CIs that the SM-DPf trusts. */
export function checkChain(
  batch: ReadBatch,
  { cis, now }: { readonly cis: readonly Bytes[]; readonly now: Date },
  conformity: Conformity<EumRule>,
): ReadChain | undefined {
  let certificates: Certificate[];
  try {
    certificates = batch.eumChain.map((der) => parseCertificate(der));
    // names, limits and roles are read once here, so that a chain that cannot be read is told as that
    for (const { subject, issuer, extensions } of certificates) {
      attributesOf(subject);
      attributesOf(issuer);
      permittedNames(extensions.get(NAME_CONSTRAINTS)?.value);
    }
  } catch (error) {
    const expected = 'X.509 v3 certificates in DER, each in an OCTET STRING';
    conformity.failed('eum.chain.order', 'eumChain', expected, reasonOf(error));
    return undefined;
  }
  const anchors = cis.map((der) => parseCertificate(der));
  const known = anchors.find((anchor) => equal(subjectKeyIdentifier(anchor), batch.ciPkId));
  const identifiers = anchors.map((anchor) => toHex(subjectKeyIdentifier(anchor))).join(' or ');
  conformity.check('eum.chain.ci', known !== undefined, 'ciPkId', identifiers, toHex(batch.ciPkId));
  const rootless = certificates.filter(
    (one, at) => at === 0 || !anchors.some(({ der }) => equal(der, one.der)),
  );
  checkOrder(rootless, known, conformity);
  checkRoles(rootless, conformity);
  for (const [at, { notBefore, notAfter }] of rootless.entries())
    conformity.check(
      'eum.chain.validity',
      now >= notBefore && now <= notAfter,
      `eumChain, certificate ${at}`,
      `valid at ${now.toISOString()}`,
      `valid from ${notBefore.toISOString()} to ${notAfter.toISOString()}`,
    );
  const [issuer] = rootless;
  return issuer === undefined ? undefined : { certificates: rootless, issuer };
}

function checkOrder(
  chain: readonly Certificate[],
  root: Certificate | undefined,
  conformity: Conformity<EumRule>,
): void {
  for (const [at, certificate] of chain.entries()) {
    const issuer = chain[at + 1] ?? root;
    if (issuer === undefined) {
      conformity.skip('the CI is not known', 'eum.chain.order');
      continue;
    }
    const expected = `issued by ${nameOf(issuer.subject)}, signature, names and key identifiers`;
    conformity.check(
      'eum.chain.order',
      isIssuedBy(certificate, issuer),
      `eumChain, certificate ${at}`,
      expected,
      () => whyNotIssued(certificate, issuer),
    );
  }
}

function checkRoles(chain: readonly Certificate[], conformity: Conformity<EumRule>): void {
  const roles = chain.map((certificate) => rolesOf(certificate));
  const fits = EUM_ROLES.some(
    ({ chain: column }) =>
      column.length === roles.length && column.every((role, at) => roles[at]?.includes(role)),
  );
  const seen = roles.map((role) => role.join(' and ') || 'none').join(', then ');
  conformity.check('eum.chain.roles', fits, 'eumChain', 'EUM, or EUM SubCA then EUM', `roles ${seen}`);
}

const rolesOf = (certificate: Certificate): string[] =>
  policiesOf(certificate)
    .filter((policy) => policy.startsWith(ROLE_ARC))
    .map((policy) => policy.slice(ROLE_ARC.length));

const nameOf = (name: Bytes): string =>
  attributesOf(name)
    .map(({ text }) => text)
    .join(', ');

function whyNotIssued(certificate: Certificate, issuer: Certificate): string {
  if (!equal(certificate.issuer, issuer.subject)) return `its issuer is ${nameOf(certificate.issuer)}`;
  return 'the name is right; the signature, the key identifiers, cA or keyCertSign are not';
}

/** The certificate of an eUICC under the chain of its batch; undefined where it cannot be read. */
export function checkEuiccCert(
  entry: ReadEntry,
  chain: ReadChain | undefined,
  conformity: Conformity<EumRule>,
): Certificate | undefined {
  try {
    return lookAtEuiccCert(entry, chain, conformity);
  } catch (error) {
    conformity.failed('eum.cert.issued', entry.where, 'CERT.EUICC, X.509 v3 in DER', reasonOf(error));
    return undefined;
  }
}

function lookAtEuiccCert(
  entry: ReadEntry,
  chain: ReadChain | undefined,
  conformity: Conformity<EumRule>,
): Certificate | undefined {
  const { where } = entry;
  const eid = Buffer.from(entry.eid).toString('hex');
  conformity.check('eum.entry.eid', isValidEid(eid), where, '32 digits, the whole ≡ 1 mod 97', () =>
    /^\d{32}$/.test(eid) ? `remainder ${BigInt(eid) % 97n}` : `octets ${eid}`,
  );
  const certificate = parseCertificate(entry.euiccCert);
  const serial = attributesOf(certificate.subject).find(({ oid }) => oid === SERIAL_NUMBER)?.text;
  conformity.check(
    'eum.cert.eid',
    serial === eid,
    where,
    `serialNumber ${eid}`,
    `serialNumber ${serial ?? 'absent'}`,
  );
  const roles = rolesOf(certificate);
  const known = EUM_ROLES.some(({ euicc }) => roles.includes(euicc));
  const seen = `roles ${roles.join(' and ') || 'none'}${hasKeyUsage(certificate, 0) ? '' : ', no digitalSignature'}`;
  conformity.check('eum.cert.role', known && hasKeyUsage(certificate, 0), where, 'role eUICC', seen);
  if (chain === undefined) return certificate;
  const { issuer } = chain;
  const expected = `issued by ${nameOf(issuer.subject)}`;
  conformity.check('eum.cert.issued', isIssuedBy(certificate, issuer), where, expected, () =>
    whyNotIssued(certificate, issuer),
  );
  checkRange(certificate, chain, eid, where, conformity);
  return certificate;
}

function checkRange(
  certificate: Certificate,
  { certificates }: ReadChain,
  eid: string,
  where: string,
  conformity: Conformity<EumRule>,
): void {
  const own = attributesOf(certificate.subject);
  for (const { extensions } of certificates) {
    const constraint = extensions.get(NAME_CONSTRAINTS);
    if (constraint === undefined) continue;
    const limits = permittedNames(constraint.value);
    const holds = limits.some((limit) =>
      limit.every(({ oid, text }) =>
        oid === SERIAL_NUMBER
          ? eid.startsWith(text)
          : own.some((attribute) => attribute.oid === oid && attribute.text === text),
      ),
    );
    const expected = limits.map((limit) => limit.map(({ text }) => text).join(', ')).join(' or ');
    conformity.check('eum.cert.range', holds, where, expected, `EID ${eid}, ${nameOf(certificate.subject)}`);
  }
}

/** Directory names of permittedSubtrees. */
function permittedNames(value: Bytes | undefined): ReturnType<typeof attributesOf>[] {
  if (value === undefined) return [];
  const permitted = readAll(readOnly(value, 0x30).value).find(({ tag }) => tag === 0xa0);
  if (permitted === undefined) return [];
  return readAll(permitted.value).flatMap((subtree) =>
    readAll(subtree.value)
      .filter(({ tag }) => tag === 0xa4)
      .map((name) => attributesOf(name.value)),
  );
}
