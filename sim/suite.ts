import { createHash, randomBytes } from 'node:crypto';
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js';
import { type Bytes, concat } from '../shared/codec/bytes.ts';
import { agree, CURVES, type CurveName, type EcKey, generateKey } from './curve.ts';
import { SimError } from './tlv.ts';

/** The suites of one-time keys, by what an EUM says for `curve` in FF60. */
export type SuiteName = CurveName | 'p256-mlkem768';

interface SuiteFacts {
  readonly oid: string;
  /** Of certificates and signatures, and of the point in a one-time key. */
  readonly curve: CurveName;
  /** Tag 80 of the control reference template. */
  readonly keyType: number;
  /** Tag of the ciphertext in InitialiseSecureChannel: only a suite with ML-KEM-768 has one. */
  readonly ciphertextTag?: number;
}

const onCurve = (curve: CurveName): SuiteFacts => ({ oid: CURVES[curve].oid, curve, keyType: 0x88 });

export const SUITES: Readonly<Record<SuiteName, SuiteFacts>> = {
  p256: onCurve('p256'),
  brainpoolP256r1: onCurve('brainpoolP256r1'),
  frp256v1: onCurve('frp256v1'),
  'p256-mlkem768': { oid: '2.999.41.2.1', curve: 'p256', keyType: 0x78, ciphertextTag: 0xdf49 },
};

/** Octets of an ML-KEM-768 ciphertext (FIPS 203, table 3). */
export const CIPHERTEXT_LENGTH = 1088;

/** The pair of a one-time key inside the eUICC. */
export interface OneTimeKeyPair {
  readonly suite: SuiteName;
  readonly key: EcKey;
  /** d ‖ z of ML-KEM.KeyGen, 64 octets, where the suite has ML-KEM. */
  readonly kemSeed?: Bytes;
}

export function generateOneTimeKey(suite: SuiteName): OneTimeKeyPair {
  const { curve, ciphertextTag } = SUITES[suite];
  const key = generateKey(curve);
  return ciphertextTag === undefined ? { suite, key } : { suite, key, kemSeed: randomBytes(64) };
}

/** As FF60 and FF64 carry it: the point of 65 octets, and the encapsulation key of 1,184 behind it. */
export function publicOctets({ key, kemSeed }: OneTimeKeyPair): Bytes {
  return kemSeed === undefined ? key.point : concat(key.point, ml_kem768.keygen(kemSeed).publicKey);
}

/** What the key derivation starts from, and what it has at the end of SharedInfo. */
export interface Agreement {
  readonly z: Bytes;
  readonly sharedInfo: Bytes;
}

/** The eUICC's side: of a point of the server's, and of its ciphertext where the suite has one. */
export function agreeWith(pair: OneTimeKeyPair, smdpOtpk: Bytes, ciphertext: Bytes | undefined): Agreement {
  if (pair.kemSeed === undefined) return { z: agree(pair.key, smdpOtpk), sharedInfo: new Uint8Array() };
  if (ciphertext?.length !== CIPHERTEXT_LENGTH)
    throw new SimError('an ML-KEM-768 ciphertext has 1088 octets');
  const { z, transcript } = hybridSecret(pair.key, pair.kemSeed, smdpOtpk, ciphertext);
  const label = Buffer.from(pair.suite, 'utf8');
  return { z, sharedInfo: concat(Uint8Array.of(label.length), label, transcript) };
}

/** The secrets of curve and ML-KEM one behind the other, and SHA-256 over what both sides have seen. */
export function hybridSecret(key: EcKey, kemSeed: Bytes, point: Bytes, ciphertext: Bytes) {
  const { publicKey, secretKey } = ml_kem768.keygen(kemSeed);
  // a ciphertext that was not made for this key gives another secret, and no error (FIPS 203 section 6.3)
  const z = concat(agree(key, point), ml_kem768.decapsulate(ciphertext, secretKey));
  const transcript = createHash('sha256')
    .update(point)
    .update(key.point)
    .update(ciphertext)
    .update(publicKey)
    .digest();
  return { z, transcript };
}
