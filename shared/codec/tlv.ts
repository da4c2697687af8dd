import { type Defect, Refusal } from '../errors.ts';
import type { Bytes } from './bytes.ts';
import { headerLength, tlvLength, writeHeader } from './tlv-header.ts';

/**
 * Strict BER-TLV (ISO/IEC 8825-1) in the subset that SGP.22 and X.509 use: definite, minimal lengths of at most
 * four octets, tags of at most three octets in their shortest form. A tag is written as the number of its octets,
 * so BF36 is `0xbf36` and 9F1F is `0x9f1f`.
 *
 * Reading never copies: `raw` and `value` are views of the received octets, so a signature can be verified over
 * exactly what came in. Anything else than a well-formed element is refused with the path of tags that led there
 * and the offset in the received octets.
 */
export interface Tlv {
  readonly tag: number;
  /** Bit 6 of the first tag octet. */
  readonly constructed: boolean;
  /** Offset of the tag in the octets given to the first reader. */
  readonly offset: number;
  /** The whole element: tag, length and value. */
  readonly raw: Bytes;
  readonly value: Bytes;
}

/** The parts of a tag's name in messages, such as `BF36/BF23/80`. */
export function tagName(tag: number): string {
  const hex = tag.toString(16).toUpperCase();
  return hex.length % 2 === 0 ? hex : `0${hex}`;
}

/** The path of tags to a place, or a reader that can tell its own: nearly none is ever asked for. */
type Place = string | { readonly path: string };

function malformed(place: Place, offset: number, what: string, defect: Defect = 'rule'): never {
  const path = typeof place === 'string' ? place : place.path;
  throw new Refusal('protocolFormat', `${what} at offset ${offset}${path === '' ? '' : ` in ${path}`}`, {
    offset,
    defect,
    ...(path !== '' && { subjectIdentifier: path }),
  });
}

/** Tag and length of an element, and where its value begins. */
export interface TlvHeader {
  readonly tag: number;
  readonly constructed: boolean;
  /** Octets of tag and length. */
  readonly headerLength: number;
  /** Octets of the value. */
  readonly length: number;
}

/** Longest tag and length, in octets. */
export const MAX_TLV_HEADER = 8;

/** Reads tag and length at `position` of `bytes`, which need not hold the value. */
export function readTlvHeader(bytes: Bytes, position = 0, path: Place = '', base = 0): TlvHeader {
  return headerWithin(bytes, position, bytes.length, path, base);
}

/** The same where the data ends at `end`. */
function headerWithin(bytes: Bytes, position: number, end: number, path: Place, base: number): TlvHeader {
  const start = position;
  let at = position;
  if (at >= end) malformed(path, base + start, 'element expected but the data ends', 'cutOff');
  const first = bytes[at++]!;
  let tag = first;
  if ((first & 0x1f) === 0x1f) {
    if (at >= end) malformed(path, base + start, 'tag is cut off', 'cutOff');
    let octet = bytes[at++]!;
    if (octet === 0x80) malformed(path, base + start, 'tag is not in its shortest form');
    tag = tag * 256 + octet;
    if ((octet & 0x80) !== 0) {
      if (at >= end) malformed(path, base + start, 'tag is cut off', 'cutOff');
      octet = bytes[at++]!;
      if ((octet & 0x80) !== 0) malformed(path, base + start, 'tag is longer than three octets');
      tag = tag * 256 + octet;
    } else if (octet < 0x1f) {
      malformed(path, base + start, 'tag is not in its shortest form');
    }
  }
  if (at >= end) malformed(path, base + start, `length of ${tagName(tag)} is cut off`, 'cutOff');
  const initial = bytes[at++]!;
  let length = initial;
  if (initial >= 0x80) {
    const octets = initial & 0x7f;
    if (octets === 0) malformed(path, base + start, `length of ${tagName(tag)} is indefinite`);
    if (octets > 4) malformed(path, base + start, `length of ${tagName(tag)} has more than four octets`);
    if (at + octets > end) malformed(path, base + start, `length of ${tagName(tag)} is cut off`, 'cutOff');
    length = 0;
    for (let i = 0; i < octets; i++) length = length * 256 + bytes[at++]!;
    if (length < 0x80 || length < 2 ** (8 * (octets - 1))) {
      malformed(path, base + start, `length of ${tagName(tag)} is not minimal`);
    }
  }
  return { tag, constructed: (first & 0x20) !== 0, headerLength: at - start, length };
}

/** An element where it was read. Its views are made when they are asked for, since most elements are only entered. */
class Element implements Tlv {
  readonly tag: number;
  readonly constructed: boolean;
  readonly offset: number;
  /** Of which the element is octets `start` to `end`, and its value those from `valueStart`. */
  readonly bytes: Bytes;
  readonly start: number;
  readonly valueStart: number;
  readonly end: number;

  constructor(bytes: Bytes, start: number, base: number, header: TlvHeader) {
    this.tag = header.tag;
    this.constructed = header.constructed;
    this.offset = base + start;
    this.bytes = bytes;
    this.start = start;
    this.valueStart = start + header.headerLength;
    this.end = this.valueStart + header.length;
  }

  get raw(): Bytes {
    return this.bytes.subarray(this.start, this.end);
  }

  get value(): Bytes {
    return this.bytes.subarray(this.valueStart, this.end);
  }
}

/** Reads the element at `position` of `bytes`; what follows it is left to the caller. */
export function readTlv(bytes: Bytes, position = 0, path: Place = '', base = 0): Tlv {
  return elementWithin(bytes, position, bytes.length, path, base);
}

/** The same where the data ends at `end`. */
function elementWithin(bytes: Bytes, position: number, end: number, path: Place, base: number): Element {
  const header = headerWithin(bytes, position, end, path, base);
  const { tag, headerLength, length } = header;
  const left = end - position - headerLength;
  if (length > left)
    malformed(path, base + position, `${tagName(tag)} claims ${length} octets but ${left} remain`, 'cutOff');
  return new Element(bytes, position, base, header);
}

/** Views of the elements that stand one after the other in `bytes`, whose frames were read before. */
export function splitElements(bytes: Bytes): Bytes[] {
  const elements: Bytes[] = [];
  for (let at = 0; at < bytes.length; ) {
    const { headerLength, length } = readTlvHeader(bytes, at);
    elements.push(bytes.subarray(at, at + headerLength + length));
    at += headerLength + length;
  }
  return elements;
}

/** Reads an element that must fill `bytes` entirely. */
export function readSingleTlv(bytes: Bytes, path = '', base = 0): Tlv {
  const element = elementWithin(bytes, 0, bytes.length, path, base);
  const { end } = element;
  if (end !== bytes.length)
    malformed(path, base + end, `${bytes.length - end} octets follow ${tagName(element.tag)}`);
  return element;
}

/** Reads `bytes` as exactly one element with this tag. */
export function readSingle(bytes: Bytes, tag: number, name: string): Tlv {
  const element = readSingleTlv(bytes);
  if (element.tag !== tag) {
    malformed('', 0, `${name} (${tagName(tag)}) expected but ${tagName(element.tag)} found`, 'otherKind');
  }
  return element;
}

/**
 * Walks the children of a constructed value in order. Every decoder ends with `end()`, so nothing unknown and
 * nothing trailing passes silently.
 */
export class TlvReader {
  readonly #bytes: Bytes;
  readonly #base: number;
  readonly #end: number;
  readonly #within: Place;
  /** The element whose children are read; undefined where the path says it all. */
  readonly #tag: number | undefined;
  readonly #start: number;
  #at: number;
  #peeked: Tlv | undefined;

  /** `base` is the offset of `bytes` in the message, for error messages. */
  constructor(bytes: Bytes, path?: string, base?: number);
  /** The children of an element, which lies within `path`. */
  constructor(element: Tlv, path: Place);
  constructor(of: Bytes | Tlv, path: Place = '', base = 0) {
    this.#within = path;
    if (of instanceof Element) {
      this.#tag = of.tag;
      this.#bytes = of.bytes;
      this.#base = of.offset - of.start;
      this.#start = of.valueStart;
      this.#at = this.#start;
      this.#end = of.end;
      return;
    }
    const octets = of instanceof Uint8Array ? of : of.value;
    this.#bytes = octets;
    this.#base = of instanceof Uint8Array ? base : of.offset + of.raw.length - of.value.length;
    this.#tag = of instanceof Uint8Array ? undefined : of.tag;
    this.#start = 0;
    this.#at = 0;
    this.#end = octets.length;
  }

  /** A reader of the element's children. */
  static of(element: Tlv, parentPath = ''): TlvReader {
    return new TlvReader(element, parentPath);
  }

  /** Tags that lead to the children. */
  get path(): string {
    const within = typeof this.#within === 'string' ? this.#within : this.#within.path;
    if (this.#tag === undefined) return within;
    return within === '' ? tagName(this.#tag) : `${within}/${tagName(this.#tag)}`;
  }

  /** Offset of the next child in the message. */
  get offset(): number {
    return this.#base + this.#at;
  }

  /** The octets of the children that were read, as received: what a signature or a hash in the next one is over. */
  get readSoFar(): Bytes {
    return this.#bytes.subarray(this.#start, this.#at);
  }

  get done(): boolean {
    return this.#at >= this.#end;
  }

  peek(): Tlv | undefined {
    if (this.#at >= this.#end) return undefined;
    this.#peeked ??= elementWithin(this.#bytes, this.#at, this.#end, this, this.#base);
    return this.#peeked;
  }

  /** The next child, whatever its tag. */
  next(name = 'element'): Tlv {
    const element = this.peek() ?? malformed(this, this.offset, `${name} is missing`);
    this.pass(element);
    return element;
  }

  /** Goes on behind the child that was peeked at. */
  protected pass(element: Tlv): void {
    this.#at += element instanceof Element ? element.end - element.start : element.raw.length;
    this.#peeked = undefined;
  }

  /** The next child, which must have this tag. */
  expect(tag: number, name: string): Tlv {
    const element = this.peek();
    if (element === undefined) malformed(this.path, this.offset, `${name} (${tagName(tag)}) is missing`);
    if (element.tag !== tag) {
      malformed(
        this.path,
        this.offset,
        `${name} (${tagName(tag)}) expected but ${tagName(element.tag)} found`,
        this.path === '' ? 'otherKind' : 'rule',
      );
    }
    return this.next(name);
  }

  /** The next child if it has this tag. */
  optional(tag: number): Tlv | undefined {
    return this.peek()?.tag === tag ? this.next() : undefined;
  }

  /** A reader of the children of the next child, which must have this tag. */
  enter(tag: number, name: string): TlvReader {
    return new TlvReader(this.expect(tag, name), this);
  }

  /** Refuses whatever is left. */
  end(): void {
    const element = this.peek();
    if (element !== undefined) malformed(this.path, element.offset, `unexpected ${tagName(element.tag)}`);
  }

  /** Refuses the value just read, for a rule above TLV. */
  refuse(element: Tlv, what: string): never {
    malformed(this.path, element.offset, `${tagName(element.tag)}: ${what}`);
  }

  /** The value, which must have a length within [min, max] octets. */
  octets(tag: number, name: string, min: number, max = min): Bytes {
    const element = this.expect(tag, name);
    const { value } = element;
    if (value.length < min || value.length > max) {
      const allowed = min === max ? `${min}` : `${min} to ${max}`;
      this.refuse(element, `${name} has ${value.length} octets, not ${allowed}`);
    }
    return value;
  }

  /** A non-negative INTEGER in its shortest form, at most 2^47. */
  integer(tag: number, name: string): number {
    const element = this.expect(tag, name);
    return unsignedInteger(element, (what) => this.refuse(element, `${name} ${what}`));
  }

  /** Well-formed UTF-8 of at most `max` octets. */
  text(tag: number, name: string, max: number): string {
    const element = this.expect(tag, name);
    const { value } = element;
    if (value.length > max) this.refuse(element, `${name} is longer than ${max} octets`);
    try {
      return strictUtf8.decode(value);
    } catch {
      return this.refuse(element, `${name} is not UTF-8`);
    }
  }
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function unsignedInteger({ value }: Tlv, fail: (what: string) => never): number {
  if (value.length === 0) fail('is empty');
  if (value[0]! & 0x80) fail('is negative');
  if (value.length > 1 && value[0] === 0 && !(value[1]! & 0x80)) fail('is not in its shortest form');
  if (value.length > 6) fail('is too large');
  let number = 0;
  for (const octet of value) number = number * 256 + octet;
  return number;
}

/** Octets of a tag and a minimal length. */
export function tlvHeader(tag: number, length: number): Bytes {
  const octets = Buffer.allocUnsafe(headerLength(tag, length));
  writeHeader(octets, 0, tag, length);
  return octets;
}

/** One element: tag, minimal length, the parts in order. Undefined parts are left out, for OPTIONAL fields. */
export function tlv(tag: number, ...parts: readonly (Bytes | undefined)[]): Bytes {
  return tlvOf(tag, parts);
}

/** The same with a list, whose parts may be more than a call takes for arguments: about 100,000. */
export function tlvOf(tag: number, parts: readonly (Bytes | undefined)[]): Bytes {
  let length = 0;
  for (const part of parts) if (part !== undefined) length += part.length;
  const octets = Buffer.allocUnsafe(headerLength(tag, length) + length);
  let at = writeHeader(octets, 0, tag, length);
  for (const part of parts) {
    if (part === undefined) continue;
    octets.set(part, at);
    at += part.length;
  }
  return octets;
}

/** One element whose children are primitive and have the context tags 80, 81 … in order, written without an element for each. */
export function tlvOfFields(tag: number, values: readonly Bytes[]): Bytes {
  const first = 0x80;
  let length = 0;
  for (let i = 0; i < values.length; i++) length += tlvLength(first + i, values[i]!.length);
  const octets = Buffer.allocUnsafe(tlvLength(tag, length));
  let at = writeHeader(octets, 0, tag, length);
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    at += writeHeader(octets, at, first + i, value.length);
    octets.set(value, at);
    at += value.length;
  }
  return octets;
}

/** An INTEGER value in its shortest form, for a non-negative safe integer. */
export function integerValue(value: number): Bytes {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError('not a non-negative safe integer');
  let length = 1;
  // one bit is left for the sign
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x100)) length++;
  const octets = Buffer.allocUnsafe(length);
  for (let at = length - 1, rest = value; at >= 0; at--, rest = Math.floor(rest / 0x100))
    octets[at] = rest % 0x100;
  return octets;
}
