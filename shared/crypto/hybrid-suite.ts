import { concat, toHex, utf8 } from '../codec/bytes.ts';
import { refuse } from '../errors.ts';
import { type Curve, equalX, xCoordinate } from './curve-type.ts';
import { agreeHybrid, hybridKeyLength, readHybridKey } from './hybrid-agreement.ts';
import { ML_KEM_768 } from './ml-kem.ts';
import type { Suite } from './suite-type.ts';

/** What names this suite, and nothing else of its curve. */
export interface HybridName {
  readonly name: string;
  /** Dotted: field `curve` of FF60. */
  readonly oid: string;
  /** Tag 80 of the control reference template. */
  readonly keyType: number;
  /** Of the ciphertext in InitialiseSecureChannel. */
  readonly ciphertextTag: number;
}

/**
 * ECKA and ML-KEM-768 together, our own proposal (docs/pre-sgp42.md, "Hybrid suite"): whoever wants the session keys has
 * to break both. Certificates and signatures stay on the curve.
 *
 * - one-time key: an uncompressed point ‖ an ML-KEM-768 encapsulation key of 1,184 octets;
 * - Z: the x coordinate that ECKA gives ‖ the 32 octets of ML-KEM, always both;
 * - SharedInfo ends with LV(name of the suite) ‖ SHA-256(otPK.DP ‖ point ‖ ciphertext ‖ encapsulation key), so that
 *   whatever went over the channel is in the keys.
 */
export function hybridSuite(curve: Curve, { name, oid, keyType, ciphertextTag }: HybridName): Suite {
  const label = utf8(name);
  const suite: Suite = {
    name,
    oid,
    curve,
    draft: true,
    quantumSafe: true,
    oneTimeKeyLength: hybridKeyLength(curve),
    recordedLength: curve.pointLength,
    channel: {
      keyType,
      keyTypeName: `AES, ${name}`,
      keyLength: 16,
      smdpOtpkLength: curve.pointLength,
      ciphertext: { tag: ciphertextTag, length: ML_KEM_768.ciphertextLength },
    },
    sharedSecretLength: curve.coordinateLength + ML_KEM_768.sharedSecretLength,

    // a point serves once, whatever encapsulation key stands beside it and in whichever suite
    identityOf: (recorded) => toHex(xCoordinate(curve.publicKey(recorded))),

    oneTimeKey(octets) {
      if (octets.length !== suite.oneTimeKeyLength)
        refuse(
          'oneTimeKeyInvalid',
          `a one-time key of ${name} has ${suite.oneTimeKeyLength} octets, not ${octets.length}`,
        );
      const key = readHybridKey(curve, octets);
      return {
        suite,
        octets,
        identity: () => toHex(xCoordinate(key.point)),
        isKeyOf: (certificateKey) => equalX(key.point, certificateKey),
        encapsulate(randomness) {
          if (randomness !== undefined)
            throw new RangeError(`nobody can give the randomness of ${name}: ML-KEM draws its own`);
          const { ephemeralPoint: smdpOtpk, ciphertext, sharedSecret, transcript } = agreeHybrid(key);
          const sharedInfo = concat(Uint8Array.of(label.length), label, transcript);
          return { smdpOtpk, ciphertext, sharedSecret, sharedInfo };
        },
      };
    },
  };
  return suite;
}
