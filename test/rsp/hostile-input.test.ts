import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromHex } from '../../shared/codec/bytes.ts';
import { tlv } from '../../shared/codec/tlv.ts';
import { decodeBoundProfilePackage } from '../../shared/rsp/bound-profile-package.ts';
import { decodeConfigureIsdp } from '../../shared/rsp/configure-isdp.ts';
import { decodeEuiccInfo2 } from '../../shared/rsp/euicc-info2.ts';
import { decodeSimaResponse, encodeEuiccResponse } from '../../shared/rsp/euicc-response.ts';
import { decodeInitialiseSecureChannel } from '../../shared/rsp/initialise-secure-channel.ts';
import { decodeNotificationMetadata } from '../../shared/rsp/notification-metadata.ts';
import { decodeOtherSignedNotification } from '../../shared/rsp/other-signed-notification.ts';
import {
  decodeProfileInstallationResult,
  encodeProfileInstallationResult,
} from '../../shared/rsp/profile-installation-result.ts';
import { decodeReplaceSessionKeys } from '../../shared/rsp/replace-session-keys.ts';
import { decodeStoreMetadata, encodeStoreMetadata } from '../../shared/rsp/store-metadata.ts';
import { mutated, truncations } from '../support/mutations.ts';
import { onlyRefuses } from '../support/refusal.ts';
import vectors from '../vectors/der-encodings.json' with { type: 'json' };
import { fullMetadata } from './full-metadata.ts';

const vector = (id: string): Uint8Array => fromHex(vectors.items.find((item) => item.id === id)!.der);

const simaResponse = encodeEuiccResponse({
  peStatus: [{ status: 3, identificationNumber: 7, additionalInformation: 1, offset: 20 }],
  profileInstallationAborted: true,
  statusMessage: 'aborted',
});

const bpp = tlv(
  0xbf36,
  vector('isc'),
  tlv(0xa0, tlv(0x87, Buffer.alloc(24))),
  tlv(0xa1, tlv(0x88, Buffer.alloc(60)), tlv(0x88, Buffer.alloc(20))),
  tlv(0xa2, tlv(0x87, Buffer.alloc(72))),
  tlv(0xa3, tlv(0x86, Buffer.alloc(40)), tlv(0x86, Buffer.alloc(24))),
);

const otherSigned = tlv(
  0x30,
  vector('notificationMetadata'),
  tlv(0x5f37, Buffer.alloc(64)),
  tlv(0x30, Buffer.alloc(4)),
  tlv(0x30, Buffer.alloc(4)),
);

const objects: [string, Uint8Array, (octets: Uint8Array) => unknown][] = [
  ['BoundProfilePackage', bpp, decodeBoundProfilePackage],
  ['InitialiseSecureChannelRequest', vector('isc'), decodeInitialiseSecureChannel],
  ['ConfigureISDPRequest', vector('configureIsdp-dpOid'), decodeConfigureIsdp],
  ['StoreMetadataRequest', encodeStoreMetadata(fullMetadata), decodeStoreMetadata],
  ['ReplaceSessionKeysRequest', vector('replaceSessionKeys'), decodeReplaceSessionKeys],
  ['NotificationMetadata', vector('notificationMetadata'), decodeNotificationMetadata],
  [
    'ProfileInstallationResult of success',
    encodeProfileInstallationResult(vector('pirData-success'), Buffer.alloc(64)),
    decodeProfileInstallationResult,
  ],
  ['ProfileInstallationResult of failure', vector('pir-error'), decodeProfileInstallationResult],
  ['OtherSignedNotification', otherSigned, decodeOtherSignedNotification],
  ['simaResponse', simaResponse, decodeSimaResponse],
  ['EUICCInfo2', vector('euiccInfo2-min'), decodeEuiccInfo2],
];

describe.each(objects)('%s', (name, octets, decode) => {
  it('is accepted whole', () => {
    decode(octets);
  });

  it('is refused when cut off anywhere', () => {
    for (const cut of truncations(octets)) {
      // an empty simaResponse is an empty list
      if (name === 'simaResponse' && cut.length === 0) continue;
      expect(onlyRefuses(() => decode(cut))).toBe('refused');
    }
  });

  it('is refused with octets behind it', () => {
    expect(onlyRefuses(() => decode(Buffer.concat([octets, Buffer.of(0)])))).toBe('refused');
  });

  it('is read or refused when altered, and never anything else', () => {
    let refused = 0;
    fc.assert(
      fc.property(mutated(octets), (altered) => {
        if (onlyRefuses(() => decode(altered)) === 'refused') refused++;
      }),
      { numRuns: 1000 },
    );
    expect(refused).toBeGreaterThan(0);
  });
});
