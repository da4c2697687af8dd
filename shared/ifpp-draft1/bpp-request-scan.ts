import type { Bytes } from '../codec/bytes.ts';
import type { OctetStream } from '../codec/octet-stream.ts';
import { TlvReader } from '../codec/tlv.ts';
import type { ByteRange } from '../vault/vault.ts';
import {
  type BppRequest,
  ITEMS_PATH,
  MAX_REQUEST_ITEMS,
  type RequestItem,
  readItemId,
  readRequestItem,
  readRequestNames,
  refuseEmpty,
} from './bpp-request.ts';
import { firstTwice, IDS_AT_ONCE, ItemIds, refuseTwice } from './item-ids.ts';
import { fieldsOfStart, malformed, nextHeader, openMessage, scanLastList } from './message-scan.ts';
import { TAG } from './tags.ts';

/** Where everything of a request lies. */
export interface BppRequestPlaces {
  readonly requestId: string;
  readonly orderId: string;
  /** Where in the request an EuiccDataBatch (path B) stands. */
  readonly euiccData: ByteRange | undefined;
  readonly items: number;
  /** Offset of the first item of each chunk, and of the end of the items: one more than there are chunks. */
  readonly chunkOffsets: readonly number[];
}

/** What a request asks for that is in memory as a whole. */
export interface BppRequestFrame extends BppRequestPlaces {
  /** As received: 32 hexadecimal characters, digits and check digits not yet verified. */
  eidOf(index: number): string;
  /** ICCIDs that items name, by index. */
  readonly iccids: ReadonlyMap<number, string>;
}

/** What there is to be known beforehand of a request that is read as it arrives. */
export interface ScannedBppRequest extends BppRequestPlaces {
  /** Whether any item names its ICCID. */
  readonly namesIccids: boolean;
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

/** Within so many octets are the fields before euiccData, and the header of what follows them. */
export const BPP_REQUEST_START = 256;
const BPP_REQUEST = { tag: TAG.bppRequest, name: 'BppRequest', start: BPP_REQUEST_START } as const;
const EUICC_DATA = 0x83;
const ITEMS = { tag: 0xa4, name: 'items', path: 'FF61', maxItems: MAX_REQUEST_ITEMS } as const;

/** The fields before euiccData, of a request of `size` octets of which these are the first. */
export const readRequestStart = (
  octets: Bytes,
  size: number,
): Pick<BppRequestPlaces, 'requestId' | 'orderId'> =>
  readRequestNames(fieldsOfStart(octets, size, BPP_REQUEST));

/**
 * Walks a request of `size` octets with flat memory: once, as long as its itemIds ascend or are few, and for each `idsAtOnce` of
 * them once more where they are neither; `octets` begins anew each time. Takes and refuses what `decodeBppRequest` does, and refuses
 * besides an item that leaves no room for the others of its chunk.
 */
export async function scanBppRequest(
  octets: () => AsyncIterable<Bytes>,
  size: number,
  chunkSize: number,
  idsAtOnce: number = IDS_AT_ONCE,
): Promise<ScannedBppRequest> {
  const chunkOffsets: number[] = [];
  const ids = new ItemIds(idsAtOnce);
  let items = 0;
  let namesIccids = false;
  const walk = (each: (item: Seen, offset: number, index: number) => void) =>
    walkRequest(octets(), size, chunkSize, each);
  const refuseRepeated = async () => {
    // what was read of it, though it ended badly: the first thing wrong is what it is refused for
    if (!ids.areAllKnown) refuseTwice(await firstTwice(items, idsAtOnce, walkIds(walk)));
  };
  try {
    const { end, ...places } = await walk(({ itemId, iccid }, offset, index) => {
      if (index % chunkSize === 0) chunkOffsets.push(offset);
      ids.add(itemId);
      items = index + 1;
      if (iccid !== undefined) namesIccids = true;
    });
    if (items === 0) refuseEmpty();
    await refuseRepeated();
    chunkOffsets.push(end);
    return { ...places, items, chunkOffsets, namesIccids };
  } catch (error) {
    await refuseRepeated();
    throw error;
  }
}

/** What a walk sees of an item. */
type Seen = Pick<RequestItem, 'itemId'> & Partial<Pick<RequestItem, 'iccid'>>;
type WalkItems = (each: (item: Seen, offset: number, index: number) => void) => Promise<unknown>;

/** The itemIds of the first `items` items. */
const walkIds =
  (walk: WalkItems) =>
  async (items: number, each: (itemId: number, index: number) => void): Promise<void> => {
    const enough = new Error('what is behind it was not read');
    try {
      await walk(({ itemId }, _, index) => {
        each(itemId, index);
        if (index + 1 === items) throw enough;
      });
    } catch (error) {
      if (error !== enough) throw error;
    }
  };

async function walkRequest(
  octets: AsyncIterable<Bytes>,
  size: number,
  chunkSize: number,
  each: (item: Seen, offset: number, index: number) => void,
) {
  const { first: names, stream } = await openMessage(octets, size, BPP_REQUEST, readRequestNames);
  const euiccData = await passEuiccData(stream, size);
  const end = await scanLastList(
    stream,
    size,
    ITEMS,
    chunkSize,
    ({ octets: seen, offset, isWhole }, index) => {
      const item = isWhole
        ? readRequestItem(new TlvReader(seen, ITEMS_PATH, offset))
        : { itemId: readItemId(seen, offset) };
      each(item, offset, index);
    },
  );
  return { ...names, euiccData, end };
}

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
