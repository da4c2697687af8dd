import type { Bytes } from '../codec/bytes.ts';
import { readSingle, TlvReader, tlv } from '../codec/tlv.ts';
import { refuse } from '../errors.ts';

/**
 * The two forms of an ECDSA signature on a curve of 256 bits: raw r‖s, 32 + 32 octets (BSI TR-03111 plain, used by
 * SGP.22), and DER, `30 { 02 r, 02 s }` (X.509, and what OpenSSL and KMS make).
 *
 * On the hot path the conversion also pays in time: node:crypto takes a bare key object for DER but an options object
 * for r‖s, and tells options from keys by catching exceptions, 30 µs a call.
 */
const COORDINATE = 32;

/** r‖s of a DER signature; refuses what is not one, and numbers that do not fit. */
export function rawFromDer(der: Bytes): Bytes {
  const reader = TlvReader.of(readSingle(der, 0x30, 'ECDSA signature'));
  const raw = Buffer.alloc(2 * COORDINATE);
  for (const [index, name] of ['r', 's'].entries()) {
    const { value } = reader.expect(0x02, name);
    const start = value[0] === 0 && value.length > 1 ? 1 : 0;
    const length = value.length - start;
    if (value.length === 0 || length > COORDINATE || (value[0]! & 0x80) !== 0)
      refuse('protocolFormat', `${name} of an ECDSA signature does not fit ${COORDINATE} octets`);
    raw.set(value.subarray(start), (index + 1) * COORDINATE - length);
  }
  reader.end();
  return raw;
}

/** DER of r‖s, which has 64 octets. */
export function derFromRaw(raw: Bytes): Bytes {
  if (raw.length !== 2 * COORDINATE) throw new RangeError('a raw signature has 64 octets');
  return tlv(0x30, positiveInteger(raw.subarray(0, COORDINATE)), positiveInteger(raw.subarray(COORDINATE)));
}

function positiveInteger(octets: Bytes): Bytes {
  let start = 0;
  while (start < octets.length - 1 && octets[start] === 0) start++;
  const magnitude = octets.subarray(start);
  return tlv(0x02, magnitude[0]! & 0x80 ? Buffer.of(0) : undefined, magnitude);
}
