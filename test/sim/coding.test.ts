import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../shared/codec/bytes.ts';
import {
  completeEid,
  decodeEid,
  decodeIccid,
  decodeInteger,
  decodeOid,
  decodeTime,
  encodeEid,
  encodeIccid,
  encodeInteger,
  encodeOid,
  encodeTime,
  isValidEid,
} from '../../sim/coding.ts';
import { readOnly, readTlv, SimError, tlv } from '../../sim/tlv.ts';
import encodings from '../vectors/encodings.json' with { type: 'json' };

describe('EID and ICCID of the counterparts', () => {
  it('EIDs are valid as the vectors say, and completing one gives its check digits', () => {
    expect(encodings.eidCheck.length).toBeGreaterThanOrEqual(5);
    for (const { eid, valid } of encodings.eidCheck) {
      expect(isValidEid(eid)).toBe(valid);
      if (valid) expect(completeEid(eid.slice(0, 30))).toBe(eid);
      expect(decodeEid(encodeEid(eid))).toBe(eid);
    }
  });

  it('ICCIDs are swapped and padded as in EF.ICCID', () => {
    expect(encodings.iccidCoding).toHaveLength(2);
    for (const { digits, efIccidAndStoreMetadata } of encodings.iccidCoding) {
      expect(toHex(encodeIccid(digits))).toBe(efIccidAndStoreMetadata);
      expect(decodeIccid(fromHex(efIccidAndStoreMetadata))).toBe(digits);
    }
  });
});

describe('ASN.1 values of the counterparts', () => {
  it('object identifiers, integers and times come back', () => {
    for (const oid of ['2.999.10', '1.2.840.10045.3.1.7', '2.23.146.1.2.1.5', '0.9']) {
      expect(decodeOid(encodeOid(oid))).toBe(oid);
    }
    expect(toHex(encodeOid('2.999.10'))).toBe('88370a');
    for (const value of [0, 1, 127, 128, 255, 256, 65_536, 2 ** 40]) {
      expect(decodeInteger(encodeInteger(value))).toBe(value);
    }
    for (const [year, tag] of [
      ['2049', 0x17],
      ['2050', 0x18],
      ['7496', 0x18],
    ] as const) {
      const time = new Date(`${year}-01-24T23:59:59Z`);
      const element = readTlv(encodeTime(time));
      expect(element.tag).toBe(tag);
      expect(decodeTime(element.value).getTime()).toBe(time.getTime());
    }
  });
});

describe('TLV of the counterparts', () => {
  it('refuses lengths and tags that are indefinite, not minimal, cut off or followed by octets', () => {
    for (const wrong of [
      '3080',
      '308100',
      '30820001ff',
      '30',
      '3002ff',
      'bf1e00',
      'bf8022',
      '3000ff',
      '3085000000000100',
    ]) {
      expect(() => readOnly(fromHex(wrong), readTagOf(wrong)), wrong).toThrow(SimError);
    }
    expect(readOnly(tlv(0xff60, new Uint8Array(300)), 0xff60).value).toHaveLength(300);
    expect(toHex(tlv(0x9f1f, new Uint8Array(128)).subarray(0, 4))).toBe('9f1f8180');
  });

  function readTagOf(hex: string): number {
    return Number.parseInt(hex.slice(0, hex.startsWith('bf') ? 4 : 2), 16);
  }
});
