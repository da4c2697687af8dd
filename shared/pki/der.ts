import type { Bytes } from '../codec/bytes.ts';
import type { Tlv, TlvReader } from '../codec/tlv.ts';

/** The DER rules (X.690 section 10, 11) above TLV that certificates and revocation lists need. */

/** BOOLEAN DEFAULT FALSE: absent is false, TRUE is FF, and an encoded FALSE is not DER. */
export function readDefaultFalse(reader: TlvReader, tag = 0x01): boolean {
  const element = reader.optional(tag);
  if (element === undefined) return false;
  if (element.value.length !== 1 || element.value[0] !== 0xff)
    reader.refuse(element, 'a BOOLEAN that defaults to FALSE is TRUE (FF) or left out');
  return true;
}

/** BIT STRING of whole octets. */
export function readOctetAlignedBits(reader: TlvReader, name: string): Bytes {
  const element = reader.expect(0x03, name);
  if (element.value.length === 0 || element.value[0] !== 0)
    reader.refuse(element, `${name} is not a whole number of octets`);
  return element.value.subarray(1);
}

/**
 * BIT STRING of named bits as a number, bit 0 of the type as its lowest bit. Unused bits are zero and trailing
 * zero bits are left out (X.690 section 11.2.2).
 */
export function readNamedBits(reader: TlvReader, name: string, bits: number, tag = 0x03): number {
  const element = reader.expect(tag, name);
  const [unused, ...octets] = element.value;
  if (unused === undefined || unused > 7 || octets.length > Math.ceil(bits / 8))
    reader.refuse(element, `${name} is not a BIT STRING of at most ${bits} bits`);
  const last = octets.at(-1);
  if (last === undefined ? unused !== 0 : ((last >>> unused) & 1) !== 1 || (last << (8 - unused)) & 0xff)
    reader.refuse(element, `${name} is not in its shortest form`);
  let set = 0;
  for (let bit = 0; bit < octets.length * 8; bit++)
    if (octets[bit >>> 3]! & (0x80 >>> (bit & 7))) set |= 1 << bit;
  if (set >>> bits !== 0) reader.refuse(element, `${name} has an unknown bit`);
  return set;
}

const SERIAL_OCTETS = 20;

/**
 * The content octets of a certificate's serial number as hexadecimal. RFC 5280 section 4.1.2.2 wants 1 to 20 octets of a
 * positive number, and relying parties to bear with CAs that draw 20 random octets and take them as they are, so that some
 * are negative and some have a 21st octet of zero: they are names, and compared octet by octet.
 */
export function readSerial(reader: TlvReader, name: string): string {
  const element = readShortestInteger(reader, name);
  if (element.value.length - (element.value[0] === 0 ? 1 : 0) > SERIAL_OCTETS)
    reader.refuse(element, `${name} has more than ${SERIAL_OCTETS} octets`);
  return contentHex(element);
}

/** A non-negative INTEGER of at most 20 octets (cRLNumber, RFC 5280 section 5.2.3). */
export function readNumber(reader: TlvReader, name: string): bigint {
  const element = readShortestInteger(reader, name);
  if (element.value[0]! & 0x80) reader.refuse(element, `${name} is negative`);
  if (element.value.length > SERIAL_OCTETS)
    reader.refuse(element, `${name} has more than ${SERIAL_OCTETS} octets`);
  return BigInt(`0x${contentHex(element)}`);
}

function readShortestInteger(reader: TlvReader, name: string): Tlv {
  const element = reader.expect(0x02, name);
  const [first, second] = element.value;
  if (first === undefined) reader.refuse(element, `${name} is empty`);
  const padded = (first === 0 || first === 0xff) && second !== undefined && (first ^ second) < 0x80;
  if (padded) reader.refuse(element, `${name} is not in its shortest form`);
  return element;
}

const contentHex = ({ value }: Tlv) =>
  Buffer.from(value.buffer, value.byteOffset, value.length).toString('hex');
