import { refuse } from '../errors.ts';
import { type Bytes, fromHex, toHex } from './bytes.ts';

/**
 * EID (SGP.29, SGP.22 section 4.3.1): 32 decimal digits, packed high nibble first into 16 octets. The last two
 * digits are check digits: the whole number modulo 97 is 1 (ISO/IEC 7064). It stays a string of digits here,
 * because leading zeros count.
 */
const DIGITS = /^[0-9]{32}$/;

/** The number's remainder modulo 97, digit by digit. */
function mod97(digits: string): number {
  let remainder = 0;
  for (let i = 0; i < digits.length; i++) remainder = (remainder * 10 + digits.charCodeAt(i) - 48) % 97;
  return remainder;
}

export function isEid(digits: string): boolean {
  return DIGITS.test(digits) && mod97(digits) === 1;
}

/** Refuses anything but 32 digits with right check digits. */
export function checkEid(digits: string): string {
  if (!DIGITS.test(digits)) refuse('eidMalformed', 'an EID has 32 decimal digits');
  if (mod97(digits) !== 1)
    refuse('eidMalformed', 'the check digits of the EID are wrong', { subjectIdentifier: digits });
  return digits;
}

/** Completes 30 digits with their two check digits. */
export function eidWithCheckDigits(first30: string): string {
  if (!/^[0-9]{30}$/.test(first30)) throw new RangeError('30 decimal digits expected');
  return first30 + String(98 - mod97(`${first30}00`)).padStart(2, '0');
}

/** 16 octets, high nibble first. */
export function encodeEid(digits: string): Bytes {
  return fromHex(digits);
}

/** The digits of 16 octets; refuses other lengths, hexadecimal letters and wrong check digits. */
export function decodeEid(octets: Bytes): string {
  return checkEid(toHex(octets));
}
