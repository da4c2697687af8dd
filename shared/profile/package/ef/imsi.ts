import type { Bytes } from '../../../codec/bytes.ts';
import { fromHex, toHex } from '../../../codec/bytes.ts';
import { swapNibbles } from '../../../codec/iccid.ts';
import { refuse } from '../../../errors.ts';

const IMSI_FILE_LENGTH = 9;

/**
 * EF.IMSI (3GPP TS 31.102 section 4.2.2): nine octets. Length of what follows, then parity nibble (9 for an odd
 * number of digits, 1 for an even one) and digits with swapped nibbles, F filled.
 */
export function encodeImsi(digits: string): Bytes {
  const coded = `${digits.length % 2 === 1 ? '9' : '1'}${digits}`;
  const octets = swapNibbles(fromHex(coded.length % 2 === 1 ? `${coded}f` : coded));
  const file = Buffer.alloc(IMSI_FILE_LENGTH, 0xff);
  file[0] = octets.length;
  file.set(octets, 1);
  return file;
}

export function decodeImsi(file: Bytes): string {
  const length = file[0] ?? 0;
  if (file.length < IMSI_FILE_LENGTH || length < 1 || length > 8) {
    refuse('profileInvalid', 'EF.IMSI does not hold an IMSI');
  }
  const coded = toHex(swapNibbles(file.subarray(1, 1 + length)));
  const [, odd, digits] = /^([19])([0-9]*)f?$/.exec(coded) ?? [];
  if (odd === undefined || digits === undefined || (odd === '9') !== (digits.length % 2 === 1)) {
    return refuse('profileInvalid', 'EF.IMSI does not hold an IMSI');
  }
  return digits;
}

/** EF.ACC (3GPP TS 31.102 section 4.2.15): the access control class of the IMSI's last digit, one bit of two octets. */
export function accessControlClass(imsi: string): Bytes {
  const bit = 1 << Number(imsi.at(-1));
  return Buffer.of(bit >>> 8, bit & 0xff);
}
