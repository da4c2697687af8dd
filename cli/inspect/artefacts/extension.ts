import { type Bytes, toHex } from '../../../shared/codec/bytes.ts';
import { type Tlv, TlvReader } from '../../../shared/codec/tlv.ts';
import { decodeExtensions, type Extensions } from '../../../shared/pki/extensions/index.ts';
import { decodeIssuingDistributionPoint } from '../../../shared/pki/extensions/issuing-distribution-point.ts';
import { nameText } from '../../../shared/pki/name.ts';
import { OID } from '../../../shared/pki/oids.ts';
import { roleOfPolicy } from '../../../shared/pki/roles.ts';
import { leaf, type Shape, tree } from '../shape.ts';
import { berFlag, integer, oid } from '../values.ts';

const NAMES: ReadonlyMap<string, string> = new Map(
  Object.entries(OID)
    .filter(([, dotted]) => dotted.startsWith('2.5.29.') || dotted.startsWith('2.23.146.'))
    .map(([name, dotted]) => [dotted, name]),
);

const KEY_USAGES = [
  'digitalSignature',
  'nonRepudiation',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
  'encipherOnly',
  'decipherOnly',
];

type Texts = { readonly [Field in keyof Extensions]-?: (value: NonNullable<Extensions[Field]>) => string };

/** What the extensions of a certificate say, for people. */
const TEXTS: Texts = {
  keyUsage: (bits) => KEY_USAGES.filter((_, bit) => bits & (1 << bit)).join(', '),
  basicConstraints: ({ cA, pathLenConstraint }) =>
    `${cA ? 'CA' : 'no CA'}${pathLenConstraint === undefined ? '' : `, pathLenConstraint ${pathLenConstraint}`}`,
  certificatePolicies: (policies) => policies.map(policyText).join(', '),
  subjectKeyIdentifier: toHex,
  authorityKeyIdentifier: toHex,
  subjectAltName: ({ registeredIds, dnsNames }) =>
    [...registeredIds.map((id) => `registeredID ${id}`), ...dnsNames.map((name) => `DNS ${name}`)].join(', '),
  nameConstraints: (names) => names.map(nameText).join('; '),
  permittedEins: (prefixes) => prefixes.join(', '),
  cRLDistributionPoints: (uris) => uris.join(', '),
  extendedKeyUsage: (purposes) => purposes.map(purposeText).join(', '),
};

function policyText(policy: string): string {
  const entry = roleOfPolicy(policy);
  return entry === undefined ? policy : `${policy} (role ${entry.role})`;
}

function purposeText(purpose: string): string {
  if (purpose === OID.serverAuth) return 'serverAuth';
  return purpose === OID.clientAuth ? 'clientAuth' : purpose;
}

/** Extension (RFC 5280 section 4.1): its meaning on its own line, its octets below. */
export const EXTENSION_SHAPE: Shape = {
  ...tree('extension', [
    [
      0x06,
      leaf('extnID', (value) => `${oid(value)}${NAMES.has(oid(value)) ? ` ${NAMES.get(oid(value))}` : ''}`),
    ],
    [0x01, leaf('critical', berFlag)],
    [0x04, leaf('extnValue')],
  ]),
  show: (_, element) => meaningOf(element),
};

function meaningOf(extension: Tlv): string {
  const [field] = Object.entries(decodeExtensions(new TlvReader(extension.raw)).extensions);
  if (field !== undefined) {
    const [name, value] = field;
    // an AuthorityKeyIdentifier may name issuer and serial number alone
    if (value === undefined) return `${name}: none`;
    const text = TEXTS[name as keyof Extensions] as (value: unknown) => string;
    return `${name}: ${text(value)}`;
  }
  const reader = TlvReader.of(extension);
  const dotted = oid(reader.expect(0x06, 'extnID').value);
  reader.optional(0x01);
  const content = new TlvReader(reader.expect(0x04, 'extnValue').value, dotted);
  const text = crlMeaning(dotted, content);
  return `${NAMES.get(dotted) ?? dotted}${text === undefined ? '' : `: ${text}`}`;
}

/** Extensions of revocation lists and of their entries. */
function crlMeaning(dotted: string, content: TlvReader): string | undefined {
  const number = (value: Bytes): string => String(integer(value));
  switch (dotted) {
    case OID.cRLNumber:
    case OID.totalPartialCrlNumber:
    case OID.partialCrlNumber:
      return number(content.expect(0x02, 'number').value);
    case OID.reasonCode:
      return number(content.expect(0x0a, 'CRLReason').value);
    case OID.issuingDistributionPoint: {
      const { covers, uris } = decodeIssuingDistributionPoint(content);
      return [`covers ${covers}`, ...uris].join(', ');
    }
    default:
      return undefined;
  }
}
