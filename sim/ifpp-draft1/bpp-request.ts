import type { Bytes } from '../../shared/codec/bytes.ts';
import { encodeEid, encodeIccid, encodeInteger } from '../coding.ts';
import { tlv, tlvHeader, tlvOf } from '../tlv.ts';
import { text, VERSION } from './fields.ts';

export interface RequestItem {
  readonly itemId: number;
  readonly eid: string;
  readonly keyId?: Bytes;
  readonly iccid?: string;
  readonly additional?: boolean;
}

export interface BppRequest {
  readonly requestId: Bytes;
  readonly orderId: string;
  /** A whole FF60: the device manufacturer passes the eUICC data on (path B). */
  readonly euiccData?: Bytes;
  readonly items: readonly RequestItem[];
}

export function encodeBppRequest({ items, euiccData, ...names }: BppRequest): Bytes {
  return tlv(
    BPP_REQUEST,
    ...namesOf(names),
    ...(euiccData === undefined ? [] : [tlv(EUICC_DATA, euiccData)]),
    tlvOf(ITEMS, items.map(encodeRequestItem)),
  );
}

/** A request that nobody has to hold: its eUICC data are a file, and its items come one by one, each time the same. */
export interface StreamedBppRequest extends Pick<BppRequest, 'requestId' | 'orderId'> {
  readonly euiccData?: { readonly size: number; read(): AsyncIterable<Bytes> };
  items(): AsyncIterable<RequestItem>;
}

/** Its octets, piece by piece, where its items take `itemsLength` octets together. */
export async function* streamBppRequest(
  { euiccData, items, ...names }: StreamedBppRequest,
  itemsLength: number,
): AsyncGenerator<Bytes> {
  const data = euiccData && tlvHeader(EUICC_DATA, euiccData.size);
  const list = tlvHeader(ITEMS, itemsLength);
  const start = Buffer.concat(namesOf(names));
  const length = start.length + (data?.length ?? 0) + (euiccData?.size ?? 0) + list.length + itemsLength;
  yield Buffer.concat([tlvHeader(BPP_REQUEST, length), start, data ?? NOTHING]);
  if (euiccData !== undefined) yield* euiccData.read();
  yield list;
  let piece: Bytes[] = [];
  for await (const item of items()) {
    piece.push(encodeRequestItem(item));
    if (piece.length < ITEMS_OF_PIECE) continue;
    yield Buffer.concat(piece);
    piece = [];
  }
  yield Buffer.concat(piece);
}

const BPP_REQUEST = 0xff61;
const EUICC_DATA = 0x83;
const ITEMS = 0xa4;
const ITEMS_OF_PIECE = 1_000;
const NOTHING = Buffer.alloc(0);

const namesOf = ({ requestId, orderId }: Pick<BppRequest, 'requestId' | 'orderId'>): Bytes[] => [
  VERSION,
  tlv(0x81, requestId),
  tlv(0x82, text(orderId)),
];

export function encodeRequestItem({ itemId, eid, keyId, iccid, additional }: RequestItem): Bytes {
  return tlv(
    0x30,
    tlv(0x80, encodeInteger(itemId)),
    tlv(0x81, encodeEid(eid)),
    ...(keyId === undefined ? [] : [tlv(0x82, keyId)]),
    ...(iccid === undefined ? [] : [tlv(0x83, encodeIccid(iccid))]),
    ...(additional === undefined ? [] : [tlv(0x84, Uint8Array.of(additional ? 0xff : 0))]),
  );
}
