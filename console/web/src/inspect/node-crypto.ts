import { brainpoolP256r1 } from '@noble/curves/misc.js';
import { p256 } from '@noble/curves/nist.js';
import { sha1 } from '@noble/hashes/legacy.js';
import { sha256, sha384, sha512 } from '@noble/hashes/sha2.js';

/**
 * What the describers of artefacts use of `node:crypto`, where they run in a browser: hashes. Keys are not opened there,
 * so the rest says so.
 */
const HASHES: Readonly<Record<string, (octets: Uint8Array) => Uint8Array>> = { sha1, sha256, sha384, sha512 };

export function createHash(name: string) {
  const algorithm = HASHES[name];
  if (algorithm === undefined) throw new Error(`${name} is not counted in a browser`);
  const parts: Uint8Array[] = [];
  const made = {
    update(part: Uint8Array | string) {
      parts.push(Buffer.from(part as string));
      return made;
    },
    digest(encoding?: 'hex' | 'base64' | 'base64url') {
      const octets = Buffer.from(algorithm(Buffer.concat(parts)));
      return encoding === undefined ? octets : octets.toString(encoding);
    },
  };
  return made;
}

export const hash = (name: string, octets: Uint8Array, encoding?: 'hex') =>
  createHash(name).update(octets).digest(encoding);

const unavailable = (name: string) => () => {
  throw new Error(`${name} is not there in a browser`);
};

export const createCipheriv = unavailable('createCipheriv');
export const createDecipheriv = unavailable('createDecipheriv');
export const createECDH = unavailable('createECDH');
export const createPrivateKey = unavailable('createPrivateKey');
export const createSecretKey = unavailable('createSecretKey');
export const diffieHellman = unavailable('diffieHellman');
/** A module asks at its start what forms a public key has. */
export const generateKeyPairSync = () => ({ publicKey: { export: unavailable('export') }, privateKey: {} });
export const getFips = () => 0;
export const randomBytes = unavailable('randomBytes');
export const scrypt = unavailable('scrypt');
export const sign = unavailable('sign');
export const createVerify = unavailable('createVerify');
export const createSign = unavailable('createSign');
export const timingSafeEqual = unavailable('timingSafeEqual');
/** The curves by the names that OpenSSL has for them. */
const CURVES = { prime256v1: p256, brainpoolP256r1 } as const;

export const ECDH = {
  /** A point of a curve, in its uncompressed form; refuses octets that are none. */
  convertKey: (point: Uint8Array, name: keyof typeof CURVES): Uint8Array =>
    Buffer.from(CURVES[name].Point.fromBytes(Uint8Array.from(point)).toBytes(false)),
};

/** OIDs of the curves in DER, as a SubjectPublicKeyInfo names them. */
const OIDS: Readonly<Record<string, keyof typeof CURVES>> = {
  '06082a8648ce3d030107': 'prime256v1',
  '06092b2403030208010107': 'brainpoolP256r1',
};
const POINT = 65;

/** A public key on one of the curves. */
export class KeyObject {
  readonly curve: (typeof CURVES)[keyof typeof CURVES];
  readonly point: Uint8Array;

  constructor(curve: keyof typeof CURVES, point: Uint8Array) {
    this.curve = CURVES[curve];
    this.point = point;
    this.curve.Point.fromBytes(point);
  }
}

/** From a SubjectPublicKeyInfo in PEM; of other keys a browser says nothing. */
export function createPublicKey(pem: unknown): KeyObject {
  const [, base64] = typeof pem === 'string' ? (/KEY-----([\s\S]+)-----END/.exec(pem) ?? []) : [];
  if (base64 === undefined) throw new Error('keys of this form are not read in a browser');
  const spki = Buffer.from(base64, 'base64');
  const [, curve] = Object.entries(OIDS).find(([oid]) => spki.toString('hex').includes(oid)) ?? [];
  if (curve === undefined) throw new Error('this curve is not there in a browser');
  return new KeyObject(curve, Uint8Array.from(spki.subarray(-POINT)));
}

/** ECDSA with SHA-256; the signature in DER. */
export function verify(
  _hash: 'sha256',
  message: Uint8Array,
  { curve, point }: KeyObject,
  signature: Uint8Array,
): boolean {
  try {
    return curve.verify(Uint8Array.from(signature), sha256(Uint8Array.from(message)), point, {
      format: 'der',
      prehash: false,
      lowS: false,
    });
  } catch {
    return false;
  }
}
export class X509Certificate {}
export const constants = {};
export default { createHash, KeyObject };
