import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import type { Bytes } from '../../shared/codec/bytes.ts';
import { encodeOid } from '../../shared/codec/oid.ts';
import { integerValue, tlv } from '../../shared/codec/tlv.ts';
import { type CurveName, FRP256V1, toSpki } from '../../shared/crypto/curves.ts';
import { generateFrp256v1Secret, signFrp256v1 } from '../../shared/crypto/frp256v1.ts';

/** DER certificates and revocation lists whose every field a test may change before they are signed. */

export interface SigningKey {
  readonly suite: CurveName;
  readonly point: Bytes;
  readonly spki: Bytes;
  /** Raw r‖s over SHA-256 of the message. */
  sign(message: Bytes): Bytes;
  /** For TLS and PEM; FRP256V1 has none. */
  readonly privateKey?: KeyObject;
}

export function generateKey(suite: CurveName): SigningKey {
  if (suite === 'frp256v1') {
    const secret = generateFrp256v1Secret();
    const point = FRP256V1.ephemeralFrom(secret).point;
    return {
      suite,
      point,
      spki: toSpki({ curve: FRP256V1, point }),
      sign: (message) => signFrp256v1(secret, message),
    };
  }
  const { privateKey, publicKey } = generateKeyPairSync('ec', {
    namedCurve: suite === 'p256' ? 'prime256v1' : 'brainpoolP256r1',
  });
  const spki = publicKey.export({ format: 'der', type: 'spki' });
  return {
    suite,
    point: spki.subarray(-65),
    spki,
    privateKey,
    sign: (message) => sign('sha256', message, { key: privateKey, dsaEncoding: 'ieee-p1363' }),
  };
}

export const sequence = (...parts: (Bytes | undefined)[]): Bytes => tlv(0x30, ...parts);
export const oid = (dotted: string): Bytes => tlv(0x06, encodeOid(dotted));
export const integer = (value: number): Bytes => tlv(0x02, integerValue(value));
export const octetString = (value: Bytes): Bytes => tlv(0x04, value);
export const bitString = (value: Bytes, unused = 0): Bytes => tlv(0x03, Buffer.of(unused), value);
export const TRUE = tlv(0x01, Buffer.of(0xff));
const ascii = (text: string): Bytes => Buffer.from(text, 'latin1');

/** Two UTCTime digits up to 2049, four in GeneralizedTime after. */
export function time(ms: number): Bytes {
  const digits = new Date(ms).toISOString().replace(/\.\d+Z$|[-:T]/g, '');
  return ms < Date.UTC(2050, 0, 1) ? tlv(0x17, ascii(`${digits.slice(2)}Z`)) : tlv(0x18, ascii(`${digits}Z`));
}

const ATTRIBUTES = {
  C: '2.5.4.6',
  O: '2.5.4.10',
  OU: '2.5.4.11',
  CN: '2.5.4.3',
  serialNumber: '2.5.4.5',
} as const;
export type NameSpec = Partial<Record<keyof typeof ATTRIBUTES, string>>;

export function name(spec: NameSpec): Bytes {
  const sets = Object.entries(spec).map(([field, text]) => {
    const printable = field === 'C' || field === 'serialNumber';
    const value = tlv(printable ? 0x13 : 0x0c, Buffer.from(text, 'utf8'));
    return tlv(0x31, sequence(oid(ATTRIBUTES[field as keyof typeof ATTRIBUTES]), value));
  });
  return sequence(...sets);
}

export const keyId = (point: Bytes): Bytes => createHash('sha1').update(point).digest();

export interface ExtensionSpec {
  readonly oid: string;
  /** An element where the BOOLEAN is to be written in a way of its own. */
  readonly critical?: boolean | Bytes;
  readonly value: Bytes;
}

export function extension(spec: ExtensionSpec): Bytes {
  const critical = spec.critical === true ? TRUE : spec.critical || undefined;
  return sequence(oid(spec.oid), critical, octetString(spec.value));
}

export const bits = (octet: number): Bytes => {
  const unused = Math.log2(octet & -octet);
  return bitString(Buffer.of(octet), unused);
};

/** One maker per extension; `critical` as SGP.26 has it. */
export const ext = {
  ski: (id: Bytes): ExtensionSpec => ({ oid: '2.5.29.14', value: octetString(id) }),
  aki: (id: Bytes): ExtensionSpec => ({ oid: '2.5.29.35', value: sequence(tlv(0x80, id)) }),
  /** digitalSignature 80, keyCertSign 04, cRLSign 02. */
  keyUsage: (octet: number): ExtensionSpec => ({ oid: '2.5.29.15', critical: true, value: bits(octet) }),
  ca: (pathLen?: number): ExtensionSpec => ({
    oid: '2.5.29.19',
    critical: true,
    value: sequence(TRUE, pathLen === undefined ? undefined : integer(pathLen)),
  }),
  notCa: (): ExtensionSpec => ({ oid: '2.5.29.19', critical: true, value: sequence() }),
  policies: (...policies: string[]): ExtensionSpec => ({
    oid: '2.5.29.32',
    critical: true,
    value: sequence(...policies.map((policy) => sequence(oid(policy)))),
  }),
  registeredId: (...ids: string[]): ExtensionSpec => ({
    oid: '2.5.29.17',
    value: sequence(...ids.map((id) => tlv(0x88, encodeOid(id)))),
  }),
  cdp: (...uris: string[]): ExtensionSpec => ({
    oid: '2.5.29.31',
    value: sequence(...uris.map((uri) => sequence(tlv(0xa0, tlv(0xa0, tlv(0x86, ascii(uri))))))),
  }),
  nameConstraints: (...names: NameSpec[]): ExtensionSpec => ({
    oid: '2.5.29.30',
    critical: true,
    value: sequence(tlv(0xa0, ...names.map((subtree) => sequence(tlv(0xa4, name(subtree)))))),
  }),
  permittedEins: (...eins: string[]): ExtensionSpec => ({
    oid: '2.23.146.1.2.2.0',
    value: sequence(...eins.map((ein) => tlv(0x13, ascii(ein)))),
  }),
  eku: (...purposes: string[]): ExtensionSpec => ({
    oid: '2.5.29.37',
    value: sequence(...purposes.map(oid)),
  }),
} as const;

export type ExtensionName = keyof typeof ext | 'unknown';

export const ECDSA_SHA256 = sequence(oid('1.2.840.10045.4.3.2'));
export const ECDSA_SHA384 = sequence(oid('1.2.840.10045.4.3.3'));

export interface CertificateSpec {
  version: Bytes | undefined;
  serial: Bytes;
  innerAlgorithm: Bytes;
  outerAlgorithm: Bytes;
  issuer: Bytes;
  subject: Bytes;
  notBefore: Bytes;
  notAfter: Bytes;
  spki: Bytes;
  extensions: Map<ExtensionName, ExtensionSpec>;
  /** Signs the TBSCertificate: ECDSA-Sig-Value in DER. */
  sign: (tbs: Bytes) => Bytes;
  trailing: Bytes;
}

/** ECDSA-Sig-Value of raw r‖s, written apart from the server's encoder. */
export function derSignature(raw: Bytes): Bytes {
  const half = (value: Bytes): Bytes => {
    const hex = Buffer.from(value)
      .toString('hex')
      .replace(/^(00)+(?=..)/, '');
    return tlv(0x02, Buffer.from(Number.parseInt(hex.slice(0, 2), 16) > 127 ? `00${hex}` : hex, 'hex'));
  };
  return sequence(half(raw.subarray(0, 32)), half(raw.subarray(32)));
}

export function certificate(spec: CertificateSpec): Bytes {
  const tbs = sequence(
    spec.version,
    spec.serial,
    spec.innerAlgorithm,
    spec.issuer,
    sequence(spec.notBefore, spec.notAfter),
    spec.subject,
    spec.spki,
    tlv(0xa3, sequence(...[...spec.extensions.values()].map(extension))),
  );
  return sequence(tbs, spec.outerAlgorithm, bitString(spec.sign(tbs)), spec.trailing);
}

export interface CrlSpec {
  version: Bytes | undefined;
  algorithm: Bytes;
  issuer: Bytes;
  thisUpdate: Bytes;
  nextUpdate: Bytes | undefined;
  /** Serial number INTEGER elements with a reason, or without one. */
  entries: { serial: Bytes; reason?: number; extensions?: ExtensionSpec[] }[];
  number: Bytes | undefined;
  authority: Bytes | undefined;
  /** Content of the IssuingDistributionPoint sequence. */
  scope: Bytes | undefined;
  extensions: ExtensionSpec[];
  sign: (tbs: Bytes) => Bytes;
}

export const SCOPE = {
  userCerts: tlv(0x81, Buffer.of(0xff)),
  caCerts: tlv(0x82, Buffer.of(0xff)),
  someReasons: tlv(0x83, Buffer.of(1, 0x40)),
  indirect: tlv(0x84, Buffer.of(0xff)),
  attributes: tlv(0x85, Buffer.of(0xff)),
  at: (uri: string): Bytes => tlv(0xa0, tlv(0xa0, tlv(0x86, ascii(uri)))),
};

export function crl(spec: CrlSpec): Bytes {
  const entries = spec.entries.map(({ serial, reason, extensions = [] }) => {
    const all = [...extensions];
    if (reason !== undefined) all.push({ oid: '2.5.29.21', value: tlv(0x0a, Buffer.of(reason)) });
    return sequence(serial, spec.thisUpdate, all.length > 0 ? sequence(...all.map(extension)) : undefined);
  });
  const extensions: ExtensionSpec[] = [...spec.extensions];
  if (spec.authority !== undefined) extensions.push(ext.aki(spec.authority));
  if (spec.number !== undefined) extensions.push({ oid: '2.5.29.20', value: spec.number });
  if (spec.scope !== undefined)
    extensions.push({ oid: '2.5.29.28', critical: true, value: sequence(spec.scope) });
  const tbs = sequence(
    spec.version,
    spec.algorithm,
    spec.issuer,
    spec.thisUpdate,
    spec.nextUpdate,
    entries.length > 0 ? sequence(Buffer.concat(entries)) : undefined,
    tlv(0xa0, sequence(...extensions.map(extension))),
  );
  return sequence(tbs, spec.algorithm, bitString(spec.sign(tbs)));
}
