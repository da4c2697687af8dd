import { createHash, createPublicKey, type KeyObject, verify } from 'node:crypto';
import { type Bytes, concat } from '../codec/bytes.ts';

/** ML-DSA-65 (FIPS 204) of OpenSSL 3.5, which Node has from 24.6 on; always over the message itself, without a context. */
export const ML_DSA_65 = {
  /** Octets of a public key and of a signature. */
  publicKeyLength: 1952,
  signatureLength: 3309,
} as const;

/** The public key of a SubjectPublicKeyInfo (RFC 9881), DER; undefined where it is of another algorithm. */
export function mlDsa65Key(spki: Bytes): KeyObject | undefined {
  const key = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
  return key.asymmetricKeyType === 'ml-dsa-65' ? key : undefined;
}

export function mlDsa65SignatureHolds(key: KeyObject, message: Bytes, signature: Bytes): boolean {
  return signature.length === ML_DSA_65.signatureLength && verify(null, message, key, signature);
}

/**
 * μ, the 64 octets that ML-DSA signs (FIPS 204 section 6.2): SHAKE256(tr ‖ M'), with tr = SHAKE256(public key) and M' = 00 ‖ 00 ‖
 * message for an empty context. The public key as SubjectPublicKeyInfo.
 */
export function mlDsaMu(spki: Bytes, message: Bytes): Bytes {
  const tr = shake256(spki.subarray(-ML_DSA_65.publicKeyLength));
  return shake256(concat(tr, Uint8Array.of(0, 0), message));
}

const shake256 = (octets: Bytes): Bytes =>
  createHash('shake256', { outputLength: 64 }).update(octets).digest();
