import type { Bytes } from './bytes.ts';
import { writeHeader } from './tlv-header.ts';

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

  /** Octets of a buffer from one offset to another, without a view of it. */
  putFrom(octets: Buffer, from: number, end: number): void {
    if (this.#at + end - from > this.octets.length) throw new RangeError('the octets do not fit');
    octets.copy(this.octets, this.#at, from, end);
    this.#at += end - from;
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
