import type { Bytes } from '../codec/bytes.ts';
import type { Tlv, TlvReader } from '../codec/tlv.ts';

/**
 * The rules of X.690 and RFC 5280 above TLV that certificates, revocation lists and requests need, and the one place that
 * says how far what a foreign CA signed may leave them. The signature is over the octets as they came, and nothing is
 * ever encoded again, so what has one meaning only is taken:
 *
 * | the CA wrote | the rule | taken as |
 * |---|---|---|
 * | named bits with trailing zero bits, or with unused bits that are set | X.690 11.2.1, 11.2.2 | the bits that the type names |
 * | bits that the type does not name | RFC 5280 4.2.1.3 | not there |
 * | an explicit FALSE where FALSE is the default | X.690 11.5 | FALSE |
 * | TRUE as another octet than FF | X.690 11.1 | TRUE |
 * | an INTEGER with octets that it does not need | X.690 8.3.2 | its value |
 * | a serial number that is zero, negative or longer than 20 octets | RFC 5280 4.1.2.2 | a name, up to 64 octets |
 * | NULL as the parameters of ecdsa-with-SHA256 | RFC 5758 3.2 | no parameters |
 * | GeneralizedTime before 2050 | RFC 5280 4.1.2.5 | that time |
 * | issuerUniqueID, subjectUniqueID | RFC 5280 4.1.2.8 | not there |
 *
 * What could be read in two ways, or is kept out by the signature itself, is refused by the name of its rule: lengths and
 * tags that are not in their shortest form (X.690 10.1), r and s of a signature other than positive and shortest, times
 * that are not in UTC to the second, what occurs twice, an unknown critical extension.
 */

/** BOOLEAN DEFAULT FALSE: absent is FALSE, every octet but 00 is TRUE. */
export function readDefaultFalse(reader: TlvReader, tag = 0x01): boolean {
  const element = reader.optional(tag);
  if (element === undefined) return false;
  if (element.value.length !== 1) reader.refuse(element, 'a BOOLEAN is one octet (X.690 section 8.2.1)');
  return element.value[0] !== 0;
}

/** BIT STRING of whole octets. */
export function readOctetAlignedBits(reader: TlvReader, name: string): Bytes {
  const element = reader.expect(0x03, name);
  if (element.value.length === 0 || element.value[0] !== 0)
    reader.refuse(element, `${name} is not a whole number of octets`);
  return element.value.subarray(1);
}

/** BIT STRING of named bits as a number: bit 0 of the type as its lowest bit, those above `bits` left out. */
export function readNamedBits(reader: TlvReader, name: string, bits: number, tag = 0x03): number {
  const element = reader.expect(tag, name);
  const [unused, ...octets] = element.value;
  if (unused === undefined || unused > 7 || (octets.length === 0 && unused !== 0))
    reader.refuse(element, `${name} is not a BIT STRING (X.690 section 8.6.2)`);
  const given = octets.length * 8 - unused;
  let set = 0;
  for (let bit = 0; bit < Math.min(bits, given); bit++)
    if (octets[bit >>> 3]! & (0x80 >>> (bit & 7))) set |= 1 << bit;
  return set;
}

/** Longest serial number that is a name here. RFC 5280 section 4.1.2.2 gives CAs 20 octets; some take a few more. */
const SERIAL_OCTETS = 64;
const NUMBER_OCTETS = 20;

/**
 * A certificate's serial number as the hexadecimal octets of its shortest INTEGER, so that a certificate and a
 * revocation list that write the same number otherwise still name the same certificate. It is a name and nothing else:
 * RFC 5280 section 4.1.2.2 wants relying parties to bear with zero, negative and long ones.
 */
export function readSerial(reader: TlvReader, name: string): string {
  const { element, value } = readInteger(reader, name);
  if (value.length > SERIAL_OCTETS)
    reader.refuse(element, `${name} has more than ${SERIAL_OCTETS} octets (RFC 5280 section 4.1.2.2)`);
  return hex(value);
}

/** A non-negative INTEGER of at most 20 octets (cRLNumber, RFC 5280 section 5.2.3). */
export function readNumber(reader: TlvReader, name: string): bigint {
  const { element, value } = readInteger(reader, name);
  if (value[0]! & 0x80) reader.refuse(element, `${name} is negative`);
  if (value.length - (value[0] === 0 ? 1 : 0) > NUMBER_OCTETS)
    reader.refuse(element, `${name} has more than ${NUMBER_OCTETS} octets (RFC 5280 section 5.2.3)`);
  return BigInt(`0x${hex(value)}`);
}

/** A small non-negative INTEGER, such as a version or a path length. */
export function readSmallNumber(reader: TlvReader, name: string): number {
  const { element, value } = readInteger(reader, name);
  if (value[0]! & 0x80) reader.refuse(element, `${name} is negative`);
  if (value.length > 4) reader.refuse(element, `${name} is too large`);
  return value.reduce((number, octet) => number * 256 + octet, 0);
}

/** An INTEGER and its content octets without those that it does not need. */
function readInteger(reader: TlvReader, name: string): { element: Tlv; value: Bytes } {
  const element = reader.expect(0x02, name);
  let { value } = element;
  if (value.length === 0) reader.refuse(element, `${name} is empty`);
  while (isPadding(value[0], value[1])) value = value.subarray(1);
  return { element, value };
}

/** Of an INTEGER: do its first two octets say no more than the second one would? */
const isPadding = (first: number | undefined, second: number | undefined) =>
  second !== undefined && ((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80));

const hex = (octets: Bytes) => Buffer.from(octets.buffer, octets.byteOffset, octets.length).toString('hex');
