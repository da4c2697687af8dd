import { describe, expect, it } from 'vitest';
import { toHex } from '../../shared/codec/bytes.ts';
import { encodeStoreMetadata } from '../../shared/rsp/store-metadata.ts';
import { storeMetadataFromJson, storeMetadataToJson } from '../../shared/rsp/store-metadata-json.ts';
import { expectRefusal } from '../support/refusal.ts';
import vectors from '../vectors/der-encodings.json' with { type: 'json' };
import { fullMetadata } from './full-metadata.ts';

const minimal = { iccid: '8988211000000530082', serviceProviderName: 'SP', profileName: 'P' };

describe('StoreMetadataRequest in JSON', () => {
  it('comes back as it was written, every field', () => {
    const json = JSON.parse(JSON.stringify(storeMetadataToJson(fullMetadata)));
    const read = storeMetadataFromJson(json);
    expect(toHex(encodeStoreMetadata(read))).toBe(toHex(encodeStoreMetadata(fullMetadata)));
    expect(storeMetadataToJson(read)).toEqual(storeMetadataToJson(fullMetadata));
  });

  it('gives the DER of the published example, under the names Operators use', () => {
    const metadata = storeMetadataFromJson({
      iccid: '89000123456789012341',
      serviceProviderName: 'SP 2',
      profileName: 'P',
      notifications: [{ events: ['install'], address: 'dp.example.com' }],
      profileOwner: { mccMnc: '26202' },
      profilePolicyRules: ['ppr1'],
    });
    const der = toHex(encodeStoreMetadata(metadata));
    const published = vectors.items.find(({ id }) => id === 'storeMetadata-ppr')!.der;
    // the names differ, everything from the notifications on is the same
    expect(der.slice(der.indexOf('b616'))).toBe(published.slice(published.indexOf('b616')));
  });

  it('takes an ICCID of 19 digits with the F that fills its last octet', () => {
    expect(storeMetadataFromJson({ ...minimal, iccid: `${minimal.iccid}F` }).iccid).toBe(minimal.iccid);
    expectRefusal('iccidInvalid', () =>
      storeMetadataFromJson({ ...minimal, iccid: '89000123456789012341F' }),
    );
  });

  it('takes as much as two segments hold, and not an octet more (SGP.22 section 5.5.3)', () => {
    const withDescription = (octets: number) => ({ ...minimal, serviceDescription: '00'.repeat(octets) });
    const length = (octets: number) =>
      encodeStoreMetadata(storeMetadataFromJson(withDescription(octets))).length;
    const most = 1900 + 2016 - length(1900);
    expect(length(most)).toBe(2016);
    expectRefusal('metadataInvalid', () => storeMetadataFromJson(withDescription(most + 1)));
  });

  it('takes the class as operational unless it is given', () => {
    expect(storeMetadataFromJson(minimal).profileClass).toBe('operational');
    expect(storeMetadataFromJson({ ...minimal, profileClass: 'test' }).profileClass).toBe('test');
  });

  it.each([
    ['no object', []],
    ['a missing name', { iccid: minimal.iccid, serviceProviderName: 'SP' }],
    ['a misspelt member', { ...minimal, profilePolicyRule: ['ppr1'] }],
    ['both names of one member', { ...minimal, notifications: [], notificationConfigurationInfo: [] }],
    ['a number for a text', { ...minimal, profileName: 7 }],
    ['an unknown class', { ...minimal, profileClass: 'productive' }],
    ['an unknown rule', { ...minimal, profileOwner: { mccMnc: '26202' }, profilePolicyRules: ['ppr3'] }],
    ['an unknown event', { ...minimal, notifications: [{ events: ['update'], address: 'x' }] }],
    ['an icon that is no base64', { ...minimal, iconType: 'png', icon: 'not base64!' }],
    ['a GID that is no hexadecimal', { ...minimal, profileOwner: { mccMnc: '26202', gid1: 'xyz' } }],
    ['an icon alone', { ...minimal, icon: 'AA==' }],
    ['an icon of another type', { ...minimal, iconType: 'jpg', icon: 'iVBORw0KGgo=' }],
    ['an icon of nothing', { ...minimal, iconType: 'png', icon: '' }],
    [
      'an address that is no domain name',
      { ...minimal, notifications: [{ events: ['install'], address: 'a b' }] },
    ],
    [
      'an address with a port',
      { ...minimal, notifications: [{ events: ['install'], address: 'a.example:443' }] },
    ],
    ['what needs a third segment', { ...minimal, serviceDescription: '00'.repeat(2000) }],
    ['rules without an owner', { ...minimal, profilePolicyRules: ['ppr1'] }],
    ['a name that is too long', { ...minimal, profileName: 'x'.repeat(65) }],
    [
      'an OID that is none',
      { ...minimal, enterpriseConfiguration: { enterpriseOid: 'x', enterpriseName: '' } },
    ],
  ])('refuses %s', (_, json) => {
    expectRefusal('metadataInvalid', () => storeMetadataFromJson(json));
  });

  it('refuses an ICCID that is no ICCID', () => {
    expectRefusal('iccidInvalid', () => storeMetadataFromJson({ ...minimal, iccid: '123' }));
  });
});
