import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { concat, toHex } from '../../shared/codec/bytes.ts';
import { encodeOid } from '../../shared/codec/oid.ts';
import { tlv } from '../../shared/codec/tlv.ts';
import { CURVES, type Curve } from '../../shared/crypto/curves.ts';
import {
  canonicalSpki,
  fromSpki,
  keyIdentifier,
  readSpki,
  splitSpki,
} from '../../shared/crypto/ec-key-forms.ts';
import type { StatusName } from '../../shared/status-codes.ts';
import {
  explicitOf,
  newKeyOn,
  type PointForm,
  writeExplicit,
  writeNamed,
  writePoint,
  writeSpki,
} from '../support/ec-key-forms.ts';
import { expectRefusal } from '../support/refusal.ts';

/** Refused for this reason. */
function refused(act: () => unknown, reason: RegExp, code: StatusName = 'securityConfiguration'): void {
  expect(expectRefusal(code, act).message).toMatch(reason);
}

describe.each(CURVES)('a public key of another tool on $name', (curve) => {
  const { point } = newKeyOn(curve);
  const canonical = toHex(writeSpki(writeNamed(curve), point));
  const explicit = explicitOf(curve);
  const withForm = (form: PointForm) => writeSpki(writeNamed(curve), writePoint(point, form));

  test.each(['uncompressed', 'compressed'] as const)('with a point %s is read by its value', (form) => {
    expect(toHex(canonicalSpki(withForm(form)))).toBe(canonical);
    const both = writeSpki(writeExplicit(explicit), writePoint(point, form));
    expect(toHex(canonicalSpki(both))).toBe(canonical);
    expect(toHex(readSpki(both).point)).toBe(toHex(point));
  });

  test('with a hybrid point is refused by that form', () => {
    refused(() => readSpki(withForm('hybrid')), /hybrid point/);
  });

  test('with a point off the curve, at infinity or of another length is refused', () => {
    const off = Uint8Array.from(point);
    off[64]! ^= 1;
    const noX = concat(Buffer.of(2), Buffer.alloc(32, 0xff));
    for (const [octets, message] of [
      [off, /a point that is not on/],
      [noX, /a compressed point that is not on/],
      [Buffer.of(0), /the point at infinity/],
      [point.subarray(0, 64), /no point of .*: 64 octets/],
      [Buffer.alloc(0), /no point of .*: 0 octets/],
    ] as const)
      refused(() => readSpki(writeSpki(writeNamed(curve), octets)), message);
  });

  test('with explicit parameters is taken where cofactor and seed are left out', () => {
    const parameters = writeExplicit({ ...explicit, cofactor: undefined, seed: undefined });
    expect(toHex(canonicalSpki(writeSpki(parameters, point)))).toBe(canonical);
  });

  test('with the generator of explicit parameters compressed is taken', () => {
    const base = writePoint(explicit.base, 'compressed');
    expect(toHex(canonicalSpki(writeSpki(writeExplicit({ ...explicit, base }), point)))).toBe(canonical);
  });

  test('with explicit parameters of which one is another is refused (CVE-2020-0601)', () => {
    const other = newKeyOn(curve).point;
    for (const [change, message] of [
      [{ base: other }, /but for their generator/],
      [{ order: explicit.order - 2n }, /order/],
      [{ cofactor: 2n }, /cofactor/],
      [{ p: explicit.p - 2n }, /of no curve of ours/],
      [{ a: explicit.a - 1n }, /of no curve of ours/],
      [{ b: explicit.b + 1n }, /of no curve of ours/],
    ] as const) {
      const parameters = writeExplicit({ ...explicit, ...change });
      refused(() => readSpki(writeSpki(parameters, point)), message);
    }
  });

  test('in a certificate is refused by its form, but for the canonical one', () => {
    const strict = (spki: Uint8Array) => () => splitSpki(spki, 'eumCertificateInvalid');
    expect(toHex(splitSpki(withForm('uncompressed'), 'eumCertificateInvalid').point)).toBe(toHex(point));
    refused(
      strict(withForm('compressed')),
      /compressed point.*RFC 5480 section 2\.2/,
      'eumCertificateInvalid',
    );
    refused(strict(withForm('hybrid')), /hybrid point.*RFC 5480 section 2\.2/, 'eumCertificateInvalid');
    const explicitly = writeSpki(writeExplicit(explicit), point);
    refused(strict(explicitly), /explicit parameters.*RFC 5480 section 2\.1\.1/);
    refused(() => fromSpki(explicitly), /explicit parameters/);
  });

  test('has the same key identifier as a GSMA certificate gives it', () => {
    expect(keyIdentifier(canonicalSpki(withForm('compressed')))).toMatch(/^[0-9a-f]{40}$/);
    expect(keyIdentifier(withForm('uncompressed'))).toBe(
      keyIdentifier(canonicalSpki(withForm('compressed'))),
    );
  });
});

describe.each(CURVES.filter(({ openSslName }) => openSslName !== undefined))(
  'OpenSSL writes $name',
  (curve: Curve) => {
    test('with the parameters that stand in its row', () => {
      const { publicKey } = generateKeyPairSync('ec', {
        namedCurve: curve.openSslName!,
        paramEncoding: 'explicit',
      });
      const spki = publicKey.export({ format: 'der', type: 'spki' });
      expect(spki.length).toBeGreaterThan(200);
      expect(toHex(spki)).toContain(toHex(writeExplicit(explicitOf(curve))));
      expect(toHex(canonicalSpki(spki))).toBe(toHex(writeSpki(writeNamed(curve), spki.subarray(-65))));
    });
  },
);

describe('a public key', () => {
  const { point } = newKeyOn(CURVES[0]!);

  test('of RSA is its own canonical form', () => {
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const spki = publicKey.export({ format: 'der', type: 'spki' });
    expect(toHex(canonicalSpki(spki))).toBe(toHex(spki));
    refused(() => readSpki(spki), /not id-ecPublicKey/);
  });

  test.each([
    [
      'another curve',
      tlv(0x06, encodeOid('1.3.132.0.34')),
      /on the curve 1\.3\.132\.0\.34, not on one of ours/,
    ],
    ['parameters of its issuer', tlv(0x05), /implicitCurve/],
    ['no parameters of a curve', tlv(0x13, Buffer.from('P-256')), /no curve parameters/],
  ])('with %s is refused by that', (_, parameters, message) => {
    refused(() => readSpki(writeSpki(parameters, point)), message);
    refused(() => fromSpki(writeSpki(parameters, point)), message);
  });

  test('over a field of characteristic two is refused', () => {
    const parameters = Buffer.from(writeExplicit(explicitOf(CURVES[0]!)));
    const prime = Buffer.from(encodeOid('1.2.840.10045.1.1'));
    parameters[parameters.indexOf(prime) + prime.length - 1] = 2;
    refused(() => readSpki(writeSpki(parameters, point)), /no prime field/);
  });
});
