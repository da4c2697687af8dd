import { createHash } from 'node:crypto';
import { ecdsa, weierstrass } from '@noble/curves/abstract/weierstrass.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { type Bytes, fromHex } from '../codec/bytes.ts';
import { refuse } from '../errors.ts';
import {
  type Curve,
  type CurveDomain,
  curveForms,
  type EphemeralKey,
  isSecretScalar,
  isUncompressed,
  xCoordinate,
} from './curve-type.ts';
import { decodeEcdsaSignature } from './ecdsa-signature.ts';

/**
 * FRP256V1 (ANSSI, JORF 16 October 2011; OID 1.2.250.1.223.101.256.1), which OpenSSL lacks: served by the generic
 * Weierstrass arithmetic of @noble/curves. Cofactor 1, a = p − 3. It is not constant-time in the way OpenSSL's
 * P-256 is, and some thirty times slower; see docs/keys.md before using it outside tests.
 */
const p = 0xf1fd178c0b3ad58f10126de8ce42435b3961adbcabc8ca6de8fcf353d86e9c03n;
const order = 'f1fd178c0b3ad58f10126de8ce42435b53dc67e140d2bf941ffdd459c6d655e1';
const domain: CurveDomain = {
  p,
  a: p - 3n,
  b: 0xee353fca5428a9300d4aba754a44c00fdfec0c9ae4b1a1803075ed967b7bb73fn,
  gx: 0xb6b3d4c356c139eb31183d4749d423958c27d2dcaf98b70164c97a2dd98f5cffn,
  gy: 0x6142e0f7c8b204911f9271f0f3ecef8c2701c307e8e4c9e183115a1554062cfbn,
  cofactor: 1n,
};

const Point = weierstrass({
  p,
  n: BigInt(`0x${order}`),
  h: domain.cofactor,
  a: domain.a,
  b: domain.b,
  Gx: domain.gx,
  Gy: domain.gy,
});

const curve = ecdsa(Point, sha256, { lowS: false });

function ephemeral(secret: Uint8Array): EphemeralKey {
  let scalar: Uint8Array | undefined = secret;
  return {
    point: curve.getPublicKey(secret, false),
    agree(peer) {
      if (scalar === undefined) throw new RangeError('the ephemeral key was wiped');
      const point = curve.getSharedSecret(scalar, peer.point, false);
      return xCoordinate({ curve: FRP256V1, point });
    },
    wipe() {
      scalar?.fill(0);
      scalar = undefined;
    },
  };
}

export const FRP256V1: Curve = {
  ...curveForms({
    name: 'frp256v1',
    oid: '1.2.250.1.223.101.256.1',
    coordinateLength: 32,
    order: fromHex(order),
    domain,
  }),

  publicKey(point) {
    if (!isUncompressed(FRP256V1, point))
      refuse('oneTimeKeyInvalid', `a public key is an uncompressed point of ${FRP256V1.pointLength} octets`);
    try {
      Point.fromBytes(point).assertValidity();
    } catch (cause) {
      refuse('oneTimeKeyInvalid', 'the point is not on frp256v1', { cause });
    }
    return { curve: FRP256V1, point };
  },

  decompress(point) {
    try {
      return Point.fromBytes(point).toBytes(false);
    } catch {
      return undefined;
    }
  },

  generateEphemeral: () => ephemeral(curve.utils.randomSecretKey()),

  ephemeralFrom(secret) {
    if (!isSecretScalar(FRP256V1, secret))
      throw new RangeError('the ephemeral secret is not a valid scalar of the curve');
    return ephemeral(Uint8Array.from(secret));
  },

  signatureHolds(key, message, signature) {
    const verifier = FRP256V1.verifier();
    verifier.update(message);
    return verifier.signatureHolds(key, signature);
  },

  sigValueHolds: (key, message, sigValue) =>
    FRP256V1.signatureHolds(key, message, decodeEcdsaSignature(FRP256V1, sigValue)),

  verifier() {
    const hash = createHash('sha256');
    return {
      update: (piece) => void hash.update(piece),
      signatureHolds(key, signature) {
        if (signature.length !== FRP256V1.signatureLength) return false;
        try {
          return curve.verify(signature, hash.digest(), key.point, { lowS: false, prehash: false });
        } catch {
          // r or s out of range: noble throws where OpenSSL answers false
          return false;
        }
      },
    };
  },
};

/** Raw r‖s over SHA-256 of the message, for key backends that hold an FRP256V1 scalar. */
export function signFrp256v1(secret: Bytes, message: Bytes): Bytes {
  return curve.sign(message, secret, { lowS: false });
}

export function generateFrp256v1Secret(): Bytes {
  return curve.utils.randomSecretKey();
}
