import { encodeEid, encodeIccid, encodeId16 } from './identifiers.ts';
import {
  constructed,
  encode,
  integer,
  type Octets,
  primitive,
  privateObject,
  sequence,
  text,
} from './tlv.ts';

export interface RequestItem {
  /** Unique in the request. */
  readonly itemId: number;
  readonly eid: string;
  /** Hexadecimal; absent, the server takes a free key. */
  readonly keyId?: string;
  /** This very profile of the order. */
  readonly iccid?: string;
  /** A further profile of the order for an EID that has one. */
  readonly additional?: boolean;
}

export interface BppRequest {
  /** Hexadecimal, 1 to 16 octets. The same identifier with the same content is answered alike for ever. */
  readonly requestId: string;
  readonly orderId: string;
  /** The EUM's batch (FF60) as it came, on path B. */
  readonly euiccData?: Octets;
  readonly items: readonly RequestItem[];
}

/** BppRequest (FF61). */
export const encodeBppRequest = ({ requestId, orderId, euiccData, items }: BppRequest): Octets =>
  encode(
    privateObject(97, [
      primitive(0, integer(1)),
      primitive(1, encodeId16(requestId)),
      primitive(2, text(orderId)),
      ...(euiccData === undefined ? [] : [primitive(3, euiccData)]),
      constructed(4, items.map(itemBlock)),
    ]),
  );

const itemBlock = ({ itemId, eid, keyId, iccid, additional }: RequestItem) =>
  sequence([
    primitive(0, integer(itemId)),
    primitive(1, encodeEid(eid)),
    ...(keyId === undefined ? [] : [primitive(2, encodeId16(keyId))]),
    ...(iccid === undefined ? [] : [primitive(3, encodeIccid(iccid))]),
    ...(additional === undefined ? [] : [primitive(4, Uint8Array.of(additional ? 0xff : 0))]),
  ]);
