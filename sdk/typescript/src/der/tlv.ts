import { type BaseBlock, Constructed, fromBER, OctetString, Primitive, Sequence, Utf8String } from 'asn1js';

/** Octets of the caller or of the peer; nothing here keeps or changes them. */
export type Octets = Uint8Array;

/** What is no DER of ifpp-draft1.asn, or cannot be written as such. */
export class DerError extends Error {
  override readonly name = 'DerError';
}

const CONTEXT = 3;
const PRIVATE = 4;

export const primitive = (tagNumber: number, valueHex: Octets): BaseBlock =>
  new Primitive({ idBlock: { tagClass: CONTEXT, tagNumber }, valueHex });

export const constructed = (tagNumber: number, value: BaseBlock[]): BaseBlock =>
  new Constructed({ idBlock: { tagClass: CONTEXT, tagNumber }, value });

/** An object of the module: [PRIVATE n], which is FF60 for 96 and so on. */
export const privateObject = (tagNumber: number, value: BaseBlock[]): BaseBlock =>
  new Constructed({ idBlock: { tagClass: PRIVATE, tagNumber }, value });

export const sequence = (value: BaseBlock[]): BaseBlock => new Sequence({ value });

/** A whole DER element inside an OCTET STRING (DerTlv). */
export const derTlv = (valueHex: Octets): BaseBlock => new OctetString({ valueHex });

export const utf8String = (value: string): BaseBlock => new Utf8String({ value });

export const encode = (block: BaseBlock): Octets => new Uint8Array(block.toBER());

/** The content of an INTEGER of 0 to 2^47. */
export function integer(value: number): Octets {
  if (!Number.isSafeInteger(value) || value < 0) throw new DerError(`${value} is not a number from 0`);
  let hex = value.toString(16);
  if (hex.length % 2 === 1) hex = `0${hex}`;
  return fromHex(Number.parseInt(hex.slice(0, 2), 16) >= 0x80 ? `00${hex}` : hex);
}

export const text = (value: string): Octets => new TextEncoder().encode(value);

/** Fields of an element in their order. */
export class Fields {
  readonly #blocks: readonly BaseBlock[];
  readonly #what: string;
  #next = 0;

  constructor(block: BaseBlock, what: string) {
    if (!(block instanceof Constructed) && !(block instanceof Sequence))
      throw new DerError(`${what} is not constructed`);
    this.#blocks = block.valueBlock.value;
    this.#what = what;
  }

  get rest(): readonly BaseBlock[] {
    return this.#blocks.slice(this.#next);
  }

  /** The field with this context tag, or undefined where another one stands there. */
  maybe(tagNumber: number): BaseBlock | undefined {
    const block = this.#blocks[this.#next];
    const { tagClass, tagNumber: found } = block?.idBlock ?? {};
    if (block === undefined || tagClass !== CONTEXT || found !== tagNumber) return undefined;
    this.#next++;
    return block;
  }

  take(tagNumber: number): BaseBlock {
    const block = this.maybe(tagNumber);
    if (block === undefined) throw new DerError(`${this.#what} has no field ${tagNumber} where it should be`);
    return block;
  }

  end(): void {
    if (this.#next < this.#blocks.length) throw new DerError(`${this.#what} has a field too many`);
  }
}

/** Reads one whole element, nothing behind it. */
export function read(der: Octets, what: string): BaseBlock {
  const { offset, result } = fromBER(der);
  if (offset === -1 || result.error !== '') throw new DerError(`${what} is not DER: ${result.error}`);
  if (offset !== der.length) throw new DerError(`${what} has octets behind its end`);
  return result;
}

export function readPrivate(der: Octets, tagNumber: number, what: string): Fields {
  const block = read(der, what);
  if (block.idBlock.tagClass !== PRIVATE || block.idBlock.tagNumber !== tagNumber)
    throw new DerError(`this is not ${what}`);
  return new Fields(block, what);
}

/** Elements one after another, as a part of a large answer has them. */
export function* readSeries(octets: Octets, what: string): Generator<BaseBlock> {
  for (let at = 0; at < octets.length; ) {
    const { offset, result } = fromBER(octets.subarray(at));
    if (offset <= 0) throw new DerError(`${what} is not DER: ${result.error}`);
    yield result;
    at += offset;
  }
}

/** The content octets of a primitive element. */
export function content(block: BaseBlock): Octets {
  if (block instanceof Primitive || block instanceof OctetString)
    return new Uint8Array(block.valueBlock.valueHexView);
  throw new DerError('an element is constructed that should be primitive');
}

export const children = (block: BaseBlock, what: string): readonly BaseBlock[] =>
  new Fields(block, what).rest;
export const contents = (block: BaseBlock, what: string): Octets[] => children(block, what).map(content);
export const readText = (block: BaseBlock): string =>
  new TextDecoder('utf-8', { fatal: true }).decode(content(block));
export const readInteger = (block: BaseBlock): number => Number.parseInt(toHex(content(block)) || '0', 16);

/** Upper case, as in JSON answers. */
export const toHex = (octets: Octets): string =>
  Array.from(octets, (octet) => octet.toString(16).padStart(2, '0'))
    .join('')
    .toUpperCase();

export function fromHex(hex: string): Octets {
  if (!/^(?:[0-9a-f]{2})*$/i.test(hex)) throw new DerError('not hexadecimal');
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}
