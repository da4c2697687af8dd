import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Bytes } from '../../shared/codec/bytes.ts';
import { readTlvHeader, splitElements, tlv } from '../../shared/codec/tlv.ts';
import { Refusal } from '../../shared/errors.ts';
import { decodeBppRequest } from '../../shared/ifpp-draft1/bpp-request.ts';
import {
  frameOfRequest,
  readRequestStart,
  scanBppRequest,
} from '../../shared/ifpp-draft1/bpp-request-scan.ts';
import {
  decodeProfileLoadingReport,
  encodeProfileLoadingReport,
} from '../../shared/ifpp-draft1/profile-loading-report.ts';
import {
  REPORT_START,
  readReportStart,
  scanProfileLoadingReport,
} from '../../shared/ifpp-draft1/profile-loading-report-scan.ts';
import { encodeBppRequest, type RequestItem } from '../../sim/index.ts';
import { refusalOf } from '../support/refusal.ts';

const CHUNK = 3;

/** The octets in pieces of `size`, as they may arrive. */
async function* inPieces(octets: Bytes, size: number) {
  for (let at = 0; at < octets.length; at += size) yield octets.subarray(at, at + size);
}

const requestOf = (items: readonly RequestItem[], euiccData?: Bytes) =>
  encodeBppRequest({
    requestId: Buffer.from('0102', 'hex'),
    orderId: 'ORD-1',
    items,
    ...(euiccData !== undefined && { euiccData }),
  });

const EID = '89049032123451234512345678901235';
const REQUEST_ITEMS: readonly RequestItem[] = Array.from({ length: 10 }, (_, i) => ({
  itemId: i === 7 ? 3_000 : 100 + i,
  eid: EID.slice(0, 30) + String(10 + i),
  ...(i % 4 === 1 && { iccid: `890010000000000000${i}` }),
  ...(i % 4 === 2 && { additional: true }),
}));
const REQUEST = requestOf(REQUEST_ITEMS, tlv(0xff60, Buffer.alloc(90, 7)));
const REPORT = encodeProfileLoadingReport(
  '0b0b',
  Array.from({ length: 8 }, (_, i) => tlv(0xa1, Buffer.alloc(20 + 20 * i, i))),
);

/** A request without eUICC data, and one item more in it, as it is. */
function withItem(der: Bytes, index: number, item: Bytes): Bytes {
  const fields = splitElements(der.subarray(readTlvHeader(der).headerLength));
  const list = fields.pop()!;
  const items = splitElements(list.subarray(readTlvHeader(list).headerLength));
  items.splice(index, 0, item);
  return tlv(0xff61, ...fields, tlv(0xa4, ...items));
}

/** What is told of a message, or that it is refused. */
async function told<T>(work: () => T | Promise<T>): Promise<T | 'refused'> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return 'refused';
  }
}

const requestAsAWhole = (der: Bytes) =>
  told(() => {
    const { eidOf: _, iccids, ...frame } = frameOfRequest(der, decodeBppRequest(der), CHUNK);
    return { ...frame, namesIccids: iccids.size > 0 };
  });
const requestInPieces = (der: Bytes, size: number, idsAtOnce?: number) =>
  told(() => scanBppRequest(() => inPieces(der, size), der.length, CHUNK, idsAtOnce));

const reportAsAWhole = (der: Bytes) =>
  told(() => {
    const { reportId, items } = decodeProfileLoadingReport(der);
    const starts = items.map((item) => item.byteOffset - der.byteOffset);
    return { reportId, items: items.length, sliceOffsets: starts.filter((_, i) => i % CHUNK === 0) };
  });
const reportInPieces = (der: Bytes, size: number) =>
  told(async () => {
    const frame = await scanProfileLoadingReport(inPieces(der, size), der.length, CHUNK);
    expect(frame.sliceOffsets.at(-1)).toBe(der.length);
    return { ...frame, sliceOffsets: frame.sliceOffsets.slice(0, -1) };
  });

/** One octet that is another one, or the message cut off, or something behind it. */
const damaged = (octets: Bytes) =>
  fc.oneof(
    fc
      .tuple(fc.nat(octets.length - 1), fc.nat(255))
      .map(([at, octet]) =>
        Buffer.concat([octets.subarray(0, at), Buffer.of(octet), octets.subarray(at + 1)]),
      ),
    fc.nat(octets.length).map((length) => Buffer.from(octets.subarray(0, length))),
    fc.uint8Array({ minLength: 1, maxLength: 3 }).map((more) => Buffer.concat([octets, more])),
  );

const PIECE = fc.constantFrom(1, 7, 64, 10_000);

describe('a message that is read as it arrives', () => {
  it('tells of a request what reading it as a whole tells, in pieces of any size', async () => {
    const whole = await requestAsAWhole(REQUEST);
    expect(whole).toMatchObject({ requestId: '0102', orderId: 'ORD-1', items: 10, namesIccids: true });
    expect(readRequestStart(REQUEST.subarray(0, 40), REQUEST.length)).toEqual({
      requestId: '0102',
      orderId: 'ORD-1',
    });
    for (const size of [1, 5, 100, 10_000]) expect(await requestInPieces(REQUEST, size)).toEqual(whole);
  });

  it('refuses a damaged request where reading it as a whole does, and nothing else', async () => {
    await fc.assert(
      fc.asyncProperty(damaged(REQUEST), PIECE, async (der, size) => {
        expect(await requestInPieces(der, size)).toEqual(await requestAsAWhole(der));
      }),
      { numRuns: 500 },
    );
  });

  it('tells of a report what reading it as a whole tells, damaged or not', async () => {
    expect(await reportInPieces(REPORT, 9)).toEqual(await reportAsAWhole(REPORT));
    expect(readReportStart(REPORT.subarray(0, REPORT_START), REPORT.length)).toBe('0b0b');
    await fc.assert(
      fc.asyncProperty(damaged(REPORT), PIECE, async (der, size) => {
        expect(await reportInPieces(der, size)).toEqual(await reportAsAWhole(der));
      }),
      { numRuns: 300 },
    );
  });

  it('refuses an itemId that occurs twice, wherever the two stand', async () => {
    const ids = [5, 6, 9, 7, 8, 1];
    const items = ids.map((itemId) => ({ itemId, eid: EID }));
    expect(await requestInPieces(requestOf(items), 50)).not.toBe('refused');
    for (const itemId of ids) {
      const der = requestOf([...items, { itemId, eid: EID }]);
      for (const idsAtOnce of [undefined, 1, 2, 3]) {
        const scanned = scanBppRequest(() => inPieces(der, 50), der.length, CHUNK, idsAtOnce);
        expect((await refusalOf(scanned)).message).toBe(`itemId ${itemId} occurs twice`);
      }
    }
  });

  it('names the first of several itemIds that occur twice, however few are looked at at once', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(40), { minLength: 1, maxLength: 30 }),
        fc.integer({ min: 1, max: 12 }),
        fc.boolean(),
        async (ids, idsAtOnce, isCut) => {
          const der = requestOf(ids.map((itemId) => ({ itemId, eid: EID })));
          const last = Buffer.from(der);
          // what is wrong behind it is not told in its place
          if (isCut) last[last.lastIndexOf(0x80)] = 0x9f;
          const why = async (work: () => unknown) => {
            try {
              await work();
              return 'taken';
            } catch (error) {
              if (!(error instanceof Refusal)) throw error;
              return error.message;
            }
          };
          const whole = await why(() => decodeBppRequest(last));
          const scan = () => scanBppRequest(() => inPieces(last, 64), last.length, CHUNK, idsAtOnce);
          expect(await why(scan)).toBe(whole);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('passes an item above 64 KiB, which is refused by itself, and tells the others as reading it as a whole does', async () => {
    const long = tlv(0x30, tlv(0x80, Buffer.of(77)), tlv(0x9f, Buffer.alloc(100_000)));
    const request = withItem(requestOf(REQUEST_ITEMS), 4, long);
    const whole = await requestAsAWhole(request);
    expect(whole).toMatchObject({ items: REQUEST_ITEMS.length + 1 });
    for (const size of [64, 5_000, 200_000]) expect(await requestInPieces(request, size)).toEqual(whole);
    const items = decodeBppRequest(request).items.map(({ itemId, malformed }) => [itemId, malformed?.code]);
    expect(items[4]).toEqual([77, 'protocolFormat']);
    expect(items.filter(([, code]) => code !== undefined)).toHaveLength(1);

    const report = encodeProfileLoadingReport('0b', [
      tlv(0xa1, Buffer.of(1)),
      tlv(0xa1, Buffer.alloc(100_000)),
    ]);
    for (const size of [64, 200_000])
      expect(await reportInPieces(report, size)).toEqual(await reportAsAWhole(report));
  });

  it('refuses the message where such an item has no itemId of its own, or is cut off', async () => {
    const long = (first: Bytes) => tlv(0x30, first, tlv(0x9f, Buffer.alloc(100_000)));
    const twice = tlv(0x80, Buffer.of(REQUEST_ITEMS[0]!.itemId));
    for (const first of [tlv(0x81, Buffer.alloc(16)), twice]) {
      const request = withItem(requestOf(REQUEST_ITEMS), 4, long(first));
      expect(await requestAsAWhole(request)).toBe('refused');
      expect(await requestInPieces(request, 5_000)).toBe('refused');
    }
    const der = encodeProfileLoadingReport('0b', [tlv(0xa1, Buffer.alloc(100_000))]);
    const cut = scanProfileLoadingReport(inPieces(der.subarray(0, -1), 5_000), der.length, CHUNK);
    expect(await refusalOf(cut)).toMatchObject({ message: expect.stringContaining('item 0 is cut off') });
  });

  it('names an item that leaves no room for those that are read with it, and the limit', async () => {
    const der = encodeProfileLoadingReport('0b', [tlv(0xa1, Buffer.of(1)), tlv(0xa1, Buffer.alloc(200_000))]);
    expect(await refusalOf(scanProfileLoadingReport(inPieces(der, 1_000), der.length, CHUNK))).toMatchObject({
      code: 'tooLarge',
      message:
        'item 1 has 200005 octets, more than the 196605 that are left of 196608 for 3 items that are read together',
    });
  });
});
