import { describe, expect, it } from 'vitest';
import { tlv } from '../../../shared/codec/tlv.ts';
import { Refusal } from '../../../shared/errors.ts';
import { eligibilityNeeds } from '../../../shared/profile/package/eligibility-needs.ts';
import { decodePackage, encodePackage } from '../../../shared/profile/package/profile-element.ts';
import { uppSummary } from '../../../shared/profile/package/summary.ts';
import { ownTemplate, TS48, TS48_ABSENT, TS48_PRESENT, ts48 } from './support/packages.ts';

describe('a profile package is decoded and encoded byte for byte', () => {
  it('our own template', () => {
    const upp = ownTemplate();
    expect(Buffer.from(encodePackage(decodePackage(upp)))).toEqual(Buffer.from(upp));
  });

  for (const name of TS48) {
    it.skipIf(!TS48_PRESENT)(`${name}${TS48_PRESENT ? '' : ` (${TS48_ABSENT})`}`, () => {
      const upp = ts48(name);
      expect(Buffer.from(encodePackage(decodePackage(upp)))).toEqual(upp);
    });
  }

  it('a PE of a later version is kept verbatim', () => {
    const later = tlv(0xbf23, tlv(0xa0, tlv(0x81, Buffer.of(1))), tlv(0x04, Buffer.from('later')));
    const decoded = decodePackage(later);
    expect(decoded.elements[0]).toMatchObject({ name: 'unknown', identification: 1, mandated: false });
    expect(Buffer.from(encodePackage(decoded))).toEqual(Buffer.from(later));
  });
});

describe('what a package says of itself', () => {
  it.skipIf(!TS48_PRESENT)(
    `TS.48 v5 needs bits 1,2,3,8,19,22,23,24${TS48_PRESENT ? '' : ` (${TS48_ABSENT})`}`,
    () => {
      const needs = eligibilityNeeds(ts48('TS48v5_SAIP2.3_BERTLV_SUCI.der'));
      expect(needs).toMatchObject({
        iccid: '89000123456789012341',
        majorVersion: 2,
        minorVersion: 3,
        capabilityBits: [1, 2, 3, 8, 19, 22, 23, 24],
        unknownServices: [],
        iotMinimal: false,
      });
      expect(needs.mandatoryTemplates).toHaveLength(11);
      expect(needs.mandatoryTemplates[0]).toBe('2.23.143.1.2.1');
    },
  );

  it('the summary lists every PE with its place, and no content', () => {
    const upp = ownTemplate();
    const summary = uppSummary(upp);
    expect(summary.elements.map(({ name }) => name)).toEqual([
      'header',
      'mf',
      'pukCodes',
      'pinCodes',
      'telecom',
      'usim',
      'opt-usim',
      'pinCodes',
      'akaParameter',
      'df-5gs',
      'df-saip',
      'isim',
      'pinCodes',
      'akaParameter',
      'securityDomain',
      'rfm',
      'end',
    ]);
    const last = summary.elements.at(-1)!;
    expect(last.offset + last.length).toBe(upp.length);
    expect(summary.elements.find(({ name }) => name === 'df-saip')?.mandated).toBe(false);
    expect(summary.version).toBe('2.3');
  });
});

describe('a malformed package is refused as profileInvalid', () => {
  const refusal = (upp: Uint8Array) => {
    try {
      decodePackage(upp);
    } catch (error) {
      return error instanceof Refusal ? error.code : error;
    }
    return undefined;
  };
  const header = tlv(0xa0, tlv(0x81, Buffer.of(1)));
  const cases: readonly (readonly [string, Uint8Array])[] = [
    ['empty', Buffer.alloc(0)],
    ['no PE tag', tlv(0x30, Buffer.alloc(0))],
    ['a primitive PE', tlv(0x80, Buffer.alloc(0))],
    ['cut off', ownTemplate().subarray(0, -1)],
    ['an indefinite length', Buffer.from('aa80a0038101010000', 'hex')],
    ['a length that is not minimal', Buffer.from('aa8105a003810101', 'hex')],
    ['no PEHeader', tlv(0xaa, tlv(0x04, Buffer.alloc(1)))],
    ['no identification', tlv(0xaa, tlv(0xa0, tlv(0x80)))],
    ['an identification above 32767', tlv(0xaa, tlv(0xa0, tlv(0x81, Buffer.of(0x00, 0x80, 0x00))))],
    ['a negative identification', tlv(0xaa, tlv(0xa0, tlv(0x81, Buffer.of(0x80))))],
    ['mandated that is not NULL', tlv(0xaa, tlv(0xa0, tlv(0x80, Buffer.of(1)), tlv(0x81, Buffer.of(1))))],
    ['identification before mandated', tlv(0xaa, tlv(0xa0, tlv(0x81, Buffer.of(1)), tlv(0x80)))],
    ['octets after the end', Buffer.concat([tlv(0xaa, header), Buffer.of(0x00)])],
  ];
  for (const [what, upp] of cases) it(what, () => expect(refusal(upp)).toBe('profileInvalid'));
});
