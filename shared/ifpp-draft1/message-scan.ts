import type { Bytes } from '../codec/bytes.ts';
import { OctetStream } from '../codec/octet-stream.ts';
import { MAX_TLV_HEADER, readTlvHeader, type TlvHeader, TlvReader, tagName } from '../codec/tlv.ts';
import { refuse } from '../errors.ts';

/*
 * Messages that are read as they arrive: a few fields, and then one list of items, of which one is in memory at a time.
 */

/**
 * More than an item of any of these messages takes: its largest field is a DER element of 16 KiB (`LIMITS.derTlv`). One that has more is
 * refused by itself once it is read, as anything else that is wrong with an item: here its start is enough, and the rest is passed.
 */
export const ITEM_LIMIT = 64 * 1024;
/** Of an item above the limit so much is seen here: its frame, and the field that tells it apart. */
const ITEM_START = 64;

/**
 * Octets of items that are read together, later and at once: what so many of the largest take. Where one item takes more than all
 * the others leave, nobody could read them.
 */
export class Together {
  readonly #items: number;
  readonly #limit: number;
  #from = 0;

  /** `items` are read at once, `limit` octets in each of them unless others have less. */
  constructor(items: number, limit: number) {
    this.#items = items;
    this.#limit = limit;
  }

  /** Takes item `index`, from `offset` to `end`. */
  add(index: number, offset: number, end: number): void {
    if (index % this.#items === 0) this.#from = offset;
    const room = this.#items * this.#limit;
    if (end - this.#from > room)
      refuse(
        'tooLarge',
        `item ${index} has ${end - offset} octets, more than the ${room - (offset - this.#from)} that are left of ${room} for ${this.#items} items that are read together`,
        { offset },
      );
  }
}

export interface MessageForm {
  readonly tag: number;
  readonly name: string;
  /** Within so many octets are the first fields, and the header of what follows them. */
  readonly start: number;
}

/** A message of `size` octets as it arrives: its first fields, as `read` takes them, and the stream behind them. */
export async function openMessage<Fields>(
  octets: AsyncIterable<Bytes>,
  size: number,
  form: MessageForm,
  read: (fields: TlvReader) => Fields,
): Promise<{ readonly first: Fields; readonly stream: OctetStream }> {
  const stream = new OctetStream(octets);
  await stream.fill(form.start);
  const fields = fieldsOfStart(stream.buffered, size, form);
  const first = read(fields);
  stream.take(fields.offset);
  return { first, stream };
}

/** A message of which `octets` are the first; `size` is what it has as a whole. Its fields, as far as they are there. */
export function fieldsOfStart(
  octets: Bytes,
  size: number,
  { tag, name }: Pick<MessageForm, 'tag' | 'name'>,
): TlvReader {
  const outer = readTlvHeader(octets);
  if (outer.tag !== tag)
    refuse(
      'protocolFormat',
      `${name} (${tagName(tag)}) expected but ${tagName(outer.tag)} found at offset 0`,
      {
        offset: 0,
        defect: 'otherKind',
      },
    );
  const whole = outer.headerLength + outer.length;
  const path = tagName(tag);
  if (whole !== size) malformed(0, path, `${path} has ${whole} octets, the object ${size}`);
  return new TlvReader(octets.subarray(outer.headerLength), path, outer.headerLength);
}

/** Tag and length of the next field, which is not read past. */
export async function nextHeader(stream: OctetStream, path: string): Promise<TlvHeader> {
  await stream.fill(MAX_TLV_HEADER);
  return readTlvHeader(stream.buffered, 0, path, stream.offset);
}

export interface ListForm {
  /** Tag of the list. */
  readonly tag: number;
  readonly name: string;
  readonly path: string;
  readonly maxItems: number;
}

/** An item as it is seen in a scan: its whole element, or, of one above the limit, the start of that. */
export interface SeenItem {
  readonly octets: Bytes;
  readonly offset: number;
  readonly isWhole: boolean;
}

/**
 * The list with which a message of `size` octets ends, item by item; where the items end. `together` of them are read at once
 * later on.
 */
export async function scanLastList(
  stream: OctetStream,
  size: number,
  { tag, name, path, maxItems }: ListForm,
  together: number,
  each: (item: SeenItem, index: number) => void,
): Promise<number> {
  const room = new Together(together, ITEM_LIMIT);
  const list = await nextHeader(stream, path);
  if (list.tag !== tag)
    malformed(stream.offset, path, `${name} (${tagName(tag)}) expected but ${tagName(list.tag)} found`);
  stream.take(list.headerLength);
  const end = stream.offset + list.length;
  if (end !== size) malformed(stream.offset, path, `${name} end at octet ${end}, the message at ${size}`);
  const itemPath = `${path}/${tagName(tag)}`;
  for (let index = 0; stream.offset < end; index++) {
    if (index >= maxItems) refuse('tooLarge', `${name} has more than ${maxItems} entries`);
    const { offset } = stream;
    if (stream.bufferedLength < MAX_TLV_HEADER) await stream.fill(MAX_TLV_HEADER);
    const { headerLength, length } = readTlvHeader(stream.buffered, 0, itemPath, offset);
    const whole = headerLength + length;
    if (offset + whole > end) malformed(offset, itemPath, `item ${index} reaches beyond the list`);
    room.add(index, offset, offset + whole);
    const isWhole = whole <= ITEM_LIMIT;
    const seen = isWhole ? whole : ITEM_START;
    if (stream.bufferedLength < seen) await stream.fill(seen);
    if (stream.bufferedLength < seen) malformed(offset, itemPath, `item ${index} is cut off`);
    each({ octets: stream.take(seen), offset, isWhole }, index);
    if (!isWhole && (await stream.skip(whole - seen)) > 0)
      malformed(offset, itemPath, `item ${index} is cut off`);
  }
  return end;
}

export function malformed(offset: number, path: string, what: string): never {
  return refuse('protocolFormat', `${what} at offset ${offset} in ${path}`, {
    offset,
    subjectIdentifier: path,
  });
}
