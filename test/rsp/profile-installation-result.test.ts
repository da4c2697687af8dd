import { generateKeyPairSync, sign } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../shared/codec/bytes.ts';
import { tlv } from '../../shared/codec/tlv.ts';
import { P256 } from '../../shared/crypto/curves.ts';
import { fromSpki } from '../../shared/crypto/ec-key-forms.ts';
import { decodeEcdsaSignature } from '../../shared/crypto/ecdsa-signature.ts';
import { decodeSimaResponse } from '../../shared/rsp/euicc-response.ts';
import { ERROR_REASONS, errorReasonName, isTemporary } from '../../shared/rsp/installation-error.ts';
import {
  decodeOtherSignedNotification,
  encodeOtherSignedNotification,
  verifyOtherSignedNotification,
} from '../../shared/rsp/other-signed-notification.ts';
import {
  decodeProfileInstallationResult,
  encodeProfileInstallationResult,
  encodeProfileInstallationResultData,
  verifyProfileInstallationResult,
} from '../../shared/rsp/profile-installation-result.ts';
import { expectRefusal } from '../support/refusal.ts';
import vectors from '../vectors/der-encodings.json' with { type: 'json' };

const vector = (id: string): Uint8Array => fromHex(vectors.items.find((item) => item.id === id)!.der);

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
const euiccKey = fromSpki(publicKey.export({ format: 'der', type: 'spki' }));
const signedBy = (message: Uint8Array): Uint8Array =>
  decodeEcdsaSignature(P256, sign('sha256', message, privateKey));
const signedResult = (data: Uint8Array): Uint8Array => encodeProfileInstallationResult(data, signedBy(data));

describe('ProfileInstallationResult (SGP.22 section 2.5.6)', { tags: ['ES8-RESULT', 'DPFF06'] }, () => {
  it('tells of a success', () => {
    const result = decodeProfileInstallationResult(signedResult(vector('pirData-success')));
    expect(result.smdpOid).toBe('2.999.10');
    expect(result.notificationMetadata).toEqual({
      seqNumber: 7,
      profileManagementOperation: 'install',
      notificationAddress: 'dp.example.com',
      iccid: '89000123456789012341',
    });
    expect('successResult' in result.finalResult && toHex(result.finalResult.successResult.aid)).toBe(
      'a0000005591010ffffffff8900001100',
    );
    expect(
      'successResult' in result.finalResult &&
        decodeSimaResponse(result.finalResult.successResult.simaResponse),
    ).toEqual([{ peStatus: [{ status: 0 }], profileInstallationAborted: false }]);
  });

  it('tells of a failure by command and reason', () => {
    const { finalResult } = decodeProfileInstallationResult(vector('pir-error'));
    expect(finalResult).toEqual({ errorResult: { bppCommandId: 'configureISDP', errorReason: 8 } });
  });

  it('may lack the smdpOid, as in the v2.1 module', () => {
    const { smdpOid, ...data } = decodeProfileInstallationResult(vector('pir-error'));
    expect(smdpOid).toBe('2.999.10');
    const without = decodeProfileInstallationResult(signedResult(encodeProfileInstallationResultData(data)));
    expect(without.smdpOid).toBeUndefined();
    verifyProfileInstallationResult(without, euiccKey);
  });

  it('carries the simaResponse of a failure', () => {
    const data = decodeProfileInstallationResult(vector('pir-error'));
    const finalResult = {
      errorResult: {
        bppCommandId: 'loadProfileElements' as const,
        errorReason: 12,
        simaResponse: fromHex('3007a0053003800103'),
      },
    };
    const encoded = signedResult(encodeProfileInstallationResultData({ ...data, finalResult }));
    expect(decodeProfileInstallationResult(encoded).finalResult).toEqual(finalResult);
  });

  it('of a command and for a reason that only a later version knows is kept by their numbers', () => {
    const data = decodeProfileInstallationResult(vector('pir-error'));
    const finalResult = { errorResult: { bppCommandId: 'bppCommand9' as const, errorReason: 99 } };
    const encoded = encodeProfileInstallationResultData({ ...data, finalResult });
    expect(toHex(encoded)).toContain('a106800109810163');
    expect(decodeProfileInstallationResult(signedResult(encoded)).finalResult).toEqual(finalResult);
  });

  it('holds under the key that signed these very octets', () => {
    const result = decodeProfileInstallationResult(signedResult(vector('pirData-success')));
    verifyProfileInstallationResult(result, euiccKey);
    expect(toHex(result.signedPart)).toBe(toHex(vector('pirData-success')));
  });

  it('is refused when any octet of the result was changed', () => {
    const octets = signedResult(vector('pirData-error'));
    const start = octets.length - vector('pirData-error').length - 67;
    for (let at = start; at < octets.length; at++) {
      const changed = Buffer.from(octets);
      changed[at]! ^= 1;
      let result: ReturnType<typeof decodeProfileInstallationResult>;
      try {
        result = decodeProfileInstallationResult(changed);
      } catch {
        continue;
      }
      expectRefusal('euiccSignatureInvalid', () => verifyProfileInstallationResult(result, euiccKey));
    }
  });

  it('is refused under the key of another eUICC', () => {
    const other = generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).publicKey;
    const result = decodeProfileInstallationResult(signedResult(vector('pirData-success')));
    expectRefusal('euiccSignatureInvalid', () =>
      verifyProfileInstallationResult(result, fromSpki(other.export({ format: 'der', type: 'spki' }))),
    );
  });

  it('calls only lack of memory and interruption temporary', () => {
    expect([...ERROR_REASONS.keys()].filter(isTemporary)).toEqual([10, 11]);
    expect(isTemporary(99)).toBe(false);
    expect(errorReasonName(8)).toBe('scp03tSecurityError');
    expect(errorReasonName(99)).toBe('errorReason99');
  });
});

describe('OtherSignedNotification', { tags: ['ES10B-OTHER-NOTIFICATION'] }, () => {
  const metadata = vector('notificationMetadata');
  const notification = encodeOtherSignedNotification({
    tbsOtherNotification: metadata,
    euiccNotificationSignature: signedBy(metadata),
    euiccCertificate: tlv(0x30, Buffer.of(5, 0)),
    eumCertificate: tlv(0x30, Buffer.of(5, 0)),
  });

  it('holds over its metadata as received', () => {
    const decoded = decodeOtherSignedNotification(notification);
    verifyOtherSignedNotification(decoded, euiccKey);
    expect(toHex(decoded.tbsOtherNotification)).toBe(toHex(metadata));
    expect(decoded.notificationMetadata.seqNumber).toBe(7);
  });

  it('is refused when its metadata was changed', () => {
    const changed = Buffer.from(notification);
    const at = changed.indexOf('dp.example.com');
    changed[at] = 'x'.charCodeAt(0);
    expectRefusal('euiccSignatureInvalid', () =>
      verifyOtherSignedNotification(decodeOtherSignedNotification(changed), euiccKey),
    );
  });
});
