import type { Bytes } from '../codec/bytes.ts';
import { readSingle, TlvReader } from '../codec/tlv.ts';

/**
 * The two forms of an ECDSA signature: raw r‖s, each as long as a coordinate of the curve (BSI TR-03111 plain, used by
 * SGP.22), and ECDSA-Sig-Value in DER (RFC 5480 appendix A), which X.509, OpenSSL and KMS use.
 *
 * On the hot path the conversion pays in time: node:crypto takes a bare key object for DER but an options object for
 * r‖s, and tells options from keys by catching exceptions, 30 µs a call.
 */

/** Raw r‖s on the curve; refuses zero, negative, padded and oversized values and anything trailing. */
export function decodeEcdsaSignature(curve: { readonly coordinateLength: number }, der: Bytes): Bytes {
  const { r, s } = readEcdsaSignature(curve, der);
  const { coordinateLength } = curve;
  const raw = Buffer.alloc(2 * coordinateLength);
  raw.set(r, coordinateLength - r.length);
  raw.set(s, 2 * coordinateLength - s.length);
  return raw;
}

/** The same check, for what stays in DER. */
export function readEcdsaSignature(
  { coordinateLength }: { readonly coordinateLength: number },
  der: Bytes,
): { readonly r: Bytes; readonly s: Bytes } {
  const values = TlvReader.of(readSingle(der, 0x30, 'ECDSA-Sig-Value'));
  const magnitude = (name: string) => {
    const element = values.expect(0x02, name);
    const { value } = element;
    const padding = value[0] === 0 ? 1 : 0;
    if (value.length === padding) values.refuse(element, `${name} is not positive`);
    if (value[0]! & 0x80) values.refuse(element, `${name} is negative`);
    if (padding === 1 && !(value[1]! & 0x80)) values.refuse(element, `${name} is not in its shortest form`);
    if (value.length - padding > coordinateLength)
      values.refuse(element, `${name} is longer than ${coordinateLength} octets`);
    return value.subarray(padding);
  };
  const [r, s] = [magnitude('r'), magnitude('s')];
  values.end();
  return { r, s };
}

/** Of r or s: so short that tag and length of an INTEGER, and of both together, are two octets each. */
const LONGEST_HALF = 60;

/** ECDSA-Sig-Value in DER of raw r‖s, two halves of the same length. */
export function encodeEcdsaSignature(raw: Bytes): Bytes {
  const half = raw.length / 2;
  if (half === 0 || !Number.isInteger(half) || half > LONGEST_HALF)
    throw new RangeError(`a raw signature has two halves of 1 to ${LONGEST_HALF} octets`);
  const der = Buffer.allocUnsafe(2 + 2 * (3 + half));
  const sAt = writeInteger(der, 2, raw, 0, half);
  const end = writeInteger(der, sAt, raw, half, raw.length);
  der[0] = 0x30;
  der[1] = end - 2;
  return der.subarray(0, end);
}

/** The INTEGER of octets `from` to `to` of `raw`, which are not negative; returns where it ends. */
function writeInteger(der: Bytes, at: number, raw: Bytes, from: number, to: number): number {
  let start = from;
  while (start < to - 1 && raw[start] === 0) start++;
  const padding = raw[start]! >>> 7;
  let end = at;
  der[end++] = 0x02;
  der[end++] = to - start + padding;
  if (padding === 1) der[end++] = 0;
  for (let i = start; i < to; i++) der[end++] = raw[i]!;
  return end;
}
