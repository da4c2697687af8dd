import { describe, expect, test } from 'vitest';
import { type Bytes, concat, toHex } from '../../shared/codec/bytes.ts';
import { tlv } from '../../shared/codec/tlv.ts';
import { CURVES, toSpki } from '../../shared/crypto/curves.ts';
import { Refusal } from '../../shared/errors.ts';
import { readEcPoint } from '../../shared/keys/pkcs11/ec-point.ts';
import type { Cryptoki } from '../../shared/keys/pkcs11/module.ts';
import { findKey, readPublicKey } from '../../shared/keys/pkcs11/objects.ts';
import { explicitOf, newKeyOn, writeExplicit, writeNamed, writePoint } from '../support/ec-key-forms.ts';

const AROUND = [
  { around: 'an OCTET STRING', wrap: (point: Bytes) => tlv(0x04, point) },
  { around: 'a BIT STRING', wrap: (point: Bytes) => tlv(0x03, Buffer.of(0), point) },
  { around: 'nothing', wrap: (point: Bytes) => point },
] as const;

describe.each(CURVES)('CKA_EC_POINT on $name', (curve) => {
  const { point } = newKeyOn(curve);

  test.each(AROUND)('with $around around the point is that point, compressed or not', ({ wrap }) => {
    for (const form of ['uncompressed', 'compressed'] as const)
      expect(toHex(readEcPoint(curve, wrap(writePoint(point, form))).point)).toBe(toHex(point));
  });

  test.each(AROUND)('with $around around a hybrid point is refused by that form', ({ wrap }) => {
    expect(() => readEcPoint(curve, wrap(writePoint(point, 'hybrid')))).toThrow(/hybrid point/);
  });

  test('whose first octets look like a wrapped point is the point that its length says', () => {
    // X of 3f…, after which 04 3f would be an OCTET STRING of 63 octets, as 02 1f … would be an INTEGER of 31
    for (let n = 1; n < 4000; n++) {
      const scalar = concat(Buffer.alloc(30), Buffer.of(n >>> 8, n & 0xff));
      const { point: own } = curve.ephemeralFrom(scalar);
      if (own[1] !== 0x3f) continue;
      expect(toHex(readEcPoint(curve, own).point)).toBe(toHex(own));
      return;
    }
    expect.fail('no such point was found');
  });

  test('that is no point is refused', () => {
    for (const octets of [point.subarray(1), tlv(0x04, tlv(0x04, point)), Buffer.alloc(0), Buffer.of(0)])
      expect(() => readEcPoint(curve, octets)).toThrow(Refusal);
  });
});

describe.each(CURVES)('a key pair of a token on $name', (curve) => {
  const { point } = newKeyOn(curve);
  const explicit = explicitOf(curve);
  const spkiOf = (parameters: Bytes, ecPoint: Bytes) => {
    const token = fakeToken(parameters, ecPoint);
    const key = findKey(token, SESSION, { scheme: 'pkcs11', object: 'dppb' });
    expect(key.algorithm).toBe(curve.keyAlgorithm);
    return toHex(readPublicKey(token, SESSION, key));
  };

  test('has the canonical SubjectPublicKeyInfo, however the token writes curve and point', () => {
    for (const parameters of [writeNamed(curve), writeExplicit(explicit)])
      for (const { wrap } of AROUND)
        for (const form of ['uncompressed', 'compressed'] as const)
          expect(spkiOf(parameters, wrap(writePoint(point, form)))).toBe(toHex(toSpki({ curve, point })));
  });

  test('on explicit parameters of which one is another is a fault of the configuration that says so', () => {
    const spoofed = writeExplicit({ ...explicit, base: point });
    expect(() => spkiOf(spoofed, point)).toThrow(expect.objectContaining({ code: 'configuration' }));
    expect(() => spkiOf(spoofed, point)).toThrow(/but for their generator/);
    expect(() => spkiOf(writeNamed(curve), writePoint(point, 'hybrid'))).toThrow(/hybrid point/);
  });
});

const SESSION = Buffer.of(1);
const CONSTANTS = {
  CKO_PUBLIC_KEY: 2,
  CKO_PRIVATE_KEY: 3,
  CKO_SECRET_KEY: 4,
  CKA_CLASS: 0,
  CKA_LABEL: 3,
  CKA_KEY_TYPE: 0x100,
  CKA_ID: 0x102,
  CKA_SIGN: 0x108,
  CKA_DERIVE: 0x10c,
  CKA_EC_PARAMS: 0x180,
  CKA_EC_POINT: 0x181,
  CKK_RSA: 0,
  CKK_EC: 3,
  CKR_ATTRIBUTE_TYPE_INVALID: 0x12,
};

/** A private and a public key of one CKA_ID, as far as reading them goes. */
function fakeToken(parameters: Bytes, ecPoint: Bytes): Cryptoki {
  const common = { [CONSTANTS.CKA_LABEL]: Buffer.from('dppb'), [CONSTANTS.CKA_ID]: Buffer.of(7) };
  const objects: Record<number, Record<number, Buffer>> = {
    [CONSTANTS.CKO_PRIVATE_KEY]: {
      ...common,
      [CONSTANTS.CKA_KEY_TYPE]: Buffer.of(CONSTANTS.CKK_EC, 0, 0, 0),
      [CONSTANTS.CKA_EC_PARAMS]: Buffer.from(parameters),
      [CONSTANTS.CKA_SIGN]: Buffer.of(1),
    },
    [CONSTANTS.CKO_PUBLIC_KEY]: { ...common, [CONSTANTS.CKA_EC_POINT]: Buffer.from(ecPoint) },
  };
  let found: Buffer[] = [];
  const library = {
    C_FindObjectsInit(_: Buffer, [{ value }]: [{ value: number }]) {
      found = objects[value] === undefined ? [] : [Buffer.of(value)];
    },
    C_FindObjects: () => found,
    C_FindObjectsFinal: () => undefined,
    C_GetAttributeValue(_: Buffer, [object]: Buffer, [{ type }]: [{ type: number }]) {
      const value = objects[object!]![type];
      if (value !== undefined) return [{ type, value }];
      const error = new Error('CKR_ATTRIBUTE_TYPE_INVALID');
      throw Object.assign(error, { code: CONSTANTS.CKR_ATTRIBUTE_TYPE_INVALID });
    },
  };
  return { library, constants: CONSTANTS } as never;
}
