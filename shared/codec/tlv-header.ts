import type { Bytes } from './bytes.ts';

/** Tag and minimal length of an element as they are written. Tags have up to three octets, lengths up to four besides the first. */

/** Octets that a tag and the minimal length of a value of `length` octets take. */
export function headerLength(tag: number, length: number): number {
  return tagOctets(tag) + (length < 0x80 ? 1 : 1 + octetsOf(length));
}

/** Octets of a whole element with a value of `length` octets. */
export function tlvLength(tag: number, length: number): number {
  return headerLength(tag, length) + length;
}

/** Writes tag and minimal length at `start`; returns how many octets that took. */
export function writeHeader(target: Bytes, start: number, tag: number, length: number): number {
  let at = start;
  for (let left = tagOctets(tag); left > 0; left--) target[at++] = tag >>> (8 * (left - 1));
  if (length < 0x80) target[at++] = length;
  else {
    let left = octetsOf(length);
    target[at++] = 0x80 | left;
    for (; left > 0; left--) target[at++] = length >>> (8 * (left - 1));
  }
  return at - start;
}

function tagOctets(tag: number): number {
  return tag > 0xffff ? 3 : tag > 0xff ? 2 : 1;
}

function octetsOf(length: number): number {
  return length < 0x100 ? 1 : length < 0x10000 ? 2 : length < 0x1000000 ? 3 : 4;
}
