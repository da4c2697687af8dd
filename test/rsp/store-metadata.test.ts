import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../shared/codec/bytes.ts';
import { tlv } from '../../shared/codec/tlv.ts';
import { NOTIFICATION_EVENTS } from '../../shared/rsp/notification-event.ts';
import { decodeMccMnc, encodeMccMnc } from '../../shared/rsp/operator-id.ts';
import { PROFILE_POLICY_RULES } from '../../shared/rsp/profile-policy-rules.ts';
import {
  decodeStoreMetadata,
  encodeStoreMetadata,
  ICON_TYPES,
  PROFILE_CLASSES,
  type StoreMetadataRequest,
  v3FieldsOf,
} from '../../shared/rsp/store-metadata.ts';
import { expectRefusal } from '../support/refusal.ts';
import { fullMetadata } from './full-metadata.ts';

const minimal: StoreMetadataRequest = {
  iccid: '8988211000000530082',
  serviceProviderName: 'SP',
  profileName: 'P',
  profileClass: 'operational',
};
const minimalFields = [
  tlv(0x5a, fromHex('988812010000500380f2')),
  tlv(0x91, Buffer.from('SP')),
  tlv(0x92, Buffer.from('P')),
];

const digits = (length: number) =>
  fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: length, maxLength: length });
const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const octets = fc.uint8Array({ minLength: 1, maxLength: 200 }).map((array) => Buffer.from(array));

const metadata: fc.Arbitrary<StoreMetadataRequest> = fc
  .record({
    iccid: fc.oneof(digits(19), digits(20)),
    serviceProviderName: fc
      .string({ unit: 'grapheme', maxLength: 8 })
      .filter((s) => Buffer.byteLength(s) <= 32),
    profileName: fc.string({ unit: 'grapheme', maxLength: 16 }).filter((s) => Buffer.byteLength(s) <= 64),
    image: optional(fc.record({ iconType: fc.constantFrom(...ICON_TYPES), icon: octets })),
    profileClass: fc.constantFrom(...PROFILE_CLASSES),
    notificationConfigurationInfo: optional(
      fc.array(
        fc.record({
          profileManagementOperation: fc.subarray([...NOTIFICATION_EVENTS]),
          notificationAddress: fc.domain(),
        }),
        { maxLength: 4 },
      ),
    ),
    owner: optional(
      fc.record({
        profileOwner: fc.record({ mccMnc: fc.oneof(digits(5), digits(6)) }),
        profilePolicyRules: fc.subarray([...PROFILE_POLICY_RULES]),
      }),
    ),
    rpmConfiguration: optional(octets),
    hriServerAddress: optional(fc.domain()),
  })
  .map(
    ({ image, owner, notificationConfigurationInfo, rpmConfiguration, hriServerAddress, ...required }) => ({
      ...required,
      ...image,
      ...owner,
      ...(notificationConfigurationInfo && { notificationConfigurationInfo }),
      ...(rpmConfiguration && { rpmConfiguration }),
      ...(hriServerAddress !== undefined && { hriServerAddress }),
    }),
  );

describe('StoreMetadataRequest (SGP.22 section 5.5.3)', { tags: ['ES8-METADATA'] }, () => {
  it('comes back as it was written', () => {
    fc.assert(
      fc.property(metadata, (value) => {
        expect(decodeStoreMetadata(encodeStoreMetadata(value))).toEqual(value);
      }),
    );
  });

  it('keeps every field of v2, v2.4 and v3', () => {
    expect(decodeStoreMetadata(encodeStoreMetadata(fullMetadata))).toEqual(fullMetadata);
    expect(v3FieldsOf(fullMetadata)).toHaveLength(7);
    expect(v3FieldsOf(minimal)).toEqual([]);
  });

  it('leaves out the default class and reads it when written', () => {
    expect(toHex(encodeStoreMetadata(minimal))).toBe(toHex(tlv(0xbf25, ...minimalFields)));
    const explicit = tlv(0xbf25, ...minimalFields, tlv(0x95, Buffer.of(2)));
    expect(decodeStoreMetadata(explicit)).toEqual(minimal);
  });

  it.each([
    ['an icon without type', [tlv(0x94, Buffer.of(1))]],
    ['an icon type without icon', [tlv(0x93, Buffer.of(0))]],
    ['an unknown icon type', [tlv(0x93, Buffer.of(2)), tlv(0x94, Buffer.of(1))]],
    ['an unknown class', [tlv(0x95, Buffer.of(3))]],
    ['rules without an owner', [tlv(0x99, fromHex('0640'))]],
    ['an owner whose MCC is no number', [tlv(0xb7, tlv(0x80, fromHex('eeeeee')))]],
  ])('refuses %s', (_, fields) => {
    expectRefusal('metadataInvalid', () => decodeStoreMetadata(tlv(0xbf25, ...minimalFields, ...fields)));
  });

  it.each([
    ['fields out of order', [tlv(0x95, Buffer.of(0)), tlv(0x93, Buffer.of(0)), tlv(0x94)]],
    ['a field twice', [tlv(0x95, Buffer.of(0)), tlv(0x95, Buffer.of(0))]],
    ['PPR3 of the early module', [tlv(0xb7, tlv(0x80, fromHex('62f220'))), tlv(0x99, fromHex('0410'))]],
    ['an icon of 1025 octets', [tlv(0x93, Buffer.of(0)), tlv(0x94, Buffer.alloc(1025))]],
    ['an owner without MCC and MNC', [tlv(0xb7)]],
  ])('refuses %s', (_, fields) => {
    expectRefusal('protocolFormat', () => decodeStoreMetadata(tlv(0xbf25, ...minimalFields, ...fields)));
  });

  it.each([
    ['33 octets of provider name', { serviceProviderName: `${'é'.repeat(16)}x` }],
    ['65 octets of profile name', { profileName: 'x'.repeat(65) }],
    ['a lone surrogate', { profileName: '\ud800' }],
    ['1025 octets of icon', { iconType: 'jpg', icon: Buffer.alloc(1025) }],
    ['an icon without type', { icon: Buffer.alloc(1) }],
    ['rules without an owner', { profilePolicyRules: ['ppr1'] }],
    ['four digits of MCC and MNC', { profileOwner: { mccMnc: '2620' } }],
  ] as [string, Partial<StoreMetadataRequest>][])('does not write %s', (_, fields) => {
    expectRefusal('metadataInvalid', () => encodeStoreMetadata({ ...minimal, ...fields }));
  });

  it('counts names in octets of UTF-8, not in characters', () => {
    encodeStoreMetadata({ ...minimal, serviceProviderName: 'é'.repeat(16) });
    expectRefusal('metadataInvalid', () =>
      encodeStoreMetadata({ ...minimal, serviceProviderName: 'é'.repeat(17) }),
    );
  });

  it.each([
    ['26202', '62f220'],
    ['310410', '130014'],
    ['00101', '00f110'],
  ])('packs MCC and MNC %s as TS 24.008 does', (mccMnc, packed) => {
    expect(toHex(encodeMccMnc(mccMnc))).toBe(packed);
    expect(decodeMccMnc(fromHex(packed))).toBe(mccMnc);
  });
});
