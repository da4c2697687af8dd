import type { Bytes } from '../../shared/codec/bytes.ts';
import { encodeEid, encodeIccid, encodeInteger, isValidEid } from '../coding.ts';
import { SimError, tlv, tlvHeader, tlvOf } from '../tlv.ts';
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

/** A request that nobody has to hold: its eUICC data are a file, and its items come some at a time, as octets, the same each time. */
export interface StreamedBppRequest extends Pick<BppRequest, 'requestId' | 'orderId'> {
  readonly euiccData?: { readonly size: number; read(): AsyncIterable<Bytes> };
  items(): AsyncIterable<Bytes>;
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
  yield* items();
}

const BPP_REQUEST = 0xff61;
const EUICC_DATA = 0x83;
const ITEMS = 0xa4;
const NOTHING = Buffer.alloc(0);

const namesOf = ({ requestId, orderId }: Pick<BppRequest, 'requestId' | 'orderId'>): Bytes[] => [
  VERSION,
  tlv(0x81, requestId),
  tlv(0x82, text(orderId)),
];

const EID_OCTETS = 16;
/** Of an item beside the digits of its itemId: two headers of two octets, and the EID. */
const BESIDE_ID = 2 + 2 + EID_OCTETS;

/**
 * Items of EIDs and nothing else, numbered on from `first`, in one buffer: by hundreds of thousands, what is made for each octet
 * string of theirs otherwise is garbage by gigabytes.
 */
export function encodeEidItems(first: number, eids: readonly string[]): Bytes {
  const lengthOf = (index: number) => BESIDE_ID + integerLength(first + index);
  const octets = Buffer.allocUnsafe(eids.reduce((sum, _, index) => sum + 2 + lengthOf(index), 0));
  let at = 0;
  const header = (tag: number, length: number) => {
    octets[at++] = tag;
    octets[at++] = length;
  };
  for (const [index, eid] of eids.entries()) {
    if (!isValidEid(eid)) throw new SimError(`${eid} is not an EID`);
    const length = integerLength(first + index);
    header(0x30, lengthOf(index));
    header(0x80, length);
    at = octets.writeUIntBE(first + index, at, length);
    header(0x81, EID_OCTETS);
    at += octets.write(eid, at, 'hex');
  }
  return octets;
}

/** Of a positive INTEGER: its first bit is 0. */
const integerLength = (value: number) => Math.floor((32 - Math.clz32(value)) / 8) + 1;

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
