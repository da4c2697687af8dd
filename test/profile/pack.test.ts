import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { equal } from '../../shared/codec/bytes.ts';
import { decodePack, PackWriter } from '../../shared/profile/pack.ts';
import { encodeStoreMetadata, storeMetadataEncoder } from '../../shared/rsp/store-metadata.ts';

const METADATA = { serviceProviderName: 'Operator', profileName: 'Profile' };

it('a pack that is filled entry by entry is read back, also where entries are longer and more than expected', () => {
  const writer = new PackWriter(2);
  const encoded = storeMetadataEncoder(METADATA);
  const wanted = Array.from({ length: 20 }, (_, i) => {
    const metadata = encoded(`89882110000005${String(i).padStart(5, '0')}`);
    // a whole '86' each: two octets of header and up to 127 of value
    const length = 10 + 5 * i;
    const segments = Buffer.concat([Buffer.of(0x86, length), randomBytes(length)]);
    const entry = writer.add(metadata, segments.length, (out) => out.put(segments));
    expect(equal(entry.subarray(-segments.length), segments)).toBe(true);
    return { metadata, segments };
  });
  const { body, offsets } = writer.finish();
  const read = decodePack(body);
  expect(read.offsets).toEqual(offsets);
  for (const [i, { metadata, segments }] of read.entries.entries()) {
    expect(equal(metadata, wanted[i]!.metadata)).toBe(true);
    expect(equal(segments, wanted[i]!.segments)).toBe(true);
  }
});

it('the next pack may have the buffer of one that was stored, and no pack the one of another at work', () => {
  const metadata = storeMetadataEncoder(METADATA)('8988211000000530082');
  const segments = (length: number) => Buffer.concat([Buffer.of(0x86, length), randomBytes(length)]);
  const filled = (all: readonly Buffer[]) => {
    const writer = new PackWriter(all.length);
    for (const one of all) writer.add(metadata, one.length, (out) => out.put(one));
    return writer;
  };
  const read = (body: Uint8Array) => decodePack(body).entries.map((entry) => Buffer.from(entry.segments));
  const [large, small, other] = [[100, 120, 90], [20], [30, 40, 50, 60, 70]].map((n) => n.map(segments));
  const first = filled(large!);
  const { buffer } = first.finish().body;
  expect(read(first.finish().body)).toEqual(large);
  first.release();
  const second = filled(small!);
  const third = filled(other!);
  expect(second.finish().body.buffer).toBe(buffer);
  expect(third.finish().body.buffer).not.toBe(buffer);
  expect(read(second.finish().body)).toEqual(small);
  expect(read(third.finish().body)).toEqual(other);
  // the first has none any more that it could give away again
  first.release();
  expect(filled(large!).finish().body.buffer).not.toBe(buffer);
});

it('an entry whose segments are not as long as said is refused', () => {
  expect(() => new PackWriter(1).add(Buffer.of(0), 4, (out) => out.put(Buffer.of(0x86, 0)))).toThrow(
    RangeError,
  );
});

it('metadata that differ in nothing but the ICCID are encoded as each by itself', () => {
  const encoded = storeMetadataEncoder(METADATA);
  for (const iccid of ['8988211000000530082', '89882110000005300908', '8988211000000530090'])
    expect(equal(encoded(iccid), encodeStoreMetadata({ ...METADATA, iccid }))).toBe(true);
});
