import type { Bytes } from '../../shared/codec/bytes.ts';
import { encodeEid, encodeIccid, encodeInteger } from '../coding.ts';
import { tlv, tlvOf } from '../tlv.ts';
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

export function encodeBppRequest(request: BppRequest): Bytes {
  return tlv(
    0xff61,
    VERSION,
    tlv(0x81, request.requestId),
    tlv(0x82, text(request.orderId)),
    ...(request.euiccData === undefined ? [] : [tlv(0x83, request.euiccData)]),
    tlvOf(
      0xa4,
      request.items.map(({ itemId, eid, keyId, iccid, additional }) =>
        tlv(
          0x30,
          tlv(0x80, encodeInteger(itemId)),
          tlv(0x81, encodeEid(eid)),
          ...(keyId === undefined ? [] : [tlv(0x82, keyId)]),
          ...(iccid === undefined ? [] : [tlv(0x83, encodeIccid(iccid))]),
          ...(additional === undefined ? [] : [tlv(0x84, Uint8Array.of(additional ? 0xff : 0))]),
        ),
      ),
    ),
  );
}
