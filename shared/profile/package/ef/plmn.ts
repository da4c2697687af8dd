import { type Bytes, fromHex, toHex } from '../../../codec/bytes.ts';
import { swapNibbles } from '../../../codec/iccid.ts';

/** MCC (three digits) and MNC (two or three). */
export const PLMN = /^[0-9]{5,6}$/;
export const PLMN_LENGTH = 3;
const UNUSED = 'ffffff';

/** Three octets (3GPP TS 24.008 section 10.5.1.3): MCC2 MCC1, MNC3 or F and MCC3, MNC2 MNC1. */
export function encodePlmn(plmn: string): Bytes {
  const mnc = plmn.slice(3);
  return swapNibbles(fromHex(`${plmn.slice(0, 3)}${mnc[2] ?? 'f'}${mnc.slice(0, 2)}`));
}

/** MCC and MNC, or undefined for an unused entry. */
export function decodePlmn(octets: Bytes): string | undefined {
  const hex = toHex(octets);
  if (hex === UNUSED) return undefined;
  const digits = toHex(swapNibbles(octets));
  return `${digits.slice(0, 3)}${digits.slice(4)}${digits[3] === 'f' ? '' : digits[3]}`;
}
