import { type Bytes, equal, toHex } from '../shared/codec/bytes.ts';
import { decodeInteger, decodeOid, decodeTime } from './coding.ts';
import { decodeSpki, derToRaw, type EcPoint, verify } from './curve.ts';
import { Fields, readAll, readOnly, SimError } from './tlv.ts';

/** Extension OIDs of RFC 5280 that the profiles of SGP.22 use. */
export const EXTENSION = {
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  cRLNumber: '2.5.29.20',
  issuingDistributionPoint: '2.5.29.28',
  nameConstraints: '2.5.29.30',
  cRLDistributionPoints: '2.5.29.31',
  certificatePolicies: '2.5.29.32',
  authorityKeyIdentifier: '2.5.29.35',
  extKeyUsage: '2.5.29.37',
} as const;

export const ECDSA_WITH_SHA256 = '1.2.840.10045.4.3.2';

export interface Attribute {
  readonly oid: string;
  readonly text: string;
}

export interface Extension {
  readonly critical: boolean;
  /** The octets inside extnValue. */
  readonly value: Bytes;
}

/** An X.509 v3 certificate as read; `der` and `tbs` are the received octets. */
export interface Certificate {
  readonly der: Bytes;
  readonly tbs: Bytes;
  readonly signature: Bytes;
  /** Hexadecimal content of the serialNumber INTEGER. */
  readonly serialNumber: string;
  /** Whole DER Name. */
  readonly issuer: Bytes;
  readonly subject: Bytes;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly publicKey: EcPoint;
  readonly extensions: ReadonlyMap<string, Extension>;
}

export function parseCertificate(der: Bytes): Certificate {
  const outer = new Fields(readOnly(der, 0x30).value);
  const tbs = outer.take(0x30);
  checkAlgorithm(outer.take(0x30).value);
  const bits = outer.take(0x03).value;
  outer.end();
  if (bits[0] !== 0) throw new SimError('a signature has no unused bits');
  const fields = new Fields(tbs.value);
  if (decodeInteger(readOnly(fields.take(0xa0).value, 0x02).value) !== 2) throw new SimError('not X.509 v3');
  const serialNumber = toHex(fields.take(0x02).value);
  checkAlgorithm(fields.take(0x30).value);
  const issuer = fields.take(0x30).raw;
  const validity = new Fields(fields.take(0x30).value);
  const notBefore = decodeTime(validity.any().value);
  const notAfter = decodeTime(validity.any().value);
  const subject = fields.take(0x30).raw;
  const publicKey = decodeSpki(fields.take(0x30).raw);
  const extensions = parseExtensions(readOnly(fields.take(0xa3).value, 0x30).value);
  fields.end();
  return {
    der,
    tbs: tbs.raw,
    signature: derToRaw(bits.subarray(1)),
    serialNumber,
    issuer,
    subject,
    notBefore,
    notAfter,
    publicKey,
    extensions,
  };
}

export function checkAlgorithm(value: Bytes): void {
  const fields = new Fields(value);
  if (decodeOid(fields.take(0x06).value) !== ECDSA_WITH_SHA256) throw new SimError('not ecdsa-with-SHA256');
  fields.end();
}

export function parseExtensions(value: Bytes): Map<string, Extension> {
  const extensions = new Map<string, Extension>();
  for (const element of readAll(value)) {
    const fields = new Fields(element.value);
    const oid = decodeOid(fields.take(0x06).value);
    const critical = fields.maybe(0x01)?.value[0] === 0xff;
    if (extensions.has(oid)) throw new SimError(`extension ${oid} twice`);
    extensions.set(oid, { critical, value: fields.take(0x04).value });
    fields.end();
  }
  return extensions;
}

/** Attributes of a DER Name, in order. */
export function attributesOf(name: Bytes): Attribute[] {
  return readAll(readOnly(name, 0x30).value).flatMap((set) =>
    readAll(set.value).map((attribute) => {
      const fields = new Fields(attribute.value);
      return {
        oid: decodeOid(fields.take(0x06).value),
        text: Buffer.from(fields.any().value).toString('utf8'),
      };
    }),
  );
}

export function subjectKeyIdentifier(certificate: Certificate): Bytes {
  const extension = certificate.extensions.get(EXTENSION.subjectKeyIdentifier);
  if (extension === undefined) throw new SimError('no subjectKeyIdentifier');
  return readOnly(extension.value, 0x04).value;
}

export function authorityKeyIdentifier(extensions: ReadonlyMap<string, Extension>): Bytes | undefined {
  const extension = extensions.get(EXTENSION.authorityKeyIdentifier);
  if (extension === undefined) return undefined;
  return new Fields(readOnly(extension.value, 0x30).value).maybe(0x80)?.value;
}

/** Policy OIDs, dotted. */
export function policiesOf(certificate: Certificate): string[] {
  const extension = certificate.extensions.get(EXTENSION.certificatePolicies);
  if (extension === undefined) return [];
  return readAll(readOnly(extension.value, 0x30).value).map((policy) =>
    decodeOid(new Fields(policy.value).take(0x06).value),
  );
}

/** True where the bit of keyUsage is set: 0 digitalSignature, 5 keyCertSign, 6 cRLSign. */
export function hasKeyUsage(certificate: Certificate, bit: number): boolean {
  const extension = certificate.extensions.get(EXTENSION.keyUsage);
  if (extension === undefined) return false;
  const octet = readOnly(extension.value, 0x03).value[1 + (bit >> 3)] ?? 0;
  return (octet & (0x80 >> (bit & 7))) !== 0;
}

/** cA and pathLenConstraint; undefined where the certificate is no CA. */
export function caConstraint(certificate: Certificate): { pathLen?: number } | undefined {
  const extension = certificate.extensions.get(EXTENSION.basicConstraints);
  if (extension === undefined) return undefined;
  const fields = new Fields(readOnly(extension.value, 0x30).value);
  if (fields.maybe(0x01)?.value[0] !== 0xff) return undefined;
  const pathLen = fields.maybe(0x02);
  fields.end();
  return pathLen === undefined ? {} : { pathLen: decodeInteger(pathLen.value) };
}

/** The registeredID of subjectAltName: the OID of an SM-DPf, EUM or CI. */
export function registeredIdOf(certificate: Certificate): string | undefined {
  const extension = certificate.extensions.get(EXTENSION.subjectAltName);
  if (extension === undefined) return undefined;
  const name = readAll(readOnly(extension.value, 0x30).value).find((element) => element.tag === 0x88);
  return name === undefined ? undefined : decodeOid(name.value);
}

/** True where `issuer` is a CA whose key signed the octets of `certificate`, and both name each other. */
export function isIssuedBy(certificate: Certificate, issuer: Certificate): boolean {
  const authority = authorityKeyIdentifier(certificate.extensions);
  return (
    caConstraint(issuer) !== undefined &&
    hasKeyUsage(issuer, 5) &&
    equal(certificate.issuer, issuer.subject) &&
    authority !== undefined &&
    equal(authority, subjectKeyIdentifier(issuer)) &&
    verify(issuer.publicKey, certificate.tbs, certificate.signature)
  );
}
