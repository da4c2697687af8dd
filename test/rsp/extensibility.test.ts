import { generateKeyPairSync, sign } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type Bytes, fromHex, toHex } from '../../shared/codec/bytes.ts';
import { tlv } from '../../shared/codec/tlv.ts';
import { P256 } from '../../shared/crypto/curves.ts';
import { fromSpki } from '../../shared/crypto/ec-key-forms.ts';
import { decodeEcdsaSignature } from '../../shared/crypto/ecdsa-signature.ts';
import { Refusal } from '../../shared/errors.ts';
import { decodeEuiccInfo2 } from '../../shared/rsp/euicc-info2.ts';
import { decodeSimaResponse } from '../../shared/rsp/euicc-response.ts';
import {
  decodeOtherSignedNotification,
  verifyOtherSignedNotification,
} from '../../shared/rsp/other-signed-notification.ts';
import {
  decodeProfileInstallationResult,
  decodeSignedResult,
  verifyProfileInstallationResult,
} from '../../shared/rsp/profile-installation-result.ts';
import {
  decodeStoreMetadata,
  encodeStoreMetadata,
  fieldsBeyondSgp22,
  fieldWarnings,
} from '../../shared/rsp/store-metadata.ts';
import { storeMetadataFromJson, storeMetadataToJson } from '../../shared/rsp/store-metadata-json.ts';
import { expectRefusal } from '../support/refusal.ts';

/**
 * RSPDefinitions is EXTENSIBILITY IMPLIED (SGP.22 annex H). Real eUICCs send fields that the schema does not know
 * (github.com/pycrate-org/pycrate issue 58), and Operators put carrier privilege rules into metadata
 * (github.com/estkme-group/lpac pull request 423; source.android.com, UICC carrier privileges).
 */
const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
const euiccKey = fromSpki(publicKey.export({ format: 'der', type: 'spki' }));
const signed = (message: Bytes) => decodeEcdsaSignature(P256, sign('sha256', message, privateKey));

const LATER = tlv(0xbf5f);
const LATER_TOO = tlv(0x9f70, Buffer.of(1, 2));

interface Places {
  readonly outer?: Bytes;
  readonly before?: Bytes;
  readonly data?: Bytes;
  readonly notification?: Bytes;
  readonly success?: Bytes;
}

const notificationMetadata = (more?: Bytes) =>
  tlv(
    0xbf2f,
    tlv(0x80, Buffer.of(1)),
    tlv(0x81, fromHex('0780')),
    tlv(0x0c, Buffer.from('smdp.example.com')),
    tlv(0x5a, fromHex('98001032547698103214')),
    more,
  );

function result({ outer, before, data, notification, success }: Places): Bytes {
  const part = tlv(
    0xbf27,
    before,
    tlv(0x80, Buffer.alloc(16, 1)),
    notificationMetadata(notification),
    tlv(0x06, fromHex('883702')),
    tlv(0xa2, tlv(0xa0, tlv(0x4f, Buffer.alloc(16, 0xa0)), tlv(0x04, fromHex('3000')), success)),
    data,
  );
  return tlv(0xbf37, part, tlv(0x5f37, signed(part)), outer);
}

describe('a signed result with fields of a later version', { tags: ['ES8-LATER-FIELDS'] }, () => {
  const places: readonly (readonly [place: string, places: Places])[] = [
    ['at the end of what is signed', { data: LATER }],
    ['at the beginning of what is signed', { before: LATER }],
    ['in the notification metadata', { notification: LATER }],
    ['in the successResult', { success: LATER }],
    ['outside what is signed', { outer: LATER }],
  ];
  it.each(places)('is taken and verified: %s', (_, place) => {
    const pir = decodeProfileInstallationResult(result(place));
    expect(() => verifyProfileInstallationResult(pir, euiccKey)).not.toThrow();
    expect('successResult' in pir.finalResult).toBe(true);
    expect(pir.notificationMetadata.iccid).toBe('89000123456789012341');
    expect(pir.unknown.map(({ raw }) => toHex(raw))).toEqual(['bf5f00']);
  });

  it('is taken with several of them, in the order in which they stand', () => {
    const { unknown } = decodeProfileInstallationResult(result({ data: Buffer.concat([LATER, LATER_TOO]) }));
    expect(unknown.map(({ tag }) => tag)).toEqual([0xbf5f, 0x9f70]);
  });

  it('has no unknown field where it has none', () => {
    expect(decodeProfileInstallationResult(result({})).unknown).toEqual([]);
  });

  it('stays strict in what is known: twice, out of order, an unknown alternative', () => {
    const twice = result({ data: tlv(0x06, fromHex('883702')) });
    expectRefusal('protocolFormat', () => decodeProfileInstallationResult(twice));
    const misplaced = result({ before: tlv(0x06, fromHex('883702')) });
    expectRefusal('protocolFormat', () => decodeProfileInstallationResult(misplaced));
    const part = tlv(0xbf27, tlv(0x80, Buffer.of(1)), notificationMetadata(), tlv(0xa2, tlv(0xa5)));
    const other = tlv(0xbf37, part, tlv(0x5f37, signed(part)));
    expectRefusal('protocolFormat', () => decodeProfileInstallationResult(other));
  });

  it('shows whether it is signed even where the signed part cannot be read', () => {
    const part = tlv(0xbf27, tlv(0x80, Buffer.alloc(17)));
    const frame = decodeSignedResult(tlv(0xbf37, part, tlv(0x5f37, signed(part))));
    expect(() => verifyProfileInstallationResult(frame, euiccKey)).not.toThrow();
  });
});

describe('other objects of an eUICC', () => {
  it('a notification keeps a field of a later version, and its signature holds', () => {
    const tbs = notificationMetadata(LATER);
    const der = tlv(0x30, tbs, tlv(0x5f37, signed(tbs)), tlv(0x30), tlv(0x30), LATER_TOO);
    const notification = decodeOtherSignedNotification(der);
    expect(() => verifyOtherSignedNotification(notification, euiccKey)).not.toThrow();
    expect(notification.unknown.map(({ tag }) => tag).sort()).toEqual([0x9f70, 0xbf5f].sort());
  });

  it('EUICCResponse is shown without the fields that are not known', () => {
    const status = tlv(0x30, tlv(0x80, Buffer.of(0)), LATER);
    expect(decodeSimaResponse(tlv(0x30, tlv(0xa0, status), LATER_TOO))).toEqual([
      { peStatus: [{ status: 0 }], profileInstallationAborted: false },
    ]);
  });

  it('EUICCInfo2 takes them within certificationDataObject too', () => {
    const object = tlv(0xac, tlv(0x80, Buffer.from('label')), tlv(0x81, Buffer.from('url')), LATER);
    const info = decodeEuiccInfo2(
      tlv(
        0xbf22,
        ...[0x81, 0x82, 0x83].map((tag) => tlv(tag, Buffer.of(2, 3, 0))),
        tlv(0x84),
        tlv(0x85, fromHex('00')),
        tlv(0x88, fromHex('00')),
        tlv(0xa9),
        tlv(0xaa),
        tlv(0x04, Buffer.of(1, 0, 0)),
        tlv(0x0c, Buffer.from('sas')),
        object,
      ),
    );
    expect(info.certificationDataObject).toEqual({ platformLabel: 'label', discoveryBaseUrl: 'url' });
  });
});

describe('metadata with fields beyond SGP.22', () => {
  const RULES = fromHex('e239e12bc11400010203');
  const fields = [
    tlv(0x5a, fromHex('988812010000500380f2')),
    tlv(0x91, Buffer.from('SP')),
    tlv(0x92, Buffer.from('P')),
  ];

  it('carrier privilege rules (BF76) have a field, and travel as they came', () => {
    const der = tlv(0xbf25, ...fields, tlv(0xbf76, RULES));
    const metadata = decodeStoreMetadata(der);
    expect(toHex(metadata.carrierPrivilegeRules!)).toBe(toHex(RULES));
    expect(toHex(encodeStoreMetadata(metadata))).toBe(toHex(der));
    expect(fieldsBeyondSgp22(metadata)).toEqual(['carrierPrivilegeRules (BF76)']);
  });

  it('unknown fields are kept at every depth, and written again', () => {
    const der = tlv(
      0xbf25,
      ...fields,
      tlv(0xb6, tlv(0x30, tlv(0x80, fromHex('0780')), tlv(0x81, Buffer.from('a.example')), LATER)),
      tlv(0xb7, tlv(0x80, fromHex('62f220')), LATER_TOO),
      tlv(
        0xbd,
        tlv(0x80, fromHex('883702')),
        tlv(0x81, Buffer.from('E')),
        tlv(0xa2, tlv(0x80, Buffer.of(0)), tlv(0x81, Buffer.of(1)), LATER),
        LATER,
      ),
      LATER,
      LATER_TOO,
    );
    const metadata = decodeStoreMetadata(der);
    expect(toHex(encodeStoreMetadata(metadata))).toBe(toHex(der));
    expect(fieldsBeyondSgp22(metadata)).toEqual([
      'BF5F',
      '9F70',
      'BF5F in notificationConfigurationInfo',
      '9F70 in profileOwner',
      'BF5F in enterpriseConfiguration',
      'BF5F in enterpriseRules',
    ]);
  });

  it('an unknown field between known ones takes nothing away from them', () => {
    const metadata = decodeStoreMetadata(tlv(0xbf25, fields[0]!, LATER, fields[1]!, fields[2]!));
    expect(metadata.profileName).toBe('P');
    expect(fieldsBeyondSgp22(metadata)).toEqual(['BF5F']);
  });

  it('JSON has a member for both, in hexadecimal, and back', () => {
    const json = {
      iccid: '8988211000000530082',
      serviceProviderName: 'SP',
      profileName: 'P',
      profileClass: 'operational',
      carrierPrivilegeRules: toHex(RULES),
      additionalFields: toHex(Buffer.concat([LATER, LATER_TOO])),
    };
    const metadata = storeMetadataFromJson(json);
    expect(storeMetadataToJson(decodeStoreMetadata(encodeStoreMetadata(metadata)))).toEqual(json);
  });

  it('JSON has the fields of later versions within its objects too, and back', () => {
    const additionalFields = toHex(LATER);
    const json = {
      iccid: '8988211000000530082',
      serviceProviderName: 'SP',
      profileName: 'P',
      profileClass: 'operational',
      notificationConfigurationInfo: [
        { profileManagementOperation: ['enable'], notificationAddress: 'smdp.example.com', additionalFields },
      ],
      profileOwner: { mccMnc: '26201', gid1: 'ab', additionalFields },
      enterpriseConfiguration: {
        enterpriseOid: '2.999.1',
        enterpriseName: 'E',
        enterpriseRules: { enterpriseRuleBits: [1], numberOfNonEnterpriseProfiles: 2, additionalFields },
        additionalFields,
      },
    };
    const metadata = storeMetadataFromJson(json);
    const carried = decodeStoreMetadata(encodeStoreMetadata(metadata));
    expect(JSON.parse(JSON.stringify(storeMetadataToJson(carried)))).toEqual(json);
    expect(fieldsBeyondSgp22(carried)).toEqual([
      'BF5F in notificationConfigurationInfo',
      'BF5F in profileOwner',
      'BF5F in enterpriseConfiguration',
      'BF5F in enterpriseRules',
    ]);
    expect(fieldWarnings(carried)).toEqual([
      expect.stringMatching(/^enterpriseConfiguration: only eUICCs that announce SGP.22 v3/),
      expect.stringMatching(/^BF5F in notificationConfigurationInfo, .*: no version of SGP.22 has this/),
    ]);
    for (const wrong of ['bf5f05', toHex(tlv(0x80, Buffer.of(0)))])
      expect(() =>
        storeMetadataFromJson({ ...json, profileOwner: { mccMnc: '26201', additionalFields: wrong } }),
      ).toThrow(Refusal);
  });

  it('JSON refuses additionalFields that are no TLVs, or that have a member of their own', () => {
    const json = { iccid: '8988211000000530082', serviceProviderName: 'SP', profileName: 'P' };
    expectRefusal('protocolFormat', () => storeMetadataFromJson({ ...json, additionalFields: 'bf5f05' }));
    expectRefusal('metadataInvalid', () =>
      storeMetadataFromJson({ ...json, additionalFields: toHex(tlv(0x95, Buffer.of(0))) }),
    );
  });
});
