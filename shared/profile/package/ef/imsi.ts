import type { Bytes } from '../../../codec/bytes.ts';
import { refuse } from '../../../errors.ts';
import { blank } from './blank.ts';

const IMSI_FILE_LENGTH = 9;
const ODD = 9;
const EVEN = 1;
const FILLER = 0x0f;

/**
 * EF.IMSI (3GPP TS 31.102 section 4.2.2): nine octets. Length of what follows, then parity nibble (9 for an odd
 * number of digits, 1 for an even one) and digits with swapped nibbles, F filled.
 */
export function encodeImsi(digits: string): Bytes {
  const file = blank(IMSI_FILE_LENGTH);
  file[0] = Math.floor(digits.length / 2) + 1;
  file[1] = 0xf0 | (digits.length % 2 === 1 ? ODD : EVEN);
  for (let i = 0; i < digits.length; i++) {
    const digit = digits.charCodeAt(i) - 48;
    const at = 1 + ((i + 1) >>> 1);
    file[at] = i % 2 === 0 ? (digit << 4) | (file[at]! & 0x0f) : 0xf0 | digit;
  }
  return file;
}

export function decodeImsi(file: Bytes): string {
  const length = file[0] ?? 0;
  if (file.length < IMSI_FILE_LENGTH || length < 1 || length > 8) {
    refuse('profileInvalid', 'EF.IMSI does not hold an IMSI');
  }
  const parity = file[1]! & 0x0f;
  let count = 2 * length - 1;
  if (nibbleAt(file, count) === FILLER) count -= 1;
  for (let i = 1; i <= count; i++) {
    const digit = nibbleAt(file, i);
    if (digit > 9) return refuse('profileInvalid', 'EF.IMSI does not hold an IMSI');
    READ[i - 1] = 48 + digit;
  }
  if (parity !== (count % 2 === 1 ? ODD : EVEN))
    return refuse('profileInvalid', 'EF.IMSI does not hold an IMSI');
  return READ.toString('latin1', 0, count);
}

/** From the parity nibble on. */
const nibbleAt = (file: Bytes, i: number) =>
  i % 2 === 0 ? file[1 + (i >>> 1)]! & 0x0f : file[1 + (i >>> 1)]! >>> 4;

const READ = Buffer.alloc(15);

/** EF.ACC (3GPP TS 31.102 section 4.2.15): the access control class of the IMSI's last digit, one bit of two octets. */
export function accessControlClass(imsi: string): Bytes {
  const bit = 1 << Number(imsi.at(-1));
  return Buffer.of(bit >>> 8, bit & 0xff);
}
