import type { Bytes } from './bytes.ts';
import { tlvHeader } from './tlv.ts';

/** Octets that a tag and the minimal length of a value of `length` octets take. */
export function headerLength(tag: number, length: number): number {
  return tagOctets(tag) + (length < 0x80 ? 1 : length < 0x100 ? 2 : length < 0x10000 ? 3 : 4);
}

/** Octets of a whole element with a value of `length` octets. */
export function tlvLength(tag: number, length: number): number {
  return headerLength(tag, length) + length;
}

/**
 * Fills one buffer whose size was computed before, so that a message of many kilobytes is written once and copied
 * never. Lengths are minimal and below 2^24, as everywhere in SGP.22.
 */
export class OctetWriter {
  readonly octets: Buffer;
  #at = 0;

  /** A buffer of so many octets, or that one. It is not cleared first: `finish` proves that every octet was written. */
  constructor(room: number | Buffer) {
    this.octets = typeof room === 'number' ? Buffer.allocUnsafeSlow(room) : room;
  }

  /** Offset of the next octet. */
  get at(): number {
    return this.#at;
  }

  header(tag: number, length: number): void {
    this.#at += writeHeader(this.octets, this.#at, tag, length);
  }

  put(octets: Bytes): void {
    if (this.#at + octets.length > this.octets.length) throw new RangeError('the octets do not fit');
    this.octets.set(octets, this.#at);
    this.#at += octets.length;
  }

  tlv(tag: number, value: Bytes): void {
    this.header(tag, value.length);
    this.put(value);
  }

  /** Leaves `length` octets to be filled later and returns their offset; they are zero until then. */
  reserve(length: number): number {
    const offset = this.#at;
    if (offset + length > this.octets.length) throw new RangeError('the octets do not fit');
    this.octets.fill(0, offset, offset + length);
    this.#at += length;
    return offset;
  }

  /** Passes over octets that the caller has filled. */
  skip(length: number): void {
    this.#at += length;
  }

  /** The buffer, which must be full. */
  finish(): Buffer {
    if (this.#at !== this.octets.length) throw new RangeError('the message is not as long as computed');
    return this.octets;
  }
}

/** Writes tag and minimal length at `at`; returns how many octets that took. */
export function writeHeader(target: Bytes, at: number, tag: number, length: number): number {
  if (tag <= 0xff && length < 0x10000) {
    target[at] = tag;
    if (length < 0x80) {
      target[at + 1] = length;
      return 2;
    }
    if (length < 0x100) {
      target[at + 1] = 0x81;
      target[at + 2] = length;
      return 3;
    }
    target[at + 1] = 0x82;
    target[at + 2] = length >>> 8;
    target[at + 3] = length & 0xff;
    return 4;
  }
  const header = tlvHeader(tag, length);
  target.set(header, at);
  return header.length;
}

function tagOctets(tag: number): number {
  return tag > 0xffff ? 3 : tag > 0xff ? 2 : 1;
}
