import {
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  type KeyObject,
  sign as nodeSign,
  verify as nodeVerify,
} from 'node:crypto';
import { ecdsa, weierstrass } from '@noble/curves/abstract/weierstrass.js';
import { brainpoolP256r1 } from '@noble/curves/misc.js';
import { p256 } from '@noble/curves/nist.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { type Bytes, concat } from '../shared/codec/bytes.ts';
import { decodeOid, encodeOid } from './coding.ts';
import { Fields, readOnly, readTlv, SimError, tlv } from './tlv.ts';

export type CurveName = 'p256' | 'brainpoolP256r1' | 'frp256v1';

/** Private scalar of 32 octets and public point 04 || X || Y of 65. */
export interface EcKey {
  readonly curve: CurveName;
  readonly scalar: Bytes;
  readonly point: Bytes;
}

/** A public point of 65 octets on a named curve. */
export interface EcPoint {
  readonly curve: CurveName;
  readonly point: Bytes;
}

interface CurveFacts {
  readonly oid: string;
  /** The OpenSSL name, where OpenSSL knows the curve. */
  readonly openssl?: string;
}

export const CURVES: Readonly<Record<CurveName, CurveFacts>> = {
  p256: { oid: '1.2.840.10045.3.1.7', openssl: 'prime256v1' },
  brainpoolP256r1: { oid: '1.3.36.3.3.2.8.1.1.7', openssl: 'brainpoolP256r1' },
  frp256v1: { oid: '1.2.250.1.223.101.256.1' },
};

// ANSSI, JORF 241 of 16 October 2011: a = p - 3, cofactor 1.
const FRP_P = 0xf1fd178c0b3ad58f10126de8ce42435b3961adbcabc8ca6de8fcf353d86e9c03n;
const FrpPoint = weierstrass({
  p: FRP_P,
  a: FRP_P - 3n,
  b: 0xee353fca5428a9300d4aba754a44c00fdfec0c9ae4b1a1803075ed967b7bb73fn,
  n: 0xf1fd178c0b3ad58f10126de8ce42435b53dc67e140d2bf941ffdd459c6d655e1n,
  h: 1n,
  Gx: 0xb6b3d4c356c139eb31183d4749d423958c27d2dcaf98b70164c97a2dd98f5cffn,
  Gy: 0x6142e0f7c8b204911f9271f0f3ecef8c2701c307e8e4c9e183115a1554062cfbn,
});
const frp = ecdsa(FrpPoint, sha256, { lowS: false });

const POINTS = { p256: p256.Point, brainpoolP256r1: brainpoolP256r1.Point, frp256v1: FrpPoint } as const;

const EC_PUBLIC_KEY = '1.2.840.10045.2.1';

/** The curve of an OID, dotted. */
export function curveOfOid(oid: string): CurveName {
  for (const curve of Object.keys(CURVES) as CurveName[]) {
    if (CURVES[curve].oid === oid) return curve;
  }
  throw new SimError(`curve ${oid} is not known`);
}

export function generateKey(curve: CurveName): EcKey {
  const { openssl } = CURVES[curve];
  if (openssl === undefined) {
    const scalar = frp.utils.randomSecretKey();
    return { curve, scalar, point: frp.getPublicKey(scalar, false) };
  }
  const pair = generateKeyPairSync('ec', { namedCurve: openssl });
  return decodePrivateKey(pair.privateKey.export({ format: 'der', type: 'pkcs8' }));
}

/** The x coordinate of scalar × point, 32 octets; a point off the curve is refused. */
export function agree(key: EcKey, point: Bytes): Bytes {
  if (CURVES[key.curve].openssl === undefined) {
    return frp.getSharedSecret(key.scalar, checkPoint(key.curve, point), false).subarray(1, 33);
  }
  return diffieHellman({ privateKey: privateObject(key), publicKey: publicObject(key.curve, point) });
}

/** ECDSA with SHA-256, raw r || s of 64 octets. */
export function sign(key: EcKey, message: Bytes): Bytes {
  if (CURVES[key.curve].openssl === undefined) return frp.sign(message, key.scalar);
  return nodeSign('sha256', message, { key: privateObject(key), dsaEncoding: 'ieee-p1363' });
}

/** The same with the k of RFC 6979, so that it can be made again: for vectors, on P-256. */
export function signDeterministic({ curve, scalar }: EcKey, message: Bytes): Bytes {
  if (curve !== 'p256') throw new SimError('vectors are on P-256');
  return p256.sign(message, scalar, { lowS: false, prehash: true });
}

/** True where raw r || s is the ECDSA-SHA256 signature of the message. */
export function verify({ curve, point }: EcPoint, message: Bytes, signature: Bytes): boolean {
  if (signature.length !== 64) return false;
  if (CURVES[curve].openssl === undefined) {
    return frp.verify(signature, message, checkPoint(curve, point));
  }
  return nodeVerify(
    'sha256',
    message,
    { key: publicObject(curve, point), dsaEncoding: 'ieee-p1363' },
    signature,
  );
}

/** Returns the point; throws where it is not uncompressed, not of 65 octets or not on the curve. */
export function checkPoint(curve: CurveName, point: Bytes): Bytes {
  if (point.length !== 65 || point[0] !== 4) throw new SimError('not an uncompressed point of 65 octets');
  try {
    if (CURVES[curve].openssl === undefined) FrpPoint.fromBytes(point).assertValidity();
    else publicObject(curve, point);
  } catch (cause) {
    throw new SimError(`point is not on ${curve}`, { cause });
  }
  return point;
}

/** SubjectPublicKeyInfo, DER (RFC 5480). */
export function encodeSpki({ curve, point }: EcPoint): Bytes {
  return tlv(0x30, algorithmIdentifier(curve), tlv(0x03, Uint8Array.of(0), point));
}

/** The uncompressed point of one in either form: requests carry what a key file had. */
function uncompressed(curve: CurveName, point: Bytes): Bytes {
  if (point.length !== 33) return point;
  try {
    return POINTS[curve].fromBytes(point).toBytes(false);
  } catch (cause) {
    throw new SimError(`point is not on ${curve}`, { cause });
  }
}

/** Reads a SubjectPublicKeyInfo of a request, whose point may be compressed; certificates have it uncompressed. */
export function decodeRequestedSpki(der: Bytes): EcPoint {
  return readSpki(der, uncompressed);
}

/** Reads a SubjectPublicKeyInfo of one of the three curves and checks the point. */
export function decodeSpki(der: Bytes): EcPoint {
  return readSpki(der, (_, point) => point);
}

function readSpki(der: Bytes, pointOf: (curve: CurveName, point: Bytes) => Bytes): EcPoint {
  const fields = new Fields(readOnly(der, 0x30).value);
  const algorithm = new Fields(fields.take(0x30).value);
  if (decodeOid(algorithm.take(0x06).value) !== EC_PUBLIC_KEY) throw new SimError('not an EC public key');
  const curve = curveOfOid(decodeOid(algorithm.take(0x06).value));
  algorithm.end();
  const bits = fields.take(0x03).value;
  fields.end();
  if (bits[0] !== 0) throw new SimError('a public key has no unused bits');
  return { curve, point: checkPoint(curve, pointOf(curve, bits.subarray(1))) };
}

/** PKCS#8, PEM. */
export function encodePrivateKeyPem(key: EcKey): string {
  return encodePem('PRIVATE KEY', encodePrivateKey(key));
}

/** Reads a PEM file that holds a PKCS#8 or a SEC1 EC private key, an EC PARAMETERS block before it or not. */
export function decodePrivateKeyPem(pem: string): EcKey {
  const match = /-----BEGIN (EC )?PRIVATE KEY-----([^-]+)-----END/.exec(pem);
  const body = match?.[2];
  if (body === undefined) throw new SimError('no unencrypted EC private key in the PEM text');
  return decodePrivateKey(Buffer.from(body, 'base64'));
}

export function encodePem(label: string, der: Bytes): string {
  const lines = Buffer.from(der)
    .toString('base64')
    .match(/.{1,64}/g);
  return `-----BEGIN ${label}-----\n${lines?.join('\n')}\n-----END ${label}-----\n`;
}

/** ECDSA-Sig-Value in DER of a raw r || s: what certificates carry. */
export function rawToDer(raw: Bytes): Bytes {
  const integer = (value: Bytes): Bytes => {
    let start = 0;
    while (start < value.length - 1 && value[start] === 0) start++;
    const octets = value.subarray(start);
    return tlv(0x02, (octets[0] ?? 0) & 0x80 ? concat(Uint8Array.of(0), octets) : octets);
  };
  return tlv(0x30, integer(raw.subarray(0, 32)), integer(raw.subarray(32)));
}

/** Raw r || s of a DER ECDSA-Sig-Value. */
export function derToRaw(der: Bytes): Bytes {
  const fields = new Fields(readOnly(der, 0x30).value);
  const raw = new Uint8Array(64);
  for (const end of [32, 64]) {
    const { value } = fields.take(0x02);
    if (value.length === 0 || (value[0] ?? 0) & 0x80) throw new SimError('r or s is not positive');
    const octets = value[0] === 0 ? value.subarray(1) : value;
    if (octets.length > 32) throw new SimError('r or s has more than 32 octets');
    raw.set(octets, end - octets.length);
  }
  fields.end();
  return raw;
}

function algorithmIdentifier(curve: CurveName): Bytes {
  return tlv(0x30, tlv(0x06, encodeOid(EC_PUBLIC_KEY)), tlv(0x06, encodeOid(CURVES[curve].oid)));
}

/** PKCS#8 around the ECPrivateKey of RFC 5915. */
function encodePrivateKey({ curve, scalar, point }: EcKey): Bytes {
  const ecPrivateKey = tlv(
    0x30,
    tlv(0x02, Uint8Array.of(1)),
    tlv(0x04, scalar),
    tlv(0xa1, tlv(0x03, Uint8Array.of(0), point)),
  );
  return tlv(0x30, tlv(0x02, Uint8Array.of(0)), algorithmIdentifier(curve), tlv(0x04, ecPrivateKey));
}

function decodePrivateKey(der: Bytes): EcKey {
  const fields = new Fields(readOnly(der, 0x30).value);
  const version = fields.take(0x02).value[0];
  if (version === 0) {
    const algorithm = new Fields(fields.take(0x30).value);
    algorithm.take(0x06);
    const curve = curveOfOid(decodeOid(algorithm.take(0x06).value));
    const inner = new Fields(readOnly(fields.take(0x04).value, 0x30).value);
    inner.take(0x02);
    return keyOf(curve, inner.take(0x04).value);
  }
  const scalar = fields.take(0x04).value;
  const parameters = readTlv(fields.take(0xa0).value);
  return keyOf(curveOfOid(decodeOid(parameters.value)), scalar);
}

/** The key of a scalar of 32 octets. */
export function keyOf(curve: CurveName, scalar: Bytes): EcKey {
  if (scalar.length !== 32) throw new SimError('a private scalar has 32 octets');
  const { openssl } = CURVES[curve];
  if (openssl === undefined) return { curve, scalar, point: frp.getPublicKey(scalar, false) };
  const sec1 = tlv(
    0x30,
    tlv(0x02, Uint8Array.of(1)),
    tlv(0x04, scalar),
    tlv(0xa0, tlv(0x06, encodeOid(CURVES[curve].oid))),
  );
  const privateKey = createPrivateKey({ key: Buffer.from(sec1), format: 'der', type: 'sec1' });
  const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
  return { curve, scalar, point: decodeSpki(spki).point };
}

const privateObjects = new WeakMap<EcKey, KeyObject>();

function privateObject(key: EcKey): KeyObject {
  let object = privateObjects.get(key);
  if (object === undefined) {
    object = createPrivateKey({ key: Buffer.from(encodePrivateKey(key)), format: 'der', type: 'pkcs8' });
    privateObjects.set(key, object);
  }
  return object;
}

function publicObject(curve: CurveName, point: Bytes): KeyObject {
  return createPublicKey({ key: Buffer.from(encodeSpki({ curve, point })), format: 'der', type: 'spki' });
}
