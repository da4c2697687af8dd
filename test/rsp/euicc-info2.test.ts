import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../shared/codec/bytes.ts';
import { readSingleTlv, TlvReader, tlv } from '../../shared/codec/tlv.ts';
import { decodeEuiccInfo2, RSP_CAPABILITY } from '../../shared/rsp/euicc-info2.ts';
import { expectRefusal } from '../support/refusal.ts';
import vectors from '../vectors/der-encodings.json' with { type: 'json' };

const minimal = fromHex(vectors.items.find(({ id }) => id === 'euiccInfo2-min')!.der);
const fields = (() => {
  const reader = TlvReader.of(readSingleTlv(minimal));
  const list: Uint8Array[] = [];
  while (!reader.done) list.push(reader.next().raw);
  return list;
})();
const withFields = (...more: Uint8Array[]): Uint8Array => tlv(0xbf22, ...fields, ...more);

describe('EUICCInfo2 (SGP.22 section 5.7.8)', { tags: ['ES10B-EUICCINFO2'] }, () => {
  it('gives every field of the smallest one', () => {
    const info = decodeEuiccInfo2(minimal);
    expect(info).toMatchObject({
      profileVersion: '2.3.0',
      svn: '2.2.0',
      euiccFirmwareVer: '1.0.0',
      extCardResource: {
        numberOfInstalledApplications: 0,
        freeNonVolatileMemory: 0x40000,
        freeVolatileMemory: 0x8000,
      },
      ppVersion: '0.0.1',
      sasAcreditationNumber: 'XX-YY-UP-0000',
      unknown: [],
    });
    expect([...info.rspCapability]).toEqual([
      RSP_CAPABILITY.additionalProfile,
      RSP_CAPABILITY.testProfileSupport,
    ]);
    expect(info.euiccCiPKIdListForSigning.map(toHex)).toEqual(['f54172bdf98a95d65cbeb88a38a1c11d800a85c3']);
    expect(info.uiccCapability.has(1)).toBe(true);
    expect(info.uiccCapability.has(0)).toBe(false);
  });

  it('gives the optional fields of v2 and v3', () => {
    const info = decodeEuiccInfo2(
      withFields(
        tlv(0x86, fromHex('090000')),
        tlv(0x87, fromHex('020300')),
        tlv(0x8b, Buffer.of(2)),
        tlv(0x99, fromHex('0640')),
        tlv(0xac, tlv(0x80, Buffer.from('label')), tlv(0x81, Buffer.from('https://example.com'))),
        tlv(0x8d, fromHex('0640')),
        tlv(0x8e, Buffer.from('product')),
        tlv(0xaf, tlv(0x04, fromHex('030201'))),
        tlv(0x90, Buffer.of(0)),
        tlv(0xb1, tlv(0x04, Buffer.alloc(20, 1))),
        tlv(0x92, fromHex('01')),
        tlv(0x93, fromHex('030100')),
      ),
    );
    expect(info).toMatchObject({
      ts102241Version: '9.0.0',
      globalplatformVersion: '2.3.0',
      euiccCategory: 2,
      forbiddenProfilePolicyRules: ['ppr1'],
      certificationDataObject: { platformLabel: 'label', discoveryBaseUrl: 'https://example.com' },
      treProductReference: 'product',
      additionalProfilePackageVersions: ['3.2.1'],
      lpaMode: 0,
      highestSvn: '3.1.0',
      unknown: [],
    });
    expect(info.treProperties).toEqual(new Set([1]));
    expect(info.euiccCiPKIdListForSigningV3).toHaveLength(1);
  });

  it('keeps fields of later versions as they are', () => {
    const info = decodeEuiccInfo2(withFields(tlv(0xb4, tlv(0x80, Buffer.of(1))), tlv(0x95, Buffer.of(3))));
    expect(info.unknown.map(({ raw }) => toHex(raw))).toEqual(['b403800101', '950103']);
  });

  it('refuses a field that occurs twice', () => {
    expectRefusal('protocolFormat', () => decodeEuiccInfo2(withFields(tlv(0x81, fromHex('020300')))));
  });

  it.each([0x81, 0x82, 0x83, 0x84, 0x85, 0x88, 0xa9, 0xaa, 0x04, 0x0c])(
    'refuses to go without the mandatory field %i',
    (tag) => {
      const without = fields.filter((field) => field[0] !== tag);
      expect(without).toHaveLength(fields.length - 1);
      expectRefusal('euiccInfoInvalid', () => decodeEuiccInfo2(tlv(0xbf22, ...without)));
    },
  );

  it('refuses more than 4096 octets', () => {
    expectRefusal('tooLarge', () => decodeEuiccInfo2(withFields(tlv(0xb5, Buffer.alloc(4096)))));
  });
});
