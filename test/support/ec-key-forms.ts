import { createECDH } from 'node:crypto';
import { type Bytes, concat, fromHex } from '../../shared/codec/bytes.ts';
import { encodeOid } from '../../shared/codec/oid.ts';
import { integerValue, tlv } from '../../shared/codec/tlv.ts';
import { EC_PUBLIC_KEY } from '../../shared/crypto/curve-type.ts';
import { type Curve, FRP256V1 } from '../../shared/crypto/curves.ts';

/** Writes keys as other tools do, for tests of what is taken: nothing of it is taken from the code under test. */

export type PointForm = 'uncompressed' | 'compressed' | 'hybrid';

/** A point of 04 ‖ X ‖ Y in another form. */
export function writePoint(point: Bytes, form: PointForm): Bytes {
  const isOdd = point.at(-1)! & 1;
  const x = point.subarray(1, (point.length + 1) / 2);
  if (form === 'compressed') return concat(Buffer.of(2 + isOdd), x);
  return form === 'hybrid' ? concat(Buffer.of(6 + isOdd), point.subarray(1)) : point;
}

/** Explicit parameters of a curve, or of one that differs in a part. */
export interface ExplicitParameters {
  readonly p: bigint;
  readonly a: bigint;
  readonly b: bigint;
  readonly base: Bytes;
  readonly order: bigint;
  readonly cofactor?: bigint | undefined;
  readonly seed?: Bytes | undefined;
}

export function explicitOf(curve: Curve): ExplicitParameters {
  const { p, a, b, gx, gy, cofactor, seed } = curve.domain;
  const base = concat(Buffer.of(4), octets(gx), octets(gy));
  return { p, a, b, base, order: BigInt(`0x${Buffer.from(curve.order).toString('hex')}`), cofactor, seed };
}

const octets = (value: bigint) => fromHex(value.toString(16).padStart(64, '0'));
const bits = (value: Bytes) => tlv(0x03, Buffer.of(0), value);

function integer(value: bigint): Bytes {
  const hex = value.toString(16);
  const padded = hex.length % 2 === 0 ? hex : `0${hex}`;
  return tlv(0x02, fromHex(Number.parseInt(padded.slice(0, 2), 16) >= 0x80 ? `00${padded}` : padded));
}

/** SpecifiedECDomain in DER (SEC 1 annex C.2). */
export function writeExplicit({ p, a, b, base, order, cofactor, seed }: ExplicitParameters): Bytes {
  return tlv(
    0x30,
    tlv(0x02, integerValue(1)),
    tlv(0x30, tlv(0x06, encodeOid('1.2.840.10045.1.1')), integer(p)),
    tlv(0x30, tlv(0x04, octets(a)), tlv(0x04, octets(b)), seed && bits(seed)),
    tlv(0x04, base),
    integer(order),
    cofactor === undefined ? undefined : integer(cofactor),
  );
}

export const writeNamed = (curve: Curve) => tlv(0x06, encodeOid(curve.oid));

export interface WrittenKey {
  readonly parameters: Bytes;
  readonly scalar: Bytes;
  /** As its BIT STRING has it; absent where the file is without public key. */
  readonly point?: Bytes | undefined;
}

export const writeSpki = (parameters: Bytes, point: Bytes) =>
  tlv(0x30, tlv(0x30, tlv(0x06, encodeOid(EC_PUBLIC_KEY)), parameters), bits(point));

/** ECPrivateKey (RFC 5915). */
export const writeSec1 = ({ parameters, scalar, point }: WrittenKey) =>
  tlv(
    0x30,
    tlv(0x02, integerValue(1)),
    tlv(0x04, scalar),
    tlv(0xa0, parameters),
    point && tlv(0xa1, bits(point)),
  );

/** PrivateKeyInfo (RFC 5208) without curve in its ECPrivateKey, as OpenSSL writes it. */
export const writePkcs8 = ({ parameters, scalar, point }: WrittenKey) =>
  tlv(
    0x30,
    tlv(0x02, integerValue(0)),
    tlv(0x30, tlv(0x06, encodeOid(EC_PUBLIC_KEY)), parameters),
    tlv(0x04, tlv(0x30, tlv(0x02, integerValue(1)), tlv(0x04, scalar), point && tlv(0xa1, bits(point)))),
  );

export function pemOf(label: string, der: Bytes): string {
  const lines = Buffer.from(der)
    .toString('base64')
    .replace(/(.{64})/g, '$1\n')
    .trimEnd();
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`;
}

/** Scalar and uncompressed point of a new key. */
export function newKeyOn(curve: Curve): { scalar: Bytes; point: Bytes } {
  if (curve.openSslName === undefined) {
    const scalar = fromHex('1f2e3d4c5b6a79880123456789abcdef00112233445566778899aabbccddeeff');
    return { scalar, point: FRP256V1.ephemeralFrom(scalar).point };
  }
  const pair = createECDH(curve.openSslName);
  const point = pair.generateKeys();
  return { scalar: fromHex(pair.getPrivateKey('hex').padStart(64, '0')), point };
}
