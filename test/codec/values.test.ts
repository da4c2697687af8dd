import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeBits, decodeNamedBits, encodeBits, encodeNamedBits } from '../../shared/codec/bit-string.ts';
import { concat, equal, equalWithin, fromHex, release, toHex, wipe } from '../../shared/codec/bytes.ts';
import { OctetWriter } from '../../shared/codec/octet-writer.ts';
import { decodeOid, encodeOid } from '../../shared/codec/oid.ts';
import { tlv, tlvHeader } from '../../shared/codec/tlv.ts';
import { headerLength, tlvLength } from '../../shared/codec/tlv-header.ts';
import { expectRefusal } from '../support/refusal.ts';

describe('helpers on octets', () => {
  it('tell whether two buffers agree from one offset to another, short or long', () => {
    const one = Buffer.from(Array.from({ length: 300 }, (_, i) => i % 256));
    for (const [from, to] of [
      [0, 0],
      [10, 11],
      [5, 101],
      [5, 102],
      [0, 300],
    ] as const) {
      const other = Buffer.from(one);
      if (from > 0) other[from - 1]! ^= 1;
      if (to < 300) other[to]! ^= 1;
      expect(equalWithin(one, other, from, to)).toBe(true);
      for (const at of to > from ? [from, to - 1] : []) {
        other[at]! ^= 1;
        expect(equalWithin(one, other, from, to)).toBe(false);
        other[at]! ^= 1;
      }
    }
    for (const end of [301, 450])
      expect(equalWithin(one, Buffer.concat([one, one]), end - 2, end)).toBe(false);
  });

  it('give octets back from hexadecimal', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (octets) => {
        expect(equal(fromHex(toHex(octets)), octets)).toBe(true);
      }),
    );
  });

  it.each(['0', '0g', ' 00', '0x00'])('read no octets from %j', (hex) => {
    expect(() => fromHex(hex)).toThrow(RangeError);
  });

  it('call octets equal only with the same length and content', () => {
    expect(equal(fromHex('0102'), fromHex('0102'))).toBe(true);
    expect(equal(fromHex('0102'), fromHex('010200'))).toBe(false);
    expect(equal(fromHex('0102'), fromHex('0103'))).toBe(false);
  });

  it('wipe octets to zero, through every view', () => {
    const secret = fromHex('a1a2a3a4');
    wipe(secret.subarray(1, 3), undefined);
    expect(toHex(secret)).toBe('a10000a4');
  });
});

describe('OBJECT IDENTIFIER', () => {
  it.each([
    ['2.999.10', '88370a'],
    ['1.2.840.10045.3.1.7', '2a8648ce3d030107'],
    ['1.3.36.3.3.2.8.1.1.7', '2b2403030208010107'],
    ['1.2.250.1.223.101.256.1', '2a817a01815f65820001'],
    ['0.39', '27'],
  ])('%s has the octets %s', (dotted, hex) => {
    expect(toHex(encodeOid(dotted))).toBe(hex);
    expect(decodeOid(fromHex(hex))).toBe(dotted);
  });

  it('comes back as written', () => {
    const oid = fc.tuple(fc.nat(2), fc.nat(39), fc.array(fc.nat(2 ** 31 - 1), { maxLength: 12 }));
    fc.assert(
      fc.property(oid, ([root, second, rest]) => {
        const dotted = [root, second, ...rest].join('.');
        expect(decodeOid(encodeOid(dotted))).toBe(dotted);
      }),
    );
  });

  it.each(['', '1', '3.1', '1.40', '1.02', '1..2', '1.2.'])('is not written for %j', (dotted) => {
    expect(() => encodeOid(dotted)).toThrow(RangeError);
  });

  it.each([
    ['nothing', ''],
    ['an arc cut off', '2a86'],
    ['an arc with leading zeros', '2a8001'],
    ['an arc beyond 2^48', '2affffffffffffff7f'],
  ])('is refused with %s', (_, hex) => {
    expectRefusal('protocolFormat', () => decodeOid(fromHex(hex)));
  });
});

describe('BIT STRING with named bits', () => {
  const names = ['zero', 'one', 'two'] as const;

  it.each([
    [[], '00'],
    [[0], '0780'],
    [[1], '0640'],
    [[0, 3], '0490'],
    [[7], '0001'],
    [[8], '070080'],
  ])('%j has the octets %s, no zero bits at the end', (bits, hex) => {
    expect(toHex(encodeBits(bits))).toBe(hex);
    expect(decodeBits(fromHex(hex), 'bits')).toEqual(bits);
  });

  it('comes back as written', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(100)), (bits) => {
        expect(decodeBits(encodeBits(bits), 'bits')).toEqual(bits.toSorted((a, b) => a - b));
      }),
    );
  });

  it('is read with zero bits at the end, which eUICCs send', () => {
    expect(decodeNamedBits(fromHex('0540'), names, 'bits')).toEqual(['one']);
    expect(decodeBits(fromHex('004000'), 'bits')).toEqual([1]);
  });

  it.each([
    ['nothing', ''],
    ['eight unused bits', '0880'],
    ['unused bits of no octet', '01'],
    ['unused bits that are set', '0681'],
    ['a bit without a name', '0410'],
    ['more bits than the limit', `00${'00'.repeat(17)}`],
  ])('is refused with %s', (_, hex) => {
    expectRefusal('protocolFormat', () => decodeNamedBits(fromHex(hex), names, 'bits'));
  });

  it('is not written for a name it does not have', () => {
    expect(() => encodeNamedBits(['three' as 'two'], names)).toThrow(RangeError);
  });
});

describe('writing into one buffer', () => {
  it('gives what building piece by piece gives', () => {
    const tag = fc.constantFrom(0x30, 0x87, 0xbf36, 0x7f8148);
    fc.assert(
      fc.property(tag, fc.uint8Array({ maxLength: 70_000, size: 'max' }), (tag, value) => {
        const out = new OctetWriter(tlvLength(tag, value.length));
        out.tlv(tag, value);
        expect(equal(out.finish(), tlv(tag, value))).toBe(true);
        expect(headerLength(tag, value.length)).toBe(tlvHeader(tag, value.length).length);
      }),
      { numRuns: 100 },
    );
  });

  it('refuses to overflow and to stay short', () => {
    const out = new OctetWriter(4);
    out.putFrom(Buffer.from('ff0102ff', 'hex'), 1, 3);
    expect(() => out.finish()).toThrow(RangeError);
    expect(() => out.put(fromHex('030405'))).toThrow(RangeError);
    expect(() => out.putFrom(Buffer.alloc(4), 0, 3)).toThrow(RangeError);
    expect(() => out.reserve(3)).toThrow(RangeError);
    expect(out.reserve(2)).toBe(2);
    expect(toHex(out.finish())).toBe('01020000');
    expect(toHex(concat(out.octets))).toBe('01020000');
  });
});

describe('octets whose memory is given back', () => {
  it('have no length from then on, unless they share it with others', () => {
    const alone = Buffer.alloc(100_000, 1);
    const some = alone.subarray(5);
    release(some);
    expect(alone).toHaveLength(100_000);
    release(alone);
    expect([alone.length, some.length]).toEqual([0, 0]);
    release(alone);
    // of Node's pool
    const pooled = Buffer.from('0102', 'hex');
    release(pooled);
    expect(pooled.toString('hex')).toBe('0102');
  });
});
