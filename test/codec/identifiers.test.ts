import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../shared/codec/bytes.ts';
import { checkEid, decodeEid, eidWithCheckDigits, encodeEid, isEid } from '../../shared/codec/eid.ts';
import {
  checkIccid,
  completeIccid,
  decodeIccid,
  decodePackedIccid,
  encodeIccid,
  luhnHolds,
  packIccid,
  swapNibbles,
} from '../../shared/codec/iccid.ts';
import { expectRefusal } from '../support/refusal.ts';
import encodings from '../vectors/encodings.json' with { type: 'json' };

const digits = (minLength: number, maxLength = minLength) =>
  fc.string({ unit: fc.constantFrom(...'0123456789'), minLength, maxLength });

describe('EID (SGP.29)', { tags: ['ID-EID'] }, () => {
  it.each(encodings.eidCheck)('$eid has right check digits: $valid', ({ eid, valid }) => {
    expect(isEid(eid)).toBe(valid);
    if (valid) expect(checkEid(eid)).toBe(eid);
    else expectRefusal('eidMalformed', () => checkEid(eid));
  });

  it('runs as many vectors as are published', () => {
    expect(encodings.eidCheck).toHaveLength(5);
  });

  it('keeps leading zeros and comes back from its 16 octets', () => {
    fc.assert(
      fc.property(digits(30), (first30) => {
        const eid = eidWithCheckDigits(first30);
        expect(eid).toHaveLength(32);
        expect(decodeEid(encodeEid(eid))).toBe(eid);
      }),
    );
  });

  it('finds any single wrong digit and any two neighbours swapped', () => {
    fc.assert(
      fc.property(digits(30), fc.nat(31), fc.integer({ min: 1, max: 9 }), (first30, at, shift) => {
        const eid = eidWithCheckDigits(first30);
        const wrong = (Number(eid[at]) + shift) % 10;
        expect(isEid(eid.slice(0, at) + wrong + eid.slice(at + 1))).toBe(false);
        const [a, b] = [eid[at], eid[at + 1]];
        if (b !== undefined && a !== b)
          expect(isEid(eid.slice(0, at) + b + a + eid.slice(at + 2))).toBe(false);
      }),
    );
  });

  it.each(['', '1', '8904903212345123451234567890123', `${'0'.repeat(31)}a`])('is not %j', (eid) => {
    expectRefusal('eidMalformed', () => checkEid(eid));
  });

  it('is refused in octets of another length or with hexadecimal letters', () => {
    expectRefusal('eidMalformed', () => decodeEid(Buffer.alloc(15)));
    expectRefusal('eidMalformed', () => decodeEid(Buffer.alloc(16, 0xaa)));
  });
});

describe('ICCID (E.118)', { tags: ['ID-ICCID'] }, () => {
  it.each(encodings.iccidSanitize)('$input is completed to $output: $note', ({ input, output }) => {
    expect(completeIccid(input)).toBe(output);
  });

  it.each(encodings.iccidCoding)('$digits is swapped in EFs and metadata, not in the header', (vector) => {
    expect(toHex(packIccid(vector.digits))).toBe(vector.peHeader);
    expect(toHex(encodeIccid(vector.digits))).toBe(vector.efIccidAndStoreMetadata);
    expect(decodePackedIccid(fromHex(vector.peHeader))).toBe(vector.digits);
    expect(decodeIccid(fromHex(vector.efIccidAndStoreMetadata))).toBe(vector.digits);
  });

  it('runs as many vectors as are published', () => {
    expect([encodings.iccidSanitize.length, encodings.iccidCoding.length]).toEqual([4, 2]);
  });

  it('comes back from its octets', () => {
    fc.assert(
      fc.property(digits(19, 20), (iccid) => {
        expect(decodeIccid(encodeIccid(iccid))).toBe(iccid);
      }),
    );
  });

  it('is completed to digits whose Luhn check holds', () => {
    fc.assert(
      fc.property(digits(18, 19), (iccid) => {
        expect(luhnHolds(completeIccid(iccid))).toBe(true);
      }),
    );
  });

  it.each(['', '12345678901234567', '123456789012345678901', '890001234567890123f4'])(
    'is not %j',
    (iccid) => {
      expectRefusal('iccidInvalid', () => checkIccid(iccid));
      expectRefusal('iccidInvalid', () => completeIccid(iccid));
    },
  );

  it('is refused with a wrong Luhn digit when it has twenty', () => {
    expectRefusal('iccidInvalid', () => completeIccid('89882110000005300812'));
  });

  it('is refused in octets that are too few or padded inside', () => {
    expectRefusal('iccidInvalid', () => decodeIccid(Buffer.alloc(9)));
    expectRefusal('iccidInvalid', () => decodePackedIccid(fromHex('89f00123456789012341')));
  });

  it('swaps nibbles back by swapping them again', () => {
    expect(toHex(swapNibbles(swapNibbles(fromHex('0123456789abcdef'))))).toBe('0123456789abcdef');
  });
});
