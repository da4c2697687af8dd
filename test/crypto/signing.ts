import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import fc from 'fast-check';
import type { Bytes } from '../../shared/codec/bytes.ts';
import type { Curve } from '../../shared/crypto/curves.ts';
import { sha256 } from './signature-cases.ts';

/** Of a curve that OpenSSL knows. */
export const opensslFacts = (curve: Curve) => ({ ...curve, openSslName: curve.openSslName! });

export interface SigningKey {
  readonly publicKey: KeyObject;
  /** Uncompressed. */
  readonly point: Bytes;
  /** ECDSA-Sig-Value. */
  sign(message: Bytes): Buffer;
  /** r ‖ s. */
  signRaw(message: Bytes): Buffer;
}

export function keyPair(curve: Curve): SigningKey {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: curve.openSslName! });
  return {
    publicKey,
    point: publicKey.export({ format: 'der', type: 'spki' }).subarray(-curve.pointLength),
    sign: (message) => sign('sha256', message, privateKey),
    signRaw: (message) => sign('sha256', message, { key: privateKey, dsaEncoding: 'ieee-p1363' }),
  };
}

/** A signature of the first key, and what was done to it, its message or its key. */
export function damaged(keys: readonly [SigningKey, SigningKey]) {
  const damage = fc.oneof(
    fc.constant({ kind: 'none' } as const),
    fc.record({ kind: fc.constant('bit' as const), at: fc.nat(), bit: fc.nat(7) }),
    fc.record({ kind: fc.constant('octet' as const), at: fc.nat(), to: fc.nat(255) }),
    fc.record({ kind: fc.constant('more' as const), octets: fc.uint8Array({ minLength: 1, maxLength: 4 }) }),
    fc.record({ kind: fc.constant('less' as const), octets: fc.integer({ min: 1, max: 80 }) }),
    fc.record({ kind: fc.constant('any' as const), octets: fc.uint8Array({ maxLength: 80 }) }),
    fc.constant({ kind: 'message' } as const),
    fc.constant({ kind: 'key' } as const),
  );
  return fc.record({ octets: fc.uint8Array({ maxLength: 300 }), damage }).map(({ octets, damage }) => {
    const signed = keys[0].sign(octets);
    const sigValue = changed(signed, damage);
    const message = damage.kind === 'message' ? Buffer.concat([octets, Buffer.of(0)]) : octets;
    return {
      key: keys[damage.kind === 'key' ? 1 : 0],
      message,
      digest: sha256(message),
      sigValue,
    };
  });
}

type Damage =
  | { readonly kind: 'none' | 'message' | 'key' }
  | { readonly kind: 'bit'; readonly at: number; readonly bit: number }
  | { readonly kind: 'octet'; readonly at: number; readonly to: number }
  | { readonly kind: 'more' | 'any'; readonly octets: Bytes }
  | { readonly kind: 'less'; readonly octets: number };

function changed(signed: Buffer, damage: Damage): Bytes {
  const copy = Buffer.from(signed);
  switch (damage.kind) {
    case 'bit':
      copy[damage.at % copy.length]! ^= 1 << damage.bit;
      return copy;
    case 'octet':
      copy[damage.at % copy.length] = damage.to;
      return copy;
    case 'more':
      return Buffer.concat([signed, damage.octets]);
    case 'less':
      return signed.subarray(0, Math.max(0, signed.length - damage.octets));
    case 'any':
      return damage.octets;
    default:
      return signed;
  }
}

/** The functions again, with a count of what they have made and of what of that was not given back. */
export function counted<F extends object>(functions: F, pairs: Partial<Record<keyof F, keyof F>>) {
  const tally = { made: 0, open: 0 };
  const counting = { ...functions };
  const wrap = (name: keyof F, before: () => void) => {
    const original = functions[name] as (...args: unknown[]) => unknown;
    const wrapped = (...args: unknown[]) => {
      before();
      return original(...args);
    };
    counting[name] = wrapped as F[keyof F];
  };
  for (const [make, free] of Object.entries(pairs) as [keyof F, keyof F][]) {
    wrap(make, () => {
      tally.made += 1;
      tally.open += 1;
    });
    wrap(free, () => {
      tally.open -= 1;
    });
  }
  return { functions: counting, tally };
}
