import { type Bytes, toHex } from '../codec/bytes.ts';
import type { OctetStream } from '../codec/octet-stream.ts';
import { TlvReader } from '../codec/tlv.ts';
import type { ByteRange } from '../vault/vault.ts';
import {
  type BppRequest,
  ITEMS_PATH,
  MAX_REQUEST_ITEMS,
  readRequestItem,
  readRequestNames,
  refuseEmpty,
} from './bpp-request.ts';
import { ItemIds } from './item-ids.ts';
import { malformed, nextHeader, openMessage, scanLastList } from './message-scan.ts';
import { TAG } from './tags.ts';

/** What a request asks for, in 16 octets an item: as many as 200,000 are in memory while a request is taken on. */
export interface BppRequestFrame {
  readonly requestId: string;
  readonly orderId: string;
  /** Where in the request an EuiccDataBatch (path B) stands. */
  readonly euiccData: ByteRange | undefined;
  readonly items: number;
  /** Offset of the first item of each chunk, and of the end of the items: one more than there are chunks. */
  readonly chunkOffsets: readonly number[];
  /** As received: 32 hexadecimal characters, digits and check digits not yet verified. */
  eidOf(index: number): string;
  /** ICCIDs that items name, by index. */
  readonly iccids: ReadonlyMap<number, string>;
}

/** The frame of a request that is in memory as a whole. */
export function frameOfRequest(der: Bytes, request: BppRequest, chunkSize: number): BppRequestFrame {
  const { requestId, orderId, euiccData, items, itemOffsets, itemsEnd } = request;
  return {
    requestId,
    orderId,
    euiccData: euiccData && { offset: euiccData.byteOffset - der.byteOffset, length: euiccData.length },
    items: items.length,
    chunkOffsets: [...itemOffsets.filter((_, i) => i % chunkSize === 0), itemsEnd],
    eidOf: (index) => items[index]!.eid,
    iccids: new Map(items.flatMap(({ iccid }, i) => (iccid === undefined ? [] : [[i, iccid] as const]))),
  };
}

/**
 * Walks a request of `size` octets once, with the memory of its EIDs and no more. Takes and refuses what `decodeBppRequest` does,
 * and refuses besides an item of more than 64 KiB.
 */
export async function scanBppRequest(
  octets: AsyncIterable<Bytes>,
  size: number,
  chunkSize: number,
): Promise<BppRequestFrame> {
  const { first: names, stream } = await openMessage(octets, size, BPP_REQUEST, readRequestNames);
  const euiccData = await passEuiccData(stream, size);
  const chunkOffsets: number[] = [];
  const eids = new EidColumn();
  const ids = new ItemIds();
  const iccids = new Map<number, string>();
  const end = await scanLastList(stream, size, ITEMS, (element, offset, index) => {
    if (index % chunkSize === 0) chunkOffsets.push(offset);
    const { itemId, eid, iccid } = readRequestItem(new TlvReader(element, ITEMS_PATH, offset));
    ids.add(itemId);
    eids.push(eid);
    if (iccid !== undefined) iccids.set(index, iccid);
  });
  if (eids.count === 0) refuseEmpty();
  chunkOffsets.push(end);
  return { ...names, euiccData, items: eids.count, chunkOffsets, eidOf: (index) => eids.at(index), iccids };
}

const BPP_REQUEST = { tag: TAG.bppRequest, name: 'BppRequest', start: 256 } as const;
const EUICC_DATA = 0x83;
const ITEMS = { tag: 0xa4, name: 'items', path: 'FF61', maxItems: MAX_REQUEST_ITEMS } as const;

/** Where the octet string stands, if there is one, which a single element fills. */
async function passEuiccData(stream: OctetStream, size: number): Promise<ByteRange | undefined> {
  const { tag, headerLength, length } = await nextHeader(stream, 'FF61');
  if (tag !== EUICC_DATA) return undefined;
  stream.take(headerLength);
  const { offset } = stream;
  if (offset + length > size) malformed(offset, 'FF61', 'euiccData reaches beyond the request');
  const element = await nextHeader(stream, 'FF61');
  const whole = element.headerLength + element.length;
  if (whole !== length) malformed(offset, 'FF61', `euiccData has ${length} octets, its element ${whole}`);
  await stream.skip(length);
  return { offset, length };
}

/** EIDs as 16 octets each. */
class EidColumn {
  #octets = Buffer.alloc(16 * 1024);
  #length = 0;

  push(eid: string): void {
    if (this.#length === this.#octets.length)
      this.#octets = Buffer.concat([this.#octets], 2 * this.#octets.length);
    this.#octets.write(eid, this.#length, 'hex');
    this.#length += 16;
  }

  get count(): number {
    return this.#length / 16;
  }

  at(index: number): string {
    return toHex(this.#octets.subarray(16 * index, 16 * index + 16));
  }
}
