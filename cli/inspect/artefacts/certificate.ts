import { type Bytes, toHex } from '../../../shared/codec/bytes.ts';
import type { Tlv } from '../../../shared/codec/tlv.ts';
import { type Certificate, decodeCertificate } from '../../../shared/pki/certificate.ts';
import { nameAttributes, nameText, sameName } from '../../../shared/pki/name.ts';
import { OID } from '../../../shared/pki/oids.ts';
import { roleOf } from '../../../shared/pki/roles.ts';
import type { Finding } from '../artefact.ts';
import { leaf, listOf, type Shape, tree } from '../shape.ts';
import { tlvDescriber } from '../tlv-describer.ts';
import { curve, integer, oid, time } from '../values.ts';
import { EXTENSION_SHAPE } from './extension.ts';
import { startsAsSequenceOf, tbsTags } from './sequence.ts';

const NULL = 0x05;

const ALGORITHM_NAMES: ReadonlyMap<string, string> = new Map([
  [OID.ecdsaWithSha256, 'ecdsa-with-SHA256'],
  ['1.2.840.10045.2.1', 'id-ecPublicKey'],
]);

export const algorithm = (name: string): Shape =>
  tree(name, [
    [0x06, leaf('algorithm', (value) => ALGORITHM_NAMES.get(oid(value)) ?? oid(value))],
    [NULL, leaf('parameters', () => 'NULL')],
  ]);

/** A Name, on one line. */
export const distinguishedName = (name: string): Shape =>
  leaf(name, (_, element: Tlv) => nameText(nameAttributes(element, '')));

export const bitString = (name: string): Shape =>
  leaf(name, (value: Bytes) => (value[0] === 0 ? toHex(value.subarray(1)) : `unused bits: ${toHex(value)}`));

export const SUBJECT_PUBLIC_KEY_INFO_SHAPE: Shape = tree('subjectPublicKeyInfo', [
  [
    0x30,
    tree('algorithm', [
      [0x06, leaf('algorithm', (value) => ALGORITHM_NAMES.get(oid(value)) ?? oid(value))],
      [0x06, leaf('namedCurve', curve)],
    ]),
  ],
  [0x03, bitString('subjectPublicKey')],
]);

/** UTCTime or GeneralizedTime. */
export const TIME_TAGS = [0x17, 0x18];

/** Certificate (RFC 5280 section 4.1). */
export const CERTIFICATE_SHAPE: Shape = tree('certificate', [
  [
    0x30,
    tree('tbsCertificate', [
      [0xa0, tree('version', [[0x02, leaf('version', (value) => `v${Number(integer(value)) + 1}`)]])],
      [0x02, leaf('serialNumber', toHex)],
      [0x30, algorithm('signature')],
      [0x30, distinguishedName('issuer')],
      [
        0x30,
        tree('validity', [
          [TIME_TAGS, leaf('notBefore', time)],
          [TIME_TAGS, leaf('notAfter', time)],
        ]),
      ],
      [0x30, distinguishedName('subject')],
      [0x30, SUBJECT_PUBLIC_KEY_INFO_SHAPE],
      [0xa3, tree('extensions', [[0x30, listOf('extensions', EXTENSION_SHAPE)]])],
    ]),
  ],
  [0x30, algorithm('signatureAlgorithm')],
  [0x03, bitString('signatureValue')],
]);

/** What this server would say of the certificate, and what its role is. */
function certificateFindings(der: Bytes): readonly Finding[] {
  const certificate = decodeCertificate(der, 'securityConfiguration');
  const findings: Finding[] = [roleFinding(certificate)];
  if (isSelfSigned(certificate))
    findings.push({ severity: 'note', message: 'it is self-signed, and its signature holds' });
  return findings;
}

function roleFinding(certificate: Certificate): Finding {
  const { role, column } = roleOf(certificate, 'securityConfiguration');
  return {
    severity: 'note',
    message: `role ${role}${column === undefined ? '' : `, as SGP.22 ${column} writes it`}`,
  };
}

function isSelfSigned(certificate: Certificate): boolean {
  return sameName(certificate.issuer, certificate.subject) && certificate.isSignedBy(certificate.publicKey);
}

export const certificate = tlvDescriber({
  kind: 'certificate',
  title: 'X.509 certificate',
  tag: 0x30,
  // one of version 1 has no version, and is told from a list by what follows the issuer
  matches: (octets) => startsAsSequenceOf(octets, 0x30, 0xa0) || tbsTags(octets)[3] === 0x30,
  shape: CERTIFICATE_SHAPE,
  check: certificateFindings,
});
