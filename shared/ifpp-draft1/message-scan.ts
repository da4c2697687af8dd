import type { Bytes } from '../codec/bytes.ts';
import { OctetStream } from '../codec/octet-stream.ts';
import { MAX_TLV_HEADER, readTlvHeader, type TlvHeader, TlvReader, tagName } from '../codec/tlv.ts';
import { refuse } from '../errors.ts';

/*
 * Messages that are read as they arrive: a few fields, and then one list of items, of which one is in memory at a time.
 */

/** More than an item of any of these messages takes. */
const MAX_ITEM = 64 * 1024;

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

/** The list with which a message of `size` octets ends, item by item; where the items end. */
export async function scanLastList(
  stream: OctetStream,
  size: number,
  { tag, name, path, maxItems }: ListForm,
  each: (element: Bytes, offset: number, index: number) => void,
): Promise<number> {
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
    if (whole > MAX_ITEM)
      refuse('tooLarge', `item ${index} has ${whole} octets, more than ${MAX_ITEM}`, { offset });
    if (stream.bufferedLength < whole) await stream.fill(whole);
    if (stream.bufferedLength < whole) malformed(offset, itemPath, `item ${index} is cut off`);
    each(stream.take(whole), offset, index);
  }
  return end;
}

export function malformed(offset: number, path: string, what: string): never {
  return refuse('protocolFormat', `${what} at offset ${offset} in ${path}`, {
    offset,
    subjectIdentifier: path,
  });
}
