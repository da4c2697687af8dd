import { generateKeyPairSync } from 'node:crypto';
import type { CurveName } from '../../shared/crypto/curves.ts';

/**
 * Points that are no public key, and signatures that are none, after the classes of Project Wycheproof (ecdh_*_ecpoint,
 * ecdsa_*_sha256): made here for every curve of ours, since Wycheproof has no FRP256V1. Curve constants are written out
 * once more, apart from the server's.
 */
export interface CurveConstants {
  readonly p: bigint;
  readonly a: bigint;
  readonly b: bigint;
  readonly n: bigint;
  readonly g: readonly [x: bigint, y: bigint];
}

const FRP_P = 0xf1fd178c0b3ad58f10126de8ce42435b3961adbcabc8ca6de8fcf353d86e9c03n;
const P256_P = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn;

export const CURVES: Readonly<Record<CurveName, CurveConstants>> = {
  p256: {
    p: P256_P,
    a: P256_P - 3n,
    b: 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn,
    n: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
    g: [
      0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296n,
      0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5n,
    ],
  },
  brainpoolP256r1: {
    p: 0xa9fb57dba1eea9bc3e660a909d838d726e3bf623d52620282013481d1f6e5377n,
    a: 0x7d5a0975fc2c3057eef67530417affe7fb8055c126dc5c6ce94a4b44f330b5d9n,
    b: 0x26dc5c6ce94a4b44f330b5d9bbd77cbf958416295cf7e1ce6bccdc18ff8c07b6n,
    n: 0xa9fb57dba1eea9bc3e660a909d838d718c397aa3b561a6f7901e0e82974856a7n,
    g: [
      0x8bd2aeb9cb7e57cb2c4b482ffc81b7afb9de27e1e3bd23c23a4453bd9ace3262n,
      0x547ef835c3dac4fd97f8461a14611dc9c27745132ded8e545c1d54c72f046997n,
    ],
  },
  frp256v1: {
    p: FRP_P,
    a: FRP_P - 3n,
    b: 0xee353fca5428a9300d4aba754a44c00fdfec0c9ae4b1a1803075ed967b7bb73fn,
    n: 0xf1fd178c0b3ad58f10126de8ce42435b53dc67e140d2bf941ffdd459c6d655e1n,
    g: [
      0xb6b3d4c356c139eb31183d4749d423958c27d2dcaf98b70164c97a2dd98f5cffn,
      0x6142e0f7c8b204911f9271f0f3ecef8c2701c307e8e4c9e183115a1554062cfbn,
    ],
  },
};

const mod = (value: bigint, p: bigint) => ((value % p) + p) % p;

export function power(base: bigint, exponent: bigint, p: bigint): bigint {
  let result = 1n;
  for (let [square, rest] = [mod(base, p), exponent]; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = (result * square) % p;
    square = (square * square) % p;
  }
  return result;
}

/** All three primes are 3 modulo 4; undefined where there is no root. */
function root(square: bigint, p: bigint): bigint | undefined {
  const candidate = power(square, (p + 1n) / 4n, p);
  return (candidate * candidate) % p === mod(square, p) ? candidate : undefined;
}

const rightSide = ({ p, a, b }: CurveConstants, x: bigint) => mod(x * x * x + a * x + b, p);

export const octets32 = (value: bigint) => Buffer.from(value.toString(16).padStart(64, '0'), 'hex');
const point = (x: bigint, y: bigint) => Buffer.concat([Buffer.of(4), octets32(x), octets32(y)]);

/** x from a small number up, for which `fits` gives a y. */
function findPoint(fits: (x: bigint) => bigint | undefined): readonly [x: bigint, y: bigint] {
  for (let x = 2n; ; x++) {
    const y = fits(x);
    if (y !== undefined) return [x, y];
  }
}

/** By what is wrong with it; none of them is a point of the curve as SEC 1 writes it uncompressed. */
export function invalidPoints(suite: CurveName): Readonly<Record<string, Uint8Array>> {
  const curve = CURVES[suite];
  const { p, a } = curve;
  const [gx, gy] = curve.g;
  const good = point(gx, gy);
  const [smallX, itsY] = findPoint((x) => root(rightSide(curve, x), p));
  // −1 is no square modulo p, so that −y² is the other half of the field: a point of the quadratic twist
  const [twistX, twistY] = findPoint((x) =>
    root(rightSide(curve, x), p) === undefined ? root(p - rightSide(curve, x), p) : undefined,
  );
  // on curves with another b: y = 0 has order 2; order 3 where 3x⁴ + 6ax² + 12b'x − a² = 0
  const [thirdX, thirdY] = findPoint((x) => {
    const otherB = mod((a * a - 3n * x ** 4n - 6n * a * x * x) * power(12n * x, p - 2n, p), p);
    return root(rightSide({ ...curve, b: otherB }, x), p);
  });
  const [wrongBx, wrongBy] = findPoint((x) => root(rightSide({ ...curve, b: curve.b + 1n }, x), p));
  const others = (Object.keys(CURVES) as CurveName[]).filter((name) => name !== suite);
  const secp256k1 = generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey;
  const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey;
  const pointOf = (key: typeof p384, length: number) =>
    key.export({ format: 'der', type: 'spki' }).subarray(-length);
  const parity = Number(gy & 1n);
  const prefixed = (prefix: number) => Buffer.concat([Buffer.of(prefix), good.subarray(1)]);
  return {
    'no octets': Buffer.alloc(0),
    'infinity in one octet': Buffer.of(0),
    'infinity filled up': Buffer.alloc(65),
    'zeros behind 04': Buffer.concat([Buffer.of(4), Buffer.alloc(64)]),
    '04 alone': Buffer.of(4),
    'x alone': good.subarray(0, 33),
    'one octet short': good.subarray(0, 64),
    'one octet long': Buffer.concat([good, Buffer.of(0)]),
    'twice as long': Buffer.concat([good, good.subarray(1)]),
    'without 04': good.subarray(1),
    compressed: Buffer.concat([Buffer.of(2 + parity), good.subarray(1, 33)]),
    'compressed with the other parity': Buffer.concat([Buffer.of(3 - parity), good.subarray(1, 33)]),
    'compressed and filled up': Buffer.concat([
      Buffer.of(2 + parity),
      good.subarray(1, 33),
      Buffer.alloc(32),
    ]),
    hybrid: prefixed(6 + parity),
    'hybrid with the other parity': prefixed(7 - parity),
    'prefix 00': prefixed(0),
    'prefix 01': prefixed(1),
    'prefix 05': prefixed(5),
    'prefix 84': prefixed(0x84),
    'prefix FF': prefixed(0xff),
    'y plus one': point(gx, gy + 1n),
    'x plus one': point(gx + 1n, gy),
    'x and y exchanged': point(gy, gx),
    'y complemented': point(gx, gy ^ ((1n << 256n) - 1n)),
    'y of zero': point(gx, 0n),
    'x of zero, y of one': point(0n, 1n),
    'x of p': point(p, gy),
    'y of p': point(gx, p),
    'x and y of p': point(p, p),
    'x a multiple of p too large': point(smallX + p, itsY),
    'x of 2^256 less one': point((1n << 256n) - 1n, gy),
    'all ones': Buffer.concat([Buffer.of(4), Buffer.alloc(64, 0xff)]),
    'on the quadratic twist': point(twistX, twistY),
    'on a curve with another b': point(wrongBx, wrongBy),
    'of order 2 on a curve with another b': point(gx, 0n),
    'of order 3 on a curve with another b': point(thirdX, thirdY),
    [`the base point of ${others[0]}`]: point(...CURVES[others[0]!].g),
    [`the base point of ${others[1]}`]: point(...CURVES[others[1]!].g),
    'of secp256k1': pointOf(secp256k1, 65),
    'of P-384': pointOf(p384, 97),
    'of P-384, cut': pointOf(p384, 97).subarray(0, 65),
  };
}

/** Points at the edges that are public keys all the same, so that no check refuses too much. */
export function edgePoints(suite: CurveName): Readonly<Record<string, Uint8Array>> {
  const curve = CURVES[suite];
  const [x, y] = findPoint((candidate) => root(rightSide(curve, candidate), curve.p));
  const zero = root(curve.b, curve.p);
  return {
    'the base point': point(...curve.g),
    'its negative': point(curve.g[0], curve.p - curve.g[1]),
    'x of many leading zeros': point(x, y),
    ...(zero === undefined ? {} : { 'x of zero': point(0n, zero) }),
  };
}

/** Raw signatures that do not hold, from one that does; undefined where this signature has no such form. */
export function invalidSignatures(
  suite: CurveName,
  good: Uint8Array,
): Readonly<Record<string, Uint8Array | undefined>> {
  const { n, p } = CURVES[suite];
  const half = (at: number) =>
    BigInt(
      `0x${Buffer.from(good)
        .subarray(at, at + 32)
        .toString('hex')}`,
    );
  const [r, s] = [half(0), half(32)];
  const max = 1n << 256n;
  const raw = (newR: bigint, newS: bigint) =>
    newR < max && newS < max ? Buffer.concat([octets32(newR), octets32(newS)]) : undefined;
  return {
    'r of zero': raw(0n, s),
    's of zero': raw(r, 0n),
    'both zero': raw(0n, 0n),
    'r of one': raw(1n, s),
    's of one': raw(r, 1n),
    'both one': raw(1n, 1n),
    'r of the order': raw(n, s),
    's of the order': raw(r, n),
    'both the order': raw(n, n),
    'r of the order less one': raw(n - 1n, s),
    's of the order less one': raw(r, n - 1n),
    'r of the order and one': raw(n + 1n, s),
    's of the order and one': raw(r, n + 1n),
    'r of the field prime': raw(p, s),
    's of the field prime': raw(r, p),
    'r of zero, s of one': raw(0n, 1n),
    'r of one, s of zero': raw(1n, 0n),
    'r of the order, s of one': raw(n, 1n),
    'r of 2^256 less one': raw(max - 1n, s),
    's of 2^256 less one': raw(r, max - 1n),
    'all ones': raw(max - 1n, max - 1n),
    'r an order too large': raw(r + n, s),
    's an order too large': raw(r, s + n),
    'r negative': raw(n - r, s),
    'r complemented': raw(r ^ (max - 1n), s),
    's complemented': raw(r, s ^ (max - 1n)),
    'highest bit of r changed': raw(r ^ (1n << 255n), s),
    'highest bit of s changed': raw(r, s ^ (1n << 255n)),
    'lowest bit of r changed': raw(r ^ 1n, s),
    'lowest bit of s changed': raw(r, s ^ 1n),
    'r and s exchanged': raw(s, r),
    'the inverse of s': raw(r, power(s, n - 2n, n)),
    'r twice': raw(r, r),
    's twice': raw(s, s),
  };
}
