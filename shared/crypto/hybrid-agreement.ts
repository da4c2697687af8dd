import { createHash, type KeyObject } from 'node:crypto';
import { type Bytes, concat, wipe } from '../codec/bytes.ts';
import type { Curve, PublicKey } from './curve-type.ts';
import { ML_KEM_768, mlKemEncapsulate, mlKemEncapsulationKey } from './ml-kem.ts';

/** A public key of ECKA and ML-KEM-768 together: an uncompressed point ‖ an encapsulation key of 1,184 octets. */
export interface HybridKey {
  readonly point: PublicKey;
  readonly encapsulationKey: Bytes;
  readonly kem: KeyObject;
}

export const hybridKeyLength = ({ pointLength }: Curve): number =>
  pointLength + ML_KEM_768.encapsulationKeyLength;

/** Reads `hybridKeyLength` octets; a part that is no key of its kind is refused as `oneTimeKeyInvalid`. */
export function readHybridKey(curve: Curve, octets: Bytes): HybridKey {
  const encapsulationKey = octets.subarray(curve.pointLength);
  return {
    point: curve.publicKey(octets.subarray(0, curve.pointLength)),
    encapsulationKey,
    kem: mlKemEncapsulationKey(encapsulationKey),
  };
}

export interface HybridAgreement {
  /** Of the ephemeral key, uncompressed. */
  readonly ephemeralPoint: Bytes;
  readonly ciphertext: Bytes;
  /** The x coordinate that ECKA gives ‖ the 32 octets of ML-KEM, always both; the caller wipes it. */
  readonly sharedSecret: Bytes;
  /** SHA-256(ephemeral point ‖ point ‖ ciphertext ‖ encapsulation key): what went over the channel. */
  readonly transcript: Bytes;
}

/** The sender's side of one agreement; the ephemeral key is gone when it returns or throws. */
export function agreeHybrid({ point, encapsulationKey, kem }: HybridKey): HybridAgreement {
  const ephemeral = point.curve.generateEphemeral();
  try {
    const { ciphertext, sharedSecret: fromKem } = mlKemEncapsulate(kem);
    const fromCurve = ephemeral.agree(point);
    const sharedSecret = concat(fromCurve, fromKem);
    wipe(fromCurve, fromKem);
    const hash = createHash('sha256');
    for (const part of [ephemeral.point, point.point, ciphertext, encapsulationKey]) hash.update(part);
    return { ephemeralPoint: ephemeral.point, ciphertext, sharedSecret, transcript: hash.digest() };
  } finally {
    ephemeral.wipe();
  }
}
