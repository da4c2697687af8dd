import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { tlv } from '../../shared/codec/tlv.ts';
import type { CurveName } from '../../shared/crypto/curves.ts';
import { Refusal } from '../../shared/errors.ts';
import { verifyCertificationRequest } from '../../shared/pki/csr.ts';
import { DIGITAL_SIGNATURE } from '../../shared/pki/extensions/key-usage.ts';
import {
  bitString,
  derSignature,
  ECDSA_SHA256,
  ext,
  extension,
  generateKey,
  integer,
  name,
  oid,
  sequence,
} from './builder.ts';
import { verdict } from './verdict.ts';

const SUBJECT = name({ O: 'ACME', CN: 'TEST SM-DP+' });

function request(suite: CurveName, options: { signer?: CurveName; attributes?: number } = {}): Buffer {
  const key = generateKey(suite);
  const extensions = sequence(extension(ext.keyUsage(0x80)), extension(ext.registeredId('2.999.10')));
  const attribute = sequence(oid('1.2.840.113549.1.9.14'), tlv(0x31, extensions));
  const attributes = Array.from({ length: options.attributes ?? 1 }, () => attribute);
  const info = sequence(integer(0), SUBJECT, key.spki, tlv(0xa0, ...attributes));
  const signer = options.signer === undefined ? key : generateKey(options.signer);
  return Buffer.from(sequence(info, ECDSA_SHA256, bitString(derSignature(signer.sign(info)))));
}

describe('a certification request', { tags: ['CERT-REQUEST'] }, () => {
  test.each(['p256', 'brainpoolP256r1', 'frp256v1'] as const)(
    'signed by its own key on %s is accepted',
    (suite) => {
      const { subject, publicKey, extensions } = verifyCertificationRequest(request(suite));
      expect(subject.raw).toEqual(Buffer.from(SUBJECT));
      expect(publicKey.curve.name).toBe(suite);
      expect(extensions.keyUsage).toBe(DIGITAL_SIGNATURE);
      expect(extensions.subjectAltName?.registeredIds).toEqual(['2.999.10']);
    },
  );

  test('without attributes asks for nothing', () => {
    expect(verifyCertificationRequest(request('p256', { attributes: 0 })).extensions).toEqual({});
  });

  test('signed by another key is refused', () => {
    expect(verdict(() => verifyCertificationRequest(request('p256', { signer: 'p256' })))).toBe(
      'securityConfiguration',
    );
  });

  test('with two extensionRequests is refused', () => {
    expect(verdict(() => verifyCertificationRequest(request('p256', { attributes: 2 })))).toBe(
      'protocolFormat',
    );
  });

  test('with any octet changed, or cut off anywhere, is refused', () => {
    const der = request('p256');
    for (let length = 0; length < der.length; length++)
      expect(() => verifyCertificationRequest(der.subarray(0, length))).toThrow(Refusal);
    fc.assert(
      fc.property(fc.nat(der.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const changed = Buffer.from(der);
        changed[at]! ^= change;
        expect(() => verifyCertificationRequest(changed)).toThrow(Refusal);
      }),
      { numRuns: 1000 },
    );
  });
});
