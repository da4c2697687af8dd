import type { Bytes } from '../codec/bytes.ts';
import { readSingle, TlvReader, tlv } from '../codec/tlv.ts';

/**
 * The two forms of an ECDSA signature: raw r‖s, each as long as a coordinate of the curve (BSI TR-03111 plain, used by
 * SGP.22), and ECDSA-Sig-Value in DER (RFC 5480 appendix A), which X.509, OpenSSL and KMS use.
 *
 * On the hot path the conversion pays in time: node:crypto takes a bare key object for DER but an options object for
 * r‖s, and tells options from keys by catching exceptions, 30 µs a call.
 */

/** Raw r‖s on the curve; refuses zero, negative, padded and oversized values and anything trailing. */
export function decodeEcdsaSignature(
  { coordinateLength }: { readonly coordinateLength: number },
  der: Bytes,
): Bytes {
  const raw = Buffer.alloc(2 * coordinateLength);
  const values = TlvReader.of(readSingle(der, 0x30, 'ECDSA-Sig-Value'));
  for (const [index, name] of (['r', 's'] as const).entries()) {
    const element = values.expect(0x02, name);
    const { value } = element;
    const padding = value[0] === 0 ? 1 : 0;
    if (value.length === padding) values.refuse(element, `${name} is not positive`);
    if (value[0]! & 0x80) values.refuse(element, `${name} is negative`);
    if (padding === 1 && !(value[1]! & 0x80)) values.refuse(element, `${name} is not in its shortest form`);
    if (value.length - padding > coordinateLength)
      values.refuse(element, `${name} is longer than ${coordinateLength} octets`);
    raw.set(value.subarray(padding), (index + 1) * coordinateLength - (value.length - padding));
  }
  values.end();
  return raw;
}

/** ECDSA-Sig-Value in DER of raw r‖s, two halves of the same length. */
export function encodeEcdsaSignature(raw: Bytes): Bytes {
  const half = raw.length / 2;
  if (half === 0 || !Number.isInteger(half)) throw new RangeError('a raw signature has two halves');
  return tlv(0x30, positiveInteger(raw.subarray(0, half)), positiveInteger(raw.subarray(half)));
}

function positiveInteger(octets: Bytes): Bytes {
  let start = 0;
  while (start < octets.length - 1 && octets[start] === 0) start++;
  const magnitude = octets.subarray(start);
  return tlv(0x02, magnitude[0]! & 0x80 ? Buffer.of(0) : undefined, magnitude);
}
