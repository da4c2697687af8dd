import { createHash } from 'node:crypto';
import { p256 } from '@noble/curves/nist.js';
import { type Bytes, concat, fromHex, toHex } from '../../shared/codec/bytes.ts';
import { tlv } from '../../shared/codec/tlv.ts';

/**
 * Signatures on P-256 at the edges of SEC 1 section 4.1.4, computed from the standard alone, each with whether it holds.
 *
 * Any R, s and e make a signature of the key Q = r⁻¹(s·R − e·G), r being the x coordinate of R (SEC 1 section 4.1.6). So u1 = e/s, u2 = r/s and
 * r may be chosen, whatever the message is.
 */
export interface SignatureCase {
  readonly name: string;
  readonly holds: boolean;
  /** Uncompressed. */
  readonly point: Bytes;
  /** Undefined where the digest was chosen, of which nobody knows a message. */
  readonly message?: Bytes;
  readonly digest: Bytes;
  readonly sigValue: Bytes;
}

type Point = InstanceType<typeof p256.Point>;
const { Point } = p256;
const G = Point.BASE;
export const { n: N, p: P, a: A, b: B } = Point.CURVE();

const mod = (value: bigint, by = N) => ((value % by) + by) % by;

/** By Fermat's little theorem, apart from the extended Euclid of OpenSSL. */
function power(base: bigint, exponent: bigint, by: bigint): bigint {
  let result = 1n;
  for (let square = mod(base, by), rest = exponent; rest > 0n; rest >>= 1n, square = (square * square) % by)
    if (rest & 1n) result = (result * square) % by;
  return result;
}
const inverse = (value: bigint) => power(value, N - 2n, N);
const times = (point: Point, factor: bigint) =>
  mod(factor) === 0n ? Point.ZERO : point.multiply(mod(factor));

export const octets32 = (value: bigint) => fromHex(value.toString(16).padStart(64, '0'));
export const sha256 = (message: Bytes) => createHash('sha256').update(message).digest();
const number = (octets: Bytes) => BigInt(`0x${toHex(octets)}`);
const pointOctets = (point: Point) => point.toBytes(false);

/** INTEGER in DER of any number, negative ones included. */
export function integer(value: bigint): Bytes {
  let length = 1;
  while (value >= 1n << BigInt(8 * length - 1) || value < -(1n << BigInt(8 * length - 1))) length++;
  const digits = BigInt.asUintN(8 * length, value).toString(16);
  return tlv(0x02, fromHex(digits.padStart(2 * length, '0')));
}
export const sigValueOf = (r: bigint, s: bigint) => tlv(0x30, integer(r), integer(s));

export const MESSAGE = Buffer.from('a certificate, or what a proof is over');
export const DIGEST = sha256(MESSAGE);
const E = number(DIGEST);
const D = number(sha256(Buffer.from('a secret key'))) % N;
const K = number(sha256(Buffer.from('a nonce'))) % N;
export const Q = times(G, D);
const R = times(G, K);
export const [r, s] = [mod(R.x), mod(inverse(K) * (E + mod(R.x) * D))];

/** A point of this x, or undefined; p is 3 modulo 4. */
function pointOfX(x: bigint): Point | undefined {
  const square = mod(x * x * x + A * x + B, P);
  const y = power(square, (P + 1n) / 4n, P);
  return mod(y * y, P) === square ? Point.fromAffine({ x, y }) : undefined;
}

/** The key under which r of this R, and s, sign e. */
const recovered = (R: Point, s: bigint, e = E) => times(times(R, s).subtract(times(G, e)), inverse(mod(R.x)));

const about = (
  name: string,
  holds: boolean,
  of: Partial<{ key: Point; r: bigint; s: bigint; sigValue: Bytes; digest: Bytes; message: Bytes }>,
): SignatureCase => ({
  name,
  holds,
  point: pointOctets(of.key ?? Q),
  ...(of.digest === undefined && { message: of.message ?? MESSAGE }),
  digest: of.digest ?? sha256(of.message ?? MESSAGE),
  sigValue: of.sigValue ?? sigValueOf(of.r ?? r, of.s ?? s),
});

/** Factors at which a table's windows, or additions, may go wrong. */
const FACTORS: readonly bigint[] = [
  ...[1n, 2n, 3n, 4n, 5n, 7n, 8n, 15n, 16n, 31n, 32n, 63n, 64n, 65n, 127n, 128n, 129n, 255n, 256n],
  ...[7n, 14n, 32n, 64n, 96n, 126n, 128n, 192n, 224n, 252n, 255n].flatMap((bits) => [
    (1n << bits) - 1n,
    1n << bits,
    (1n << bits) + 1n,
  ]),
  ...[
    (N - 1n) / 2n,
    (N + 1n) / 2n,
    mod(1n << 256n),
    BigInt(`0x${'55'.repeat(32)}`),
    BigInt(`0x${'aa'.repeat(32)}`) % N,
  ],
];
const EDGES = [...FACTORS, ...FACTORS.map((factor) => N - factor)];
const hex = (value: bigint) => value.toString(16);

const ofFactors = () =>
  EDGES.flatMap((factor) => {
    const [s1, s2] = [mod(E * inverse(factor)), mod(r * inverse(factor))];
    return [
      about(`u1 = ${hex(factor)}`, true, { key: recovered(R, s1), s: s1 }),
      about(`u2 = ${hex(factor)}`, true, { key: recovered(R, s2), s: s2 }),
      about(`s = ${hex(factor)}`, true, { key: recovered(R, factor), s: factor }),
      // where it is short, s + n has 32 octets and the same inverse
      about(`s = ${hex(factor)} + n`, false, { key: recovered(R, factor), s: factor + N }),
    ];
  });

/** Signatures by a digest that was made for them: a, b with R = a·G + b·Q, r = x of R, s = r/b, e = a·s. */
function byDigest(key: Point, a: bigint, b: bigint) {
  const sum = times(G, a).add(times(key, b));
  const r = mod(sum.x);
  const s = mod(r * inverse(b));
  return { key, r, s, digest: octets32(mod(a * s)) };
}

function ofKeys(): SignatureCase[] {
  const withoutX = pointOfX(0n)!;
  const smallX = pointOfX(5n)!;
  const known = [1n, 2n, 3n, N - 1n, N - 2n, (N + 1n) / 2n].map((d) => [`${hex(d)}·G`, times(G, d)] as const);
  const keys = [
    ...known,
    ['of x = 0', withoutX],
    ['of x = 0, the other', withoutX.negate()],
    ['of x = 5', smallX],
  ] as const;
  return keys.flatMap(([name, key]) => [
    about(`key ${name}`, true, byDigest(key, 3n ** 100n % N, 7n ** 80n % N)),
    about(`key ${name}, the other point of that x`, key.equals(key.negate()), {
      ...byDigest(key, 3n ** 100n % N, 7n ** 80n % N),
      key: key.negate(),
    }),
  ]);
}

function ofSums(): SignatureCase[] {
  const [d, k] = [D, K];
  const doubled = mod(r * d);
  const halves = { digest: octets32(doubled) };
  const sDoubled = mod(inverse(k) * 2n * doubled);
  return [
    about('u1·G = u2·Q, which is a doubling', true, { ...halves, s: sDoubled }),
    about('u1·G = −u2·Q: the point at infinity', false, { digest: octets32(mod(-r * d)) }),
    about('the point at infinity, s = r', false, { digest: octets32(mod(-r * d)), s: r }),
    about('e = 0', true, { digest: octets32(0n), s: mod(inverse(k) * r * d) }),
    about('e = n', true, { digest: octets32(N), s: mod(inverse(k) * r * d) }),
    about('e = n + 1', true, { digest: octets32(N + 1n), s: mod(inverse(k) * (1n + r * d)) }),
    about('e of ones', true, {
      digest: octets32((1n << 256n) - 1n),
      s: mod(inverse(k) * ((1n << 256n) - 1n + r * d)),
    }),
    about('e off by one', false, { digest: octets32(mod(E + 1n)) }),
    about('e off by n', false, { digest: octets32(mod(E + N - 1n)) }),
  ];
}

/** r of an x from n up, which is x − n; and small ones. */
function ofLargeX(): SignatureCase[] {
  const large: Point[] = [];
  for (let x = N; large.length < 3; x++) {
    const found = mod(x) === 0n ? undefined : pointOfX(x);
    if (found !== undefined) large.push(found);
  }
  const last: Point[] = [];
  for (let x = P - 1n; last.length < 1; x--) {
    const found = pointOfX(x);
    if (found !== undefined) last.push(found);
  }
  const small: Point[] = [];
  for (let x = 1n; small.length < 5; x++) {
    const found = pointOfX(x);
    if (found !== undefined) small.push(found);
  }
  const isN = pointOfX(N);
  return [
    ...[...large, ...last].flatMap((R) => [
      about(`x = ${hex(R.x)}, r = x − n`, true, { key: recovered(R, s), r: mod(R.x) }),
      about(`x = ${hex(R.x)}, r = x, which is not less than n`, false, { key: recovered(R, s), r: R.x }),
    ]),
    ...small.flatMap((R) => [
      about(`x = r = ${hex(R.x)}`, true, { key: recovered(R, s), r: R.x }),
      about(`x = ${hex(R.x)}, r = x + n`, false, { key: recovered(R, s), r: R.x + N }),
    ]),
    // r would be 0
    ...(isN === undefined ? [] : [about('x = n, r = 0', false, { key: times(isN, s), r: 0n })]),
  ];
}

function ofNumbers(): SignatureCase[] {
  const rs: [string, bigint][] = [];
  const values: [string, bigint][] = [
    ...(
      [
        0n,
        1n,
        2n,
        -1n,
        N - 1n,
        N,
        N + 1n,
        P - 1n,
        P,
        P + 1n,
        1n << 255n,
        (1n << 256n) - 1n,
        1n << 256n,
      ] as const
    ).map((value): [string, bigint] => [hex(value), value]),
  ];
  const shifted = (value: bigint): [string, bigint][] => [
    ['itself + n', value + N],
    ['itself + 2n', value + 2n * N],
    ['itself − n', value - N],
    ['its negative', -value],
    ['itself + 2^256', value + (1n << 256n)],
    ['itself + 2^320', value + (1n << 320n)],
    ['itself, one more', value + 1n],
    ['itself, one less', value - 1n],
  ];
  rs.push(...values);
  return [
    ...[...values, ...shifted(r), ['n − r', N - r] as const].map(([name, value]) =>
      about(`r is ${name}`, false, { r: value }),
    ),
    ...[...values, ...shifted(s)].map(([name, value]) => about(`s is ${name}`, false, { s: value })),
    ...rs.flatMap(([first, r]) =>
      values.map(([second, s]) => about(`r = ${first}, s = ${second}`, false, { r, s })),
    ),
    about('r and s exchanged', false, { r: s, s: r }),
    about('n − s, which holds as s does', true, { s: N - s }),
  ];
}

function ofDer(): SignatureCase[] {
  const [whole, first, second] = [sigValueOf(r, s), integer(r), integer(s)];
  const value = concat(first, second);
  const padded = (element: Bytes) => tlv(0x02, concat(Uint8Array.of(0), element.subarray(2)));
  const long = (tag: number, ...octets: Bytes[]) => {
    const content = concat(...octets);
    return concat(Uint8Array.of(tag, 0x81, content.length), content);
  };
  // the positive number without the octet that says so
  const [highR, highS] = [r >> 255n === 1n, s >> 255n === 1n];
  const bare = (element: Bytes, isHigh: boolean) => tlv(0x02, element.subarray(isHigh ? 3 : 2));
  const forms: readonly [string, Bytes][] = [
    ['nothing', new Uint8Array(0)],
    ['an empty sequence', Uint8Array.of(0x30, 0)],
    ['raw r ‖ s', concat(octets32(r), octets32(s))],
    ['an octet behind', concat(whole, Uint8Array.of(0))],
    ['itself behind', concat(whole, whole)],
    ['an octet behind s, within', tlv(0x30, concat(value, Uint8Array.of(0)))],
    ['NULL behind s, within', tlv(0x30, concat(value, Uint8Array.of(5, 0)))],
    ['a third number', tlv(0x30, concat(value, integer(1n)))],
    ['no s', tlv(0x30, first)],
    ['padded r', tlv(0x30, concat(padded(first), second))],
    ['padded s', tlv(0x30, concat(first, padded(second)))],
    ['r padded by two', tlv(0x30, concat(padded(padded(first)), second))],
    ['s in no octets', tlv(0x30, concat(first, Uint8Array.of(2, 0)))],
    ['a long length of the sequence', long(0x30, value)],
    ['a length of two octets', concat(Uint8Array.of(0x30, 0x82, 0, value.length), value)],
    ['a long length of r', tlv(0x30, concat(long(0x02, first.subarray(2)), second))],
    ['a long length of s', tlv(0x30, concat(first, long(0x02, second.subarray(2))))],
    ['an indefinite length', concat(Uint8Array.of(0x30, 0x80), value, Uint8Array.of(0, 0))],
    ['a set', tlv(0x31, value)],
    ['a context tag', tlv(0xa0, value)],
    ['r as OCTET STRING', tlv(0x30, concat(tlv(0x04, first.subarray(2)), second))],
    ['s as ENUMERATED', tlv(0x30, concat(first, tlv(0x0a, second.subarray(2))))],
    ['r as a constructed INTEGER', tlv(0x30, concat(tlv(0x22, first), second))],
    ['a sequence of the sequence', tlv(0x30, whole)],
    ['a BIT STRING of it', tlv(0x03, concat(Uint8Array.of(0), whole))],
    ['a length one too long', concat(Uint8Array.of(0x30, value.length + 1), value)],
    ['a length one too short', concat(Uint8Array.of(0x30, value.length - 1), value)],
    ...(highR
      ? [['r without its sign', tlv(0x30, concat(bare(first, highR), second))] as [string, Bytes]]
      : []),
    ...(highS
      ? [['s without its sign', tlv(0x30, concat(first, bare(second, highS)))] as [string, Bytes]]
      : []),
    ...Array.from(whole, (_, at): [string, Bytes] => [`the first ${at} octets`, whole.subarray(0, at)]),
    ...Array.from(whole, (_, at): [string, Bytes] => [
      `a zero before octet ${at}`,
      concat(whole.subarray(0, at), Uint8Array.of(0), whole.subarray(at)),
    ]),
    ...Array.from(whole, (_, at): [string, Bytes] => [
      `no octet ${at}`,
      concat(whole.subarray(0, at), whole.subarray(at + 1)),
    ]),
    ...Array.from({ length: 8 * whole.length }, (_, bit): [string, Bytes] => {
      const flipped = Uint8Array.from(whole);
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      return [`bit ${bit} changed`, flipped];
    }),
  ];
  return forms.map(([name, sigValue]) => about(`DER with ${name}`, false, { sigValue }));
}

/** A signature that holds, by which those after it are tried; then the edges. */
export const GOOD = about('a signature', true, {});

export const SIGNATURE_CASES: readonly SignatureCase[] = [
  GOOD,
  about('another message', false, { message: Buffer.from('another message') }),
  about('another key', false, { key: times(G, D + 1n) }),
  about('the negative key', false, { key: Q.negate() }),
  ...ofNumbers(),
  ...ofLargeX(),
  ...ofSums(),
  ...ofKeys(),
  ...ofFactors(),
  ...ofDer(),
];

/** 04 ‖ X ‖ Y and others that are no point of the curve. */
export const NO_POINTS: readonly (readonly [string, Bytes])[] = (() => {
  const whole = pointOctets(Q);
  const { x, y } = Q.toAffine();
  const of = (first: number, x: bigint, y: bigint) => concat(Uint8Array.of(first), octets32(x), octets32(y));
  const zeroX = pointOfX(0n)!.toAffine();
  return [
    ['y off by one', of(4, x, mod(y + 1n, P))],
    ['x off by one', of(4, mod(x + 1n, P), y)],
    ['the coordinates exchanged', of(4, y, x)],
    ['zeros', of(4, 0n, 0n)],
    ['x + p, which is the same modulo p', of(4, zeroX.x + P, zeroX.y)],
    ['x = p', of(4, P, y)],
    ['y = p', of(4, x, P)],
    ['ones', of(4, (1n << 256n) - 1n, (1n << 256n) - 1n)],
    ['the hybrid form', of(6 + Number(y & 1n), x, y)],
    ['the compressed form', concat(Uint8Array.of(2 + Number(y & 1n)), octets32(x))],
    ['no first octet', whole.subarray(1)],
    ['an octet less', whole.subarray(0, 64)],
    ['an octet more', concat(whole, Uint8Array.of(0))],
    ['the point at infinity', Uint8Array.of(0)],
    ['the point at infinity, filled up', new Uint8Array(65)],
    ['nothing', new Uint8Array(0)],
  ];
})();
