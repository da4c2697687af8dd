import { createHash } from 'node:crypto';
import { type Bytes, concat, toHex } from '../../shared/codec/bytes.ts';
import { derToRaw, type EcPoint, verify } from '../../sim/curve.ts';
import { SimError } from '../../sim/tlv.ts';

/** Octets that somebody may have signed in place of the right ones, and what that mistake is. */
export interface Guess {
  readonly what: string;
  readonly octets: Bytes;
}

export interface Signer {
  readonly what: string;
  readonly key: EcPoint;
}

export const sha256 = (...parts: readonly Bytes[]): Bytes => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
};

/** What is told of the octets that should have been signed. */
export const expectedOctets = (octets: Bytes): string =>
  `${toHex(octets)} (SHA-256 ${toHex(sha256(octets))})`;

/**
 * Why a signature does not hold: the first way of making it wrong under which it does. `right` is what should have
 * been signed, by the first of `signers`.
 */
export function diagnose(
  signature: Bytes,
  right: Bytes,
  guesses: readonly Guess[],
  signers: readonly Signer[],
): string {
  const raw = rawOf(signature);
  if (raw === undefined) return `${signature.length} octets that are no signature: ${toHex(signature)}`;
  const [own, ...others] = signers;
  const all: readonly Guess[] = [
    { what: 'the SHA-256 of them, which was hashed again', octets: sha256(right) },
    { what: 'their hexadecimal digits as text', octets: Buffer.from(toHex(right)) },
    { what: 'their base64 as text', octets: Buffer.from(Buffer.from(right).toString('base64')) },
    ...guesses,
  ];
  if (own !== undefined) {
    const guess = all.find(({ octets }) => verify(own.key, octets, raw));
    if (guess !== undefined) return `signed was ${guess.what}: ${toHex(guess.octets)}`;
    if (verify(own.key, right, reversed(raw))) return 'r and s are little-endian';
    if (verify(own.key, right, concat(raw.subarray(32), raw.subarray(0, 32)))) return 's stands before r';
  }
  for (const signer of others)
    for (const { what, octets } of [{ what: 'the right octets', octets: right }, ...all])
      if (verify(signer.key, octets, raw)) return `${signer.what} signed ${what}`;
  return `no key that is known signed them, or anything like them: ${toHex(signature)}`;
}

const reversed = (raw: Bytes): Bytes =>
  concat(Uint8Array.from(raw.subarray(0, 32)).reverse(), Uint8Array.from(raw.subarray(32)).reverse());

/** Raw r ‖ s of a signature in either form; undefined where it is neither. */
export function rawOf(signature: Bytes): Bytes | undefined {
  if (signature.length === 64) return signature;
  try {
    return derToRaw(signature);
  } catch (error) {
    if (error instanceof SimError) return undefined;
    throw error;
  }
}

/** What the form of a signature is where it is not raw r ‖ s. */
export const formOf = (signature: Bytes): string =>
  rawOf(signature) === undefined
    ? `${signature.length} octets: ${toHex(signature)}`
    : `a DER ECDSA-Sig-Value of ${signature.length} octets: ${toHex(signature)}`;
