import { createHash, randomBytes } from 'node:crypto';
import { type Bytes, concat, fromHex } from '../shared/codec/bytes.ts';
import { ECDSA_WITH_SHA256, EXTENSION } from './certificate.ts';
import { encodeInteger, encodeOid, encodeTime } from './coding.ts';
import { type EcKey, type EcPoint, encodeSpki, rawToDer, sign } from './curve.ts';
import { tlv } from './tlv.ts';

/** Attribute types of the names in SGP.26 certificates. */
const ATTRIBUTE = {
  CN: { oid: '2.5.4.3', tag: 0x0c },
  serialNumber: { oid: '2.5.4.5', tag: 0x13 },
  C: { oid: '2.5.4.6', tag: 0x13 },
  O: { oid: '2.5.4.10', tag: 0x0c },
  OU: { oid: '2.5.4.11', tag: 0x0c },
} as const;

export type AttributeName = keyof typeof ATTRIBUTE;
export type Name = readonly (readonly [AttributeName, string])[];

const oid = (dotted: string): Bytes => tlv(0x06, encodeOid(dotted));
const TRUE = tlv(0x01, Uint8Array.of(0xff));
const ALGORITHM = tlv(0x30, oid(ECDSA_WITH_SHA256));

/** A Name with one attribute in each RDN, in the order given. */
export function encodeName(name: Name): Bytes {
  return tlv(
    0x30,
    ...name.map(([type, text]) =>
      tlv(0x31, tlv(0x30, oid(ATTRIBUTE[type].oid), tlv(ATTRIBUTE[type].tag, Buffer.from(text, 'utf8')))),
    ),
  );
}

function extension(id: string, critical: boolean, value: Bytes): Bytes {
  return tlv(0x30, oid(id), ...(critical ? [TRUE] : []), tlv(0x04, value));
}

/** SHA-1 of the BIT STRING content, the 65-octet point (RFC 5280 §4.2.1.2, method 1). */
export function keyIdentifier(point: Bytes): Bytes {
  return createHash('sha1').update(point).digest();
}

export interface AlternativeNames {
  readonly dns?: readonly string[];
  readonly ipv4?: readonly string[];
  readonly registeredId?: string;
}

export const extensions = {
  subjectKeyIdentifier: (point: Bytes): Bytes =>
    extension(EXTENSION.subjectKeyIdentifier, false, tlv(0x04, keyIdentifier(point))),
  authorityKeyIdentifier: (keyId: Bytes): Bytes =>
    extension(EXTENSION.authorityKeyIdentifier, false, tlv(0x30, tlv(0x80, keyId))),
  /** Bits from 0 digitalSignature; 5 keyCertSign, 6 cRLSign. */
  keyUsage: (...bits: number[]): Bytes => {
    const octet = bits.reduce((set, bit) => set | (0x80 >> bit), 0);
    return extension(EXTENSION.keyUsage, true, tlv(0x03, Uint8Array.of(7 - Math.max(...bits), octet)));
  },
  ca: (pathLen?: number): Bytes =>
    extension(
      EXTENSION.basicConstraints,
      true,
      tlv(0x30, TRUE, ...(pathLen === undefined ? [] : [tlv(0x02, encodeInteger(pathLen))])),
    ),
  policy: (role: string, critical = true): Bytes =>
    extension(EXTENSION.certificatePolicies, critical, tlv(0x30, tlv(0x30, oid(`2.23.146.1.2.1.${role}`)))),
  subjectAltName: ({ dns = [], ipv4 = [], registeredId }: AlternativeNames): Bytes =>
    extension(
      EXTENSION.subjectAltName,
      false,
      tlv(
        0x30,
        ...dns.map((name) => tlv(0x82, Buffer.from(name, 'latin1'))),
        ...ipv4.map((address) => tlv(0x87, Uint8Array.from(address.split('.').map(Number)))),
        ...(registeredId === undefined ? [] : [tlv(0x88, encodeOid(registeredId))]),
      ),
    ),
  serverAndClientAuth: (): Bytes =>
    extension(EXTENSION.extKeyUsage, true, tlv(0x30, oid('1.3.6.1.5.5.7.3.1'), oid('1.3.6.1.5.5.7.3.2'))),
  cRLDistributionPoint: (url: string): Bytes =>
    extension(EXTENSION.cRLDistributionPoints, false, tlv(0x30, tlv(0x30, distributionPoint(url)))),
  /** permittedSubtrees of one directoryName: the EUM's organization and the IIN its EIDs start with. */
  nameConstraints: (organization: string, iin: string): Bytes => {
    const directory = encodeName([
      ['O', organization],
      ['serialNumber', iin],
    ]);
    return extension(EXTENSION.nameConstraints, true, tlv(0x30, tlv(0xa0, tlv(0x30, tlv(0xa4, directory)))));
  },
};

function distributionPoint(url: string): Bytes {
  return tlv(0xa0, tlv(0xa0, tlv(0x86, Buffer.from(url, 'latin1'))));
}

/** Who signs: its whole subject Name and its key. */
export interface Issuer {
  readonly subject: Bytes;
  readonly key: EcKey;
}

export interface CertificateContent {
  readonly subject: Name;
  readonly publicKey: EcPoint;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** Whole DER extensions in the order to write; SKI and AKI included by the caller. */
  readonly extensions: readonly Bytes[];
}

/** Signs an X.509 v3 certificate with a random positive serial number of 8 octets; DER. */
export function signCertificate(content: CertificateContent, issuer: Issuer): Bytes {
  const serial = randomBytes(8);
  serial[0] = 0x40 | ((serial[0] ?? 0) & 0x3f);
  return signed(
    issuer.key,
    tlv(0xa0, tlv(0x02, Uint8Array.of(2))),
    tlv(0x02, serial),
    ALGORITHM,
    issuer.subject,
    tlv(0x30, encodeTime(content.notBefore), encodeTime(content.notAfter)),
    encodeName(content.subject),
    encodeSpki(content.publicKey),
    tlv(0xa3, tlv(0x30, ...content.extensions)),
  );
}

/** Which certificates a CRL speaks of: all of the issuer, only end entities, or only CAs. */
export type CrlScope = 'all' | 'user' | 'ca';

export interface CrlContent {
  /** Hexadecimal serial numbers of revoked certificates. */
  readonly revoked: readonly string[];
  readonly number: number;
  readonly thisUpdate: Date;
  readonly nextUpdate: Date;
  readonly scope: CrlScope;
  readonly distributionPoint: string;
}

/** Signs an X.509 v2 CRL with AKI, cRLNumber and a critical issuingDistributionPoint; DER. */
export function signCrl(content: CrlContent, issuer: Issuer): Bytes {
  const scope = { all: [], user: [tlv(0x81, Uint8Array.of(0xff))], ca: [tlv(0x82, Uint8Array.of(0xff))] };
  const entries = content.revoked.map((serial) =>
    tlv(0x30, tlv(0x02, fromHex(serial)), encodeTime(content.thisUpdate)),
  );
  return signed(
    issuer.key,
    tlv(0x02, Uint8Array.of(1)),
    ALGORITHM,
    issuer.subject,
    encodeTime(content.thisUpdate),
    encodeTime(content.nextUpdate),
    ...(entries.length === 0 ? [] : [tlv(0x30, ...entries)]),
    tlv(
      0xa0,
      tlv(
        0x30,
        extensions.authorityKeyIdentifier(keyIdentifier(issuer.key.point)),
        extension(EXTENSION.cRLNumber, false, tlv(0x02, encodeInteger(content.number))),
        extension(
          EXTENSION.issuingDistributionPoint,
          true,
          tlv(0x30, distributionPoint(content.distributionPoint), ...scope[content.scope]),
        ),
      ),
    ),
  );
}

function signed(key: EcKey, ...toBeSigned: Bytes[]): Bytes {
  const tbs = tlv(0x30, ...toBeSigned);
  return tlv(0x30, tbs, ALGORITHM, tlv(0x03, concat(Uint8Array.of(0), rawToDer(sign(key, tbs)))));
}
