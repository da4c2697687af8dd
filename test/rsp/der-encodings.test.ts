import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../shared/codec/bytes.ts';
import { suiteByName } from '../../shared/crypto/suite.ts';
import { decodeConfigureIsdp, encodeConfigureIsdp } from '../../shared/rsp/configure-isdp.ts';
import { decodeEuiccInfo2 } from '../../shared/rsp/euicc-info2.ts';
import {
  decodeInitialiseSecureChannel,
  encodeInitialiseSecureChannel,
  encodeUnsignedPart,
  smdpSignInput,
} from '../../shared/rsp/initialise-secure-channel.ts';
import {
  decodeNotificationMetadata,
  encodeNotificationMetadata,
} from '../../shared/rsp/notification-metadata.ts';
import {
  decodeProfileInstallationResult,
  encodeProfileInstallationResult,
  encodeProfileInstallationResultData,
} from '../../shared/rsp/profile-installation-result.ts';
import { decodeReplaceSessionKeys, encodeReplaceSessionKeys } from '../../shared/rsp/replace-session-keys.ts';
import { decodeStoreMetadata, encodeStoreMetadata } from '../../shared/rsp/store-metadata.ts';
import { count } from '../support/counts.ts';
import vectors from '../vectors/der-encodings.json' with { type: 'json' };

type Recode = (der: Uint8Array) => Uint8Array;

/** Decodes and encodes again, by the ASN.1 type of the vector. */
const recode: Record<string, Recode> = {
  ConfigureISDPRequest: (der) => encodeConfigureIsdp(decodeConfigureIsdp(der)),
  ReplaceSessionKeysRequest: (der) => encodeReplaceSessionKeys(decodeReplaceSessionKeys(der)),
  StoreMetadataRequest: (der) => encodeStoreMetadata(decodeStoreMetadata(der)),
  NotificationMetadata: (der) => encodeNotificationMetadata(decodeNotificationMetadata(der)),
  ProfileInstallationResultData: (der) => {
    const signed = encodeProfileInstallationResult(der, Buffer.alloc(64));
    return encodeProfileInstallationResultData(decodeProfileInstallationResult(signed));
  },
  ProfileInstallationResult: (der) => {
    const result = decodeProfileInstallationResult(der);
    return encodeProfileInstallationResult(encodeProfileInstallationResultData(result), result.euiccSignPIR);
  },
  InitialiseSecureChannelRequest: (der) => {
    const request = decodeInitialiseSecureChannel(der);
    return encodeInitialiseSecureChannel(
      encodeUnsignedPart(suiteByName('p256').channel, request),
      request.smdpSign,
    );
  },
  // only read, never written: what counts is that the octets are kept
  EUICCInfo2: (der) => decodeEuiccInfo2(der).raw,
};

describe('objects of ES8+ and ES10b', { tags: ['ES8-PACKAGE', 'ES8-SIGNATURE'] }, () => {
  it.each(vectors.items)('$id is read and written to the byte', ({ type, der }) => {
    count('vectors', 1);
    expect(toHex(recode[type]!(fromHex(der)))).toBe(der);
  });

  it('run every vector of the file', () => {
    expect(vectors.items.filter(({ type }) => type in recode)).toHaveLength(11);
    expect(vectors.items).toHaveLength(11);
  });

  it('have smdpSign signed over the unsigned part and the one-time key of the eUICC', () => {
    const input = vectors.smdpSignInput;
    const unsignedPart = encodeUnsignedPart(suiteByName('p256').channel, {
      transactionId: fromHex(input.transactionId),
      hostId: fromHex(input.hostId),
      smdpOtpk: fromHex(input.smdpOtpk),
    });
    expect(toHex(smdpSignInput(unsignedPart, fromHex(input.euiccOtpk)))).toBe(input.octets);
  });
});
