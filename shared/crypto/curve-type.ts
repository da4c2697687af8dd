import { type Bytes, concat, equal, fromHex, toHex } from '../codec/bytes.ts';
import { encodeOid } from '../codec/oid.ts';
import { tlv } from '../codec/tlv.ts';

/**
 * A named curve and ECDSA with SHA-256 on it: what certificates, proofs and smdpSign are made with. Which agreement a
 * one-time key takes part in is its suite's matter (suite-type.ts).
 */
export type CurveName = 'p256' | 'brainpoolP256r1' | 'frp256v1';

/** What a curve's row states; all else follows from it. */
export interface CurveFacts {
  readonly name: CurveName;
  /** The named curve's object identifier, dotted. */
  readonly oid: string;
  /** Absent where OpenSSL lacks the curve. */
  readonly openSslName?: string;
  /** Octets of a coordinate, and of r and of s. */
  readonly coordinateLength: number;
  /** Of the group, in as many octets. */
  readonly order: Bytes;
  readonly domain: CurveDomain;
}

/** The curve y² = x³ + ax + b over the prime field of p, and the generator of its group (SEC 1 section 3.1.1). */
export interface CurveDomain {
  readonly p: bigint;
  readonly a: bigint;
  readonly b: bigint;
  readonly gx: bigint;
  readonly gy: bigint;
  readonly cofactor: bigint;
  /** What a and b were derived from, where the curve's standard says so. */
  readonly seed?: Bytes;
}

/** A row of `CURVES`: functions are handed the row, never its name. */
export interface Curve extends CurveFacts {
  /** Octets of an uncompressed point: 04 ‖ X ‖ Y. */
  readonly pointLength: number;
  /** Octets of a raw signature: r ‖ s. */
  readonly signatureLength: number;
  /** Of keys that sign on this curve: see shared/keys/provider.ts. */
  readonly keyAlgorithm: `ecdsa-${CurveName}`;
  /** What precedes the point in a SubjectPublicKeyInfo with this named curve (RFC 5480). */
  readonly spkiPrefix: Bytes;
  /** Refuses anything that is not an uncompressed point of this curve. */
  publicKey(point: Bytes): PublicKey;
  /** The uncompressed point of 02 or 03 ‖ X; undefined where the curve has none with that x. */
  decompress(point: Bytes): Bytes | undefined;
  generateEphemeral(): EphemeralKey;
  /** From a fixed secret scalar of `coordinateLength` octets; only to reproduce published vectors. */
  ephemeralFrom(secret: Bytes): EphemeralKey;
  /**
   * Does the raw r‖s signature hold over the message under SHA-256? `asked`: whether the key is asked again after this; where it
   * is not, nothing is made of it that outlives the call.
   */
  signatureHolds(key: PublicKey, message: Bytes, signature: Bytes, asked?: 'again' | 'once'): boolean;
  /** The same of an ECDSA-Sig-Value in DER whose form was checked (ecdsa-signature.ts), as X.509 has it. */
  sigValueHolds(key: PublicKey, message: Bytes, sigValue: Bytes): boolean;
  /** The same over a message that comes in pieces and is too large to be held. */
  verifier(): Verifier;
}

/** A point that was checked to lie on the curve and not at infinity. */
export interface PublicKey {
  readonly curve: Curve;
  /** Uncompressed, `pointLength` octets. */
  readonly point: Bytes;
}

/** One side of one key agreement. Ask once, then drop it: `wipe` removes what the runtime lets us remove. */
export interface EphemeralKey {
  readonly point: Bytes;
  /** x coordinate of secret × peer, left-padded (ECKA, BSI TR-03111 section 4.3). */
  agree(peer: PublicKey): Bytes;
  wipe(): void;
}

/** For one message. */
export interface Verifier {
  update(piece: Bytes): void;
  /** As Curve.signatureHolds, over the pieces so far; once. */
  signatureHolds(key: PublicKey, signature: Bytes): boolean;
}

/** First octet of an uncompressed point (SEC 1 section 2.3.3). */
const UNCOMPRESSED = 0x04;
/** id-ecPublicKey (RFC 5480 section 2.1.1). */
export const EC_PUBLIC_KEY = '1.2.840.10045.2.1';

/** What follows from a curve's facts. */
export function curveForms(facts: CurveFacts) {
  const pointLength = 1 + 2 * facts.coordinateLength;
  const algorithm = tlv(0x30, tlv(0x06, encodeOid(EC_PUBLIC_KEY)), tlv(0x06, encodeOid(facts.oid)));
  const whole = tlv(0x30, algorithm, tlv(0x03, Buffer.alloc(1 + pointLength)));
  return {
    ...facts,
    pointLength,
    signatureLength: 2 * facts.coordinateLength,
    keyAlgorithm: `ecdsa-${facts.name}` as const,
    spkiPrefix: whole.subarray(0, whole.length - pointLength),
  };
}

/** Has `point` the form of an uncompressed point? Whether it lies on the curve is another question. */
export function isUncompressed(curve: Pick<Curve, 'pointLength'>, point: Bytes): boolean {
  return point.length === curve.pointLength && point[0] === UNCOMPRESSED;
}

/**
 * Is an uncompressed point one of the curve (SEC 1 section 3.2.2.1)? Both coordinates are less than p, and y² = x³ + ax + b.
 * No further check is due where the cofactor is 1, as of all curves here: every such point is in the group. Points are public, so
 * that the time of it may depend on them; it takes a tenth of what importing a key does.
 */
export function liesOn({ domain, coordinateLength }: CurveFacts, point: Bytes): boolean {
  const { p, a, b, cofactor } = domain;
  if (cofactor !== 1n) throw new RangeError('the order of a point would have to be checked as well');
  const digits = toHex(point);
  const xAt = 2;
  const yAt = xAt + 2 * coordinateLength;
  const x = BigInt(`0x${digits.slice(xAt, yAt)}`);
  const y = BigInt(`0x${digits.slice(yAt)}`);
  return x < p && y < p && (y * y - (x * x + a) * x - b) % p === 0n;
}

/** X of 04 ‖ X ‖ Y. A point and its negative share it and agree to the same secret. */
export function xCoordinate({ curve, point }: PublicKey): Bytes {
  return point.subarray(1, 1 + curve.coordinateLength);
}

const GENERATORS = new WeakMap<Curve, PublicKey>();

/** The generator of the curve's group: the public key of the secret key 1. */
export function generatorOf(curve: Curve): PublicKey {
  const known = GENERATORS.get(curve);
  if (known !== undefined) return known;
  const { coordinateLength, domain } = curve;
  const number = (value: bigint) => fromHex(value.toString(16).padStart(2 * coordinateLength, '0'));
  const generator = { curve, point: concat(Uint8Array.of(0x04), number(domain.gx), number(domain.gy)) };
  GENERATORS.set(curve, generator);
  return generator;
}

/** Do two keys agree to the same secrets? */
export function equalX(a: PublicKey, b: PublicKey): boolean {
  return a.curve === b.curve && equal(xCoordinate(a), xCoordinate(b));
}

/** Is this the big-endian number of a secret key of the curve: from 1 to the order less 1? */
export function isSecretScalar(
  curve: Pick<CurveFacts, 'coordinateLength' | 'order'>,
  secret: Bytes,
): boolean {
  return (
    secret.length === curve.coordinateLength &&
    Buffer.compare(secret, curve.order) < 0 &&
    secret.some((octet) => octet !== 0)
  );
}

/** SubjectPublicKeyInfo in DER of a point on its curve. */
export function toSpki({ curve, point }: Pick<PublicKey, 'curve' | 'point'>): Bytes {
  return concat(curve.spkiPrefix, point);
}
