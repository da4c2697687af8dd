import type { Bytes } from '../../../codec/bytes.ts';
import { decodeAlpha, encodeAlpha } from './alpha.ts';

export const SPN_NAME_LENGTH = 16;

/** EF.SPN (3GPP TS 31.102 section 4.2.12): display condition (bit 1 show in HPLMN, bit 2 hide elsewhere), name. */
export function encodeSpn(name: string, displayCondition: number): Bytes {
  const file = Buffer.alloc(1 + SPN_NAME_LENGTH, 0xff);
  file[0] = displayCondition;
  file.set(encodeAlpha(name), 1);
  return file;
}

export function decodeSpn(file: Bytes): {
  readonly name: string | undefined;
  readonly displayCondition: number;
} {
  return { name: decodeAlpha(file.subarray(1, 1 + SPN_NAME_LENGTH)), displayCondition: file[0] ?? 0 };
}
