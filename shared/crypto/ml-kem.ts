import crypto, { type KeyObject } from 'node:crypto';
import { type Bytes, fromHex } from '../codec/bytes.ts';
import { Fault, refuse } from '../errors.ts';
import { spkiPem } from './openssl-curve.ts';

/**
 * ML-KEM-768 (FIPS 203) of OpenSSL 3.5, which Node has from 24.7 on. Only what a server needs: it reads encapsulation
 * keys of others and encapsulates; it never has a decapsulation key.
 */
export const ML_KEM_768 = {
  /** Octets of an encapsulation key: ByteEncode12 of t̂, 1,152, and the seed ρ, 32. */
  encapsulationKeyLength: 1184,
  ciphertextLength: 1088,
  sharedSecretLength: 32,
} as const;

/** SubjectPublicKeyInfo of id-alg-ml-kem-768 (2.16.840.1.101.3.4.4.2, RFC 9935) before the key. */
const SPKI_PREFIX = fromHex('308204b2300b0609608648016503040402038204a100');

export interface MlKemEncapsulation {
  readonly ciphertext: Bytes;
  /** The caller wipes it. */
  readonly sharedSecret: Bytes;
}

/**
 * Reads an encapsulation key, with the two checks of FIPS 203 section 7.2: its length, and that each of its 768
 * coefficients is less than q = 3329. Refused as `oneTimeKeyInvalid`.
 */
export function mlKemEncapsulationKey(octets: Bytes): KeyObject {
  requireMlKem();
  if (octets.length !== ML_KEM_768.encapsulationKeyLength)
    refuse(
      'oneTimeKeyInvalid',
      `an ML-KEM-768 encapsulation key has ${ML_KEM_768.encapsulationKeyLength} octets, not ${octets.length}`,
    );
  try {
    // OpenSSL 3.5 makes the modulus check as it reads the key
    return crypto.createPublicKey(spkiPem(Buffer.concat([SPKI_PREFIX, octets])));
  } catch (cause) {
    return refuse('oneTimeKeyInvalid', 'the ML-KEM-768 encapsulation key has a coefficient of q or more', {
      cause,
    });
  }
}

/** ML-KEM.Encaps (FIPS 203 section 7.2) with randomness that nobody can give. */
export function mlKemEncapsulate(key: KeyObject): MlKemEncapsulation {
  const { sharedKey, ciphertext } = crypto.encapsulate(key);
  return { ciphertext, sharedSecret: sharedKey };
}

/** Node before 24.7, or one that is built with an older OpenSSL, has no ML-KEM. */
function requireMlKem(): void {
  if (typeof crypto.encapsulate !== 'function')
    throw new Fault('configuration', `ML-KEM needs Node 24.7 or later; this is ${process.version}`);
}
