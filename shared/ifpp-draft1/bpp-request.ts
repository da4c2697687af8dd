import type { Bytes } from '../codec/bytes.ts';
import { readSingle, readTlvHeader, TlvReader, tagName, tlv } from '../codec/tlv.ts';
import { Refusal, refuse } from '../errors.ts';
import { read, write } from './fields.ts';
import { ItemIds } from './item-ids.ts';
import { TAG } from './tags.ts';

/** BppRequest (FF61): a device manufacturer asks for Bound Profile Packages. */
const BPP_REQUEST = TAG.bppRequest;

/** Items of one request: as many as an order has profiles. A larger production run is several requests. */
export const MAX_REQUEST_ITEMS = 10_000_000;

export interface RequestItem {
  readonly itemId: number;
  /** As received: 32 hexadecimal characters, digits and check digits not yet verified. */
  readonly eid: string;
  readonly keyId: string | undefined;
  readonly iccid: string | undefined;
  readonly additional: boolean;
  /** Why the item cannot be read beyond its itemId: it is refused alone, and what was not read has no value here. */
  readonly malformed?: Refusal;
}

/** Stands for an EID that could not be read: no eUICC has it, its check digits are wrong. */
export const UNREADABLE_EID = '0'.repeat(32);

export interface BppRequest {
  readonly requestId: string;
  readonly orderId: string;
  /** A whole EuiccDataBatch (path B). */
  readonly euiccData: Bytes | undefined;
  readonly items: readonly RequestItem[];
  /** Offset and end of each item's element in the received request, so that a chunk can be read by range. */
  readonly itemOffsets: readonly number[];
  readonly itemsEnd: number;
}

export function decodeBppRequest(der: Bytes): BppRequest {
  const fields = TlvReader.of(readSingle(der, BPP_REQUEST, 'BppRequest'));
  const { requestId, orderId } = readRequestNames(fields);
  const euiccData = read.has(fields, 3)
    ? read.derTlv(fields, 3, 'euiccData', Number.POSITIVE_INFINITY)
    : undefined;
  const itemOffsets: number[] = [];
  const itemIds = new ItemIds();
  let itemsEnd = 0;
  const items = read.list(fields, 4, 'items', MAX_REQUEST_ITEMS, (list) => {
    itemOffsets.push(list.offset);
    const item = readRequestItem(list);
    itemsEnd = list.offset;
    itemIds.add(item.itemId);
    return item;
  });
  fields.end();
  if (items.length === 0) refuseEmpty();
  return { requestId, orderId, euiccData, items, itemOffsets, itemsEnd };
}

/** The fields before euiccData. */
export function readRequestNames(fields: TlvReader): Pick<BppRequest, 'requestId' | 'orderId'> {
  read.version(fields);
  const requestId = read.id(fields, 1, 'requestId');
  return { requestId, orderId: read.text(fields, 2, 'orderId', 64) };
}

export const refuseEmpty = (): never => refuse('mandatoryElementMissing', 'the request has no items');

/** Decodes concatenated RequestItem elements, as cut out of a request from `offset` on. */
export function decodeRequestItems(elements: Bytes, offset: number): RequestItem[] {
  const list = new TlvReader(elements, ITEMS_PATH, offset);
  const items: RequestItem[] = [];
  while (!list.done) items.push(readRequestItem(list));
  return items;
}

export const ITEMS_PATH = 'FF61/A4';
const REQUEST_ITEM = 0x30;

/**
 * An item is told apart by its frame and its itemId. Without either the answer could not say which item is meant, and
 * the request as a whole is refused; whatever else is wrong spoils the item alone.
 */
export function readRequestItem(list: TlvReader): RequestItem {
  const fields = list.enter(REQUEST_ITEM, 'RequestItem');
  const itemId = read.integer(fields, 0, 'itemId');
  let eid = UNREADABLE_EID;
  try {
    eid = read.eid(fields, 1, 'eid');
    const item = {
      itemId,
      eid,
      keyId: read.has(fields, 2) ? read.id(fields, 2, 'keyId') : undefined,
      iccid: read.has(fields, 3) ? read.iccid(fields, 3, 'iccid') : undefined,
      additional: read.boolean(fields, 4),
    };
    fields.end();
    return item;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { itemId, eid, keyId: undefined, iccid: undefined, additional: false, malformed: error };
  }
}

/** What tells an item apart that is too long to be held, from the first octets of its element, which stands at `offset`. */
export function readItemId(start: Bytes, offset: number): number {
  const { tag, headerLength } = readTlvHeader(start, 0, ITEMS_PATH, offset);
  if (tag !== REQUEST_ITEM)
    refuse('protocolFormat', `RequestItem (30) expected but ${tagName(tag)} found at offset ${offset}`, {
      offset,
    });
  const fields = new TlvReader(start.subarray(headerLength), `${ITEMS_PATH}/30`, offset + headerLength);
  return read.integer(fields, 0, 'itemId');
}

export function encodeBppRequest(request: Omit<BppRequest, 'itemOffsets' | 'itemsEnd'>): Bytes {
  return tlv(
    BPP_REQUEST,
    write.version(),
    write.id(1, request.requestId),
    write.text(2, request.orderId),
    request.euiccData === undefined ? undefined : write.octets(3, request.euiccData),
    write.list(
      4,
      request.items.map((item) =>
        write.sequence(
          write.integer(0, item.itemId),
          write.eid(1, item.eid),
          item.keyId === undefined ? undefined : write.id(2, item.keyId),
          item.iccid === undefined ? undefined : write.iccid(3, item.iccid),
          item.additional ? write.boolean(4, true) : undefined,
        ),
      ),
    ),
  );
}
