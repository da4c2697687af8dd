import { type Bytes, fromHex, toHex } from '../../../codec/bytes.ts';
import { swapNibbles } from '../../../codec/iccid.ts';

const INTERNATIONAL_E164 = 0x91;
const UNKNOWN_E164 = 0x81;

/** Digits, with a leading + for the international type of number; at most 20 digits. */
export const DIALLING_NUMBER = /^\+?[0-9]{1,20}$/;

/**
 * A number as EF.MSISDN and EF.SMSP hold it (3GPP TS 24.008 section 10.5.4.7): octets that follow, type and plan,
 * digits with swapped nibbles. `length` octets in all, FF filled.
 */
export function encodeDiallingNumber(number: string, length: number): Bytes {
  const digits = number.replace('+', '');
  const bcd = swapNibbles(fromHex(digits.length % 2 === 1 ? `${digits}f` : digits));
  const field = Buffer.alloc(length, 0xff);
  field[0] = 1 + bcd.length;
  field[1] = number.startsWith('+') ? INTERNATIONAL_E164 : UNKNOWN_E164;
  field.set(bcd, 2);
  return field;
}

/** Empty where the field is unused. */
export function decodeDiallingNumber(field: Bytes): string {
  const length = field[0] ?? 0xff;
  if (length === 0xff || length < 2) return '';
  const digits = toHex(swapNibbles(field.subarray(2, 1 + length))).replace(/f$/, '');
  return `${((field[1]! >>> 4) & 0x07) === 1 ? '+' : ''}${digits}`;
}
