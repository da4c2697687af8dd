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
export const createPublicKey = unavailable('createPublicKey');
export const createSecretKey = unavailable('createSecretKey');
export const diffieHellman = unavailable('diffieHellman');
export const generateKeyPairSync = unavailable('generateKeyPairSync');
export const randomBytes = unavailable('randomBytes');
export const scrypt = unavailable('scrypt');
export const sign = unavailable('sign');
export const createVerify = unavailable('createVerify');
export const createSign = unavailable('createSign');
export const timingSafeEqual = unavailable('timingSafeEqual');
export const verify = unavailable('verify');
export class ECDH {}
export class KeyObject {}
export class X509Certificate {}
export const constants = {};
export default { createHash, KeyObject };
