import { fromBER } from 'asn1js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../shared/codec/bytes.ts';
import {
  integerValue,
  readSingle,
  readSingleTlv,
  readTlv,
  TlvReader,
  tagName,
  tlv,
  tlvHeader,
  tlvOfFields,
} from '../../shared/codec/tlv.ts';
import { expectRefusal, onlyRefuses } from '../support/refusal.ts';

const tags = fc.constantFrom(0x04, 0x80, 0x87, 0xa3, 0x5f37, 0xbf36, 0x9f1f, 0xff60, 0x7f8148);

describe('reading a TLV', () => {
  it('gives back tag and value of whatever was written, as views of the octets received', () => {
    fc.assert(
      fc.property(tags, fc.uint8Array({ maxLength: 70_000, size: 'max' }), (tag, value) => {
        const octets = tlv(tag, value);
        const element = readSingleTlv(octets);
        expect(element.tag).toBe(tag);
        expect(element.raw.buffer).toBe(octets.buffer);
        expect(Buffer.compare(element.raw, octets)).toBe(0);
        expect(Buffer.compare(element.value, value)).toBe(0);
      }),
      { numRuns: 50 },
    );
  });

  it.each([
    [0x7f, '047f'],
    [0x80, '048180'],
    [0xff, '0481ff'],
    [0x100, '04820100'],
    [0xffff, '0482ffff'],
    [0x10000, '0483010000'],
    [0x1000000, '048401000000'],
  ])('writes a length of %i in the fewest octets', (length, header) => {
    expect(toHex(tlvHeader(0x04, length))).toBe(header);
  });

  it.each([
    ['nothing', ''],
    ['a tag alone', '04'],
    ['a second tag octet missing', 'bf'],
    ['a third tag octet missing', 'bf81'],
    ['a tag of four octets', 'bf81818100'],
    ['a long tag that fits one octet', '9f1e00'],
    ['a tag number with leading zeros', '9f8048'],
    ['an indefinite length', '30800000'],
    ['a length of five octets', '04850000000001'],
    ['a length cut off', '0482'],
    ['a length with a leading zero', '048200ff'],
    ['a long length that fits one octet', '04817f'],
    ['a value cut off', '040201'],
  ])('refuses %s', (_, hex) => {
    expectRefusal('protocolFormat', () => readTlv(fromHex(hex)));
  });

  it('refuses octets behind a single element and another tag than expected', () => {
    expectRefusal('protocolFormat', () => readSingleTlv(fromHex('040000')));
    expectRefusal('protocolFormat', () => readSingle(fromHex('0400'), 0x30, 'SEQUENCE'));
  });

  it('takes nothing that is not BER to a general reader either', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 2, maxLength: 24 }), (octets) => {
        if (onlyRefuses(() => readSingleTlv(octets)) === 'refused') return;
        const constructed = (octets[0]! & 0x20) !== 0;
        const universal = octets[0]! < 0x40;
        // what asn1js thinks of the inside is its own matter
        if (constructed || universal) return;
        expect(fromBER(Uint8Array.from(octets).buffer).offset).toBe(octets.length);
      }),
      { numRuns: 2000 },
    );
  });
});

it('an element of primitive fields is written as one of an element for each', () => {
  for (const length of [0, 1, 0x7f, 0x80, 0xff, 0x100, 0x10000]) {
    const values = [Buffer.alloc(length, 1), Buffer.alloc(16, 2), Buffer.alloc(length, 3)];
    const fields = values.map((value, i) => tlv(0x80 + i, value));
    for (const tag of [0x30, 0xff64]) expect(tlvOfFields(tag, values)).toEqual(tlv(tag, ...fields));
  }
});

describe('walking a constructed value', () => {
  const message = tlv(0xbf23, tlv(0x80, fromHex('0102')), tlv(0xa6, tlv(0x84, fromHex('aa'))));
  const reader = () => TlvReader.of(readSingle(message, 0xbf23, 'message'));

  it('names path and offset of what is wrong', () => {
    const refusal = expectRefusal('protocolFormat', () => {
      const children = reader();
      children.next();
      children.enter(0xa6, 'inner').expect(0x80, 'keyType');
    });
    expect(refusal.subjectIdentifier).toBe('BF23/A6');
    expect(refusal.offset).toBe(9);
    expect(refusal.message).toContain('keyType (80) expected but 84 found at offset 9');
  });

  it('refuses what is left at the end', () => {
    const children = reader();
    children.expect(0x80, 'first');
    expectRefusal('protocolFormat', () => children.end());
  });

  it('refuses a missing child', () => {
    const children = reader();
    children.next();
    children.next();
    expect(children.done).toBe(true);
    expectRefusal('protocolFormat', () => children.expect(0x81, 'third'));
    expectRefusal('protocolFormat', () => children.next());
    expect(children.optional(0x81)).toBeUndefined();
  });

  it('holds values to their lengths', () => {
    expectRefusal('protocolFormat', () => reader().octets(0x80, 'first', 3));
    expectRefusal('protocolFormat', () => reader().octets(0x80, 'first', 0, 1));
    expect(toHex(reader().octets(0x80, 'first', 1, 2))).toBe('0102');
  });

  it('never reads beyond its element', () => {
    const lying = fromHex('3003040501');
    expectRefusal('protocolFormat', () => TlvReader.of(readSingleTlv(lying)).next());
  });
});

describe('INTEGER in DER', () => {
  const read = (value: Uint8Array): number => new TlvReader(tlv(0x02, value)).integer(0x02, 'number');

  it('comes back as written, in its shortest form', () => {
    fc.assert(
      fc.property(fc.nat({ max: 2 ** 47 - 1 }), (number) => {
        expect(read(integerValue(number))).toBe(number);
      }),
    );
  });

  it.each([
    ['empty', ''],
    ['negative', 'ff'],
    ['padded', '0001'],
    ['beyond 47 bits', '01000000000000'],
  ])('is refused when %s', (_, hex) => {
    expectRefusal('protocolFormat', () => read(fromHex(hex)));
  });

  it.each([-1, 0.5, 2 ** 53])('is not written for %d', (number) => {
    expect(() => integerValue(number)).toThrow(RangeError);
  });
});

describe('UTF-8 text', () => {
  const read = (value: Uint8Array): string => new TlvReader(tlv(0x0c, value)).text(0x0c, 'name', 8);

  it('is read octet for octet, a byte order mark included', () => {
    expect(read(Buffer.from('é€'))).toBe('é€');
    expect(read(fromHex('efbbbf41'))).toBe('\ufeffA');
  });

  it.each([
    ['an overlong form', 'c080'],
    ['a surrogate', 'eda080'],
    ['a cut sequence', 'e282'],
    ['nine octets', '414141414141414141'],
  ])('is refused with %s', (_, hex) => {
    expectRefusal('protocolFormat', () => read(fromHex(hex)));
  });
});

describe('names of tags', () => {
  it.each([
    [0x04, '04'],
    [0x9f1f, '9F1F'],
    [0x7f8148, '7F8148'],
  ])('are the octets of the tag: %i', (tag, name) => {
    expect(tagName(tag)).toBe(name);
  });
});
