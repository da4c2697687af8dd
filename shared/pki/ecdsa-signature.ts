import type { Bytes } from '../codec/bytes.ts';
import { TlvReader, tlv } from '../codec/tlv.ts';

const COORDINATE = 32;

/**
 * ECDSA-Sig-Value (RFC 5480 appendix A): SEQUENCE of two positive INTEGERs r and s, as raw r‖s of 32 + 32 octets.
 * Refuses zero, negative, padded and oversized values and anything trailing. r and s below the group order are
 * the verification's matter.
 */
export function decodeEcdsaSignature(der: Bytes): Bytes {
  const raw = Buffer.alloc(2 * COORDINATE);
  const outer = new TlvReader(der, 'signatureValue');
  const values = outer.enter(0x30, 'ECDSA-Sig-Value');
  outer.end();
  for (const [index, name] of ['r', 's'].entries()) {
    const element = values.expect(0x02, name);
    let { value } = element;
    if (value.length === 0 || value[0]! & 0x80) values.refuse(element, `${name} is not positive`);
    if (value[0] === 0) {
      if (value.length === 1) values.refuse(element, `${name} is zero`);
      if (!(value[1]! & 0x80)) values.refuse(element, `${name} is not in its shortest form`);
      value = value.subarray(1);
    }
    if (value.length > COORDINATE) values.refuse(element, `${name} is longer than ${COORDINATE} octets`);
    raw.set(value, (index + 1) * COORDINATE - value.length);
  }
  values.end();
  return raw;
}

/** ECDSA-Sig-Value in DER of raw r‖s, 32 + 32 octets. */
export function encodeEcdsaSignature(raw: Bytes): Bytes {
  if (raw.length !== 2 * COORDINATE) throw new RangeError('a raw signature has 64 octets');
  return tlv(0x30, positive(raw.subarray(0, COORDINATE)), positive(raw.subarray(COORDINATE)));
}

function positive(value: Bytes): Bytes {
  const first = value.findIndex((octet) => octet !== 0);
  const digits = first < 0 ? value.subarray(-1) : value.subarray(first);
  return tlv(0x02, digits[0]! & 0x80 ? Buffer.of(0) : undefined, digits);
}
