import { type Bytes, concat } from '../shared/codec/bytes.ts';

/** What the counterparts throw at bytes or calls they cannot accept; nothing of the server's error family. */
export class SimError extends Error {
  override get name(): string {
    return 'SimError';
  }
}

/** One definite-length BER element; `raw` is the whole of it, as received. */
export interface Tlv {
  readonly tag: number;
  readonly headerLength: number;
  readonly value: Bytes;
  readonly raw: Bytes;
}

export interface TlvHeader {
  /** The tag octets read as one big-endian number: 0x80, 0xBF36, 0xFF60. */
  readonly tag: number;
  readonly headerLength: number;
  readonly length: number;
}

/** Tag and minimal definite length at `offset`; the value need not be there. */
export function readHeader(bytes: Bytes, offset = 0): TlvHeader {
  let at = offset;
  const next = (): number => {
    const octet = bytes[at++];
    if (octet === undefined) throw new SimError(`TLV header cut off at octet ${bytes.length}`);
    return octet;
  };
  let tag = next();
  if ((tag & 0x1f) === 0x1f) {
    let octet = next();
    if (octet === 0x80 || octet < 0x1f) throw new SimError(`tag number not minimal at octet ${offset}`);
    tag = (tag << 8) | octet;
    if (octet & 0x80) {
      octet = next();
      if (octet & 0x80) throw new SimError(`tag of more than three octets at octet ${offset}`);
      tag = tag * 256 + octet;
    }
  }
  let length = next();
  if (length === 0x80) throw new SimError(`indefinite length at octet ${offset}`);
  if (length > 0x80) {
    const count = length - 0x80;
    if (count > 4) throw new SimError(`length of ${count} octets at octet ${offset}`);
    length = 0;
    for (let i = 0; i < count; i++) length = length * 256 + next();
    const least = count === 1 ? 0x80 : 256 ** (count - 1);
    if (length < least) throw new SimError(`length not minimal at octet ${offset}`);
  }
  return { tag, headerLength: at - offset, length };
}

/** The element that starts at `offset`. */
export function readTlv(bytes: Bytes, offset = 0): Tlv {
  const { tag, headerLength, length } = readHeader(bytes, offset);
  const start = offset + headerLength;
  if (start + length > bytes.length) throw new SimError(`element at octet ${offset} is cut off`);
  return {
    tag,
    headerLength,
    value: bytes.subarray(start, start + length),
    raw: bytes.subarray(offset, start + length),
  };
}

/** Elements that fill `bytes` to the last octet. */
export function readAll(bytes: Bytes): Tlv[] {
  const elements: Tlv[] = [];
  for (let offset = 0; offset < bytes.length; ) {
    const element = readTlv(bytes, offset);
    elements.push(element);
    offset += element.raw.length;
  }
  return elements;
}

/** Exactly one element, of this tag, and nothing behind it. */
export function readOnly(bytes: Bytes, tag: number): Tlv {
  const element = readTlv(bytes);
  if (element.tag !== tag) throw new SimError(`tag ${hexTag(element.tag)} where ${hexTag(tag)} belongs`);
  if (element.raw.length !== bytes.length) throw new SimError(`octets behind ${hexTag(tag)}`);
  return element;
}

export function hexTag(tag: number): string {
  const hex = tag.toString(16).toUpperCase();
  return hex.length % 2 === 0 ? hex : `0${hex}`;
}

/** Takes the fields of a SEQUENCE in their order; `end` refuses what nobody asked for. */
export class Fields {
  readonly #elements: readonly Tlv[];
  #at = 0;

  constructor(value: Bytes) {
    this.#elements = readAll(value);
  }

  take(tag: number): Tlv {
    const found = this.maybe(tag);
    if (found === undefined) throw new SimError(`mandatory field ${hexTag(tag)} is missing`);
    return found;
  }

  maybe(tag: number): Tlv | undefined {
    const element = this.#elements[this.#at];
    if (element?.tag !== tag) return undefined;
    this.#at++;
    return element;
  }

  /** The next field, whatever it is. */
  any(): Tlv {
    const element = this.#elements[this.#at++];
    if (element === undefined) throw new SimError('a mandatory field is missing');
    return element;
  }

  end(): void {
    const rest = this.#elements[this.#at];
    if (rest !== undefined) throw new SimError(`unexpected field ${hexTag(rest.tag)}`);
  }
}

/** Writes tag, minimal length and the parts one after another. */
export function tlv(tag: number, ...parts: readonly Bytes[]): Bytes {
  return tlvOf(tag, parts);
}

/** The same with a list, whose parts may be more than a call takes for arguments: about 100,000. */
export function tlvOf(tag: number, parts: readonly Bytes[]): Bytes {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return Buffer.concat([tlvHeader(tag, length), ...parts]);
}

/** Tag and minimal length of a value that comes separately. */
export function tlvHeader(tag: number, length: number): Bytes {
  return Buffer.concat([bigEndian(tag), lengthOctets(length)]);
}

function lengthOctets(length: number): Bytes {
  if (length < 0x80) return Uint8Array.of(length);
  const octets = bigEndian(length);
  return concat(Uint8Array.of(0x80 + octets.length), octets);
}

/** The shortest big-endian octets of a non-negative number, at least one. */
export function bigEndian(value: number): Bytes {
  const octets: number[] = [];
  do {
    octets.unshift(value % 256);
    value = Math.floor(value / 256);
  } while (value > 0);
  return Uint8Array.from(octets);
}
