import { refuse } from '../errors.ts';
import { type Bytes, toHex } from './bytes.ts';

/**
 * ICCID (ITU-T E.118, ETSI TS 102 221 section 13.2): 19 or 20 digits with a Luhn check digit.
 * Ten octets, padded right with F. EF.ICCID, StoreMetadata and notifications swap the nibbles; the header of a
 * profile package does not.
 */
const DIGITS = /^[0-9]{19,20}$/;
const ICCID_LENGTH = 10;

/** The digit that makes `digits` followed by it pass the Luhn check. */
export function luhnDigit(digits: string): number {
  let sum = 0;
  for (let i = 0; i < digits.length; i++) {
    const digit = digits.charCodeAt(digits.length - 1 - i) - 48;
    const weighted = i % 2 === 0 ? digit * 2 : digit;
    sum += weighted > 9 ? weighted - 9 : weighted;
  }
  return (10 - (sum % 10)) % 10;
}

export function luhnHolds(digits: string): boolean {
  return luhnDigit(digits.slice(0, -1)) === digits.charCodeAt(digits.length - 1) - 48;
}

/** Refuses anything but 19 or 20 digits. The Luhn digit is a matter of personalisation, not of transport. */
export function checkIccid(digits: string): string {
  if (!DIGITS.test(digits)) refuse('iccidInvalid', 'an ICCID has 19 or 20 decimal digits');
  return digits;
}

/**
 * Brings the forms that Operators write to one: 18 digits get their Luhn digit, 19 that fail Luhn are taken as a
 * body and get a 20th, 20 must hold.
 */
export function completeIccid(digits: string): string {
  if (digits === lastGiven) return lastCompleted;
  const completed = withLuhn(digits);
  lastGiven = digits;
  lastCompleted = completed;
  return completed;
}

/** Each step that makes a profile asks for the same one. */
let lastGiven = '';
let lastCompleted = '';

function withLuhn(digits: string): string {
  if (!/^[0-9]{18,20}$/.test(digits)) refuse('iccidInvalid', 'an ICCID has 18 to 20 decimal digits');
  if (digits.length === 18) return digits + luhnDigit(digits);
  if (luhnHolds(digits)) return digits;
  if (digits.length === 20)
    refuse('iccidInvalid', 'the Luhn digit of the ICCID is wrong', { subjectIdentifier: digits });
  return digits + luhnDigit(digits);
}

/** Ten octets, high nibble first, F padded: the form in the header of a profile package. */
export function packIccid(digits: string): Bytes {
  checkIccid(digits);
  const packed = Buffer.alloc(ICCID_LENGTH);
  for (let i = 0; i < ICCID_LENGTH; i++)
    packed[i] = (nibbleOf(digits, 2 * i) << 4) | nibbleOf(digits, 2 * i + 1);
  return packed;
}

/** The digit, or F behind the last. */
const nibbleOf = (digits: string, at: number) => (at < digits.length ? digits.charCodeAt(at) - 48 : 0x0f);

/** Ten octets with swapped nibbles: EF.ICCID, StoreMetadata, NotificationMetadata. */
export function encodeIccid(digits: string): Bytes {
  return swapNibbles(packIccid(digits));
}

export function decodePackedIccid(octets: Bytes): string {
  if (octets.length !== ICCID_LENGTH) refuse('iccidInvalid', `an ICCID has ten octets, not ${octets.length}`);
  const nibbles = toHex(octets);
  return checkIccid(nibbles.endsWith('f') ? nibbles.slice(0, -1) : nibbles);
}

/** Whether ten octets say these digits, read nibble by nibble: with `swapped` as EF.ICCID has them, else as a header has. */
export function saysIccid(octets: Bytes, digits: string, swapped: boolean): boolean {
  if (octets.length !== ICCID_LENGTH) return false;
  for (let i = 0; i < 2 * ICCID_LENGTH; i++) {
    const octet = octets[i >>> 1]!;
    const nibble = (i % 2 === 0) === swapped ? octet & 0x0f : octet >>> 4;
    if (nibble !== nibbleOf(digits, i)) return false;
  }
  return true;
}

export function decodeIccid(octets: Bytes): string {
  return decodePackedIccid(swapNibbles(octets));
}

/** BCD as the card world stores it: the second digit in the high nibble. */
export function swapNibbles(octets: Bytes): Bytes {
  const swapped = Buffer.alloc(octets.length);
  for (let i = 0; i < octets.length; i++) swapped[i] = ((octets[i]! & 0x0f) << 4) | (octets[i]! >>> 4);
  return swapped;
}
