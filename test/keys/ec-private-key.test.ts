import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { type Bytes, concat, toHex } from '../../shared/codec/bytes.ts';
import { tlv } from '../../shared/codec/tlv.ts';
import { CURVES, type Curve, toSpki } from '../../shared/crypto/curves.ts';
import { fromSpki } from '../../shared/crypto/ec-key-forms.ts';
import { Fault } from '../../shared/errors.ts';
import { ecPrivateKeyFromPem } from '../../shared/keys/ec-private-key.ts';
import { localKey, localKeyFromPem, secretFromPem } from '../../shared/keys/local-key.ts';
import { Digest } from '../../shared/keys/provider.ts';
import {
  explicitOf,
  newKeyOn,
  pemOf,
  type WrittenKey,
  writeExplicit,
  writeNamed,
  writePkcs8,
  writePoint,
  writeSec1,
} from '../support/ec-key-forms.ts';

const FILES = [
  { label: 'EC PRIVATE KEY', write: writeSec1 },
  { label: 'PRIVATE KEY', write: writePkcs8 },
] as const;
const MESSAGE = Buffer.from('message');

/** Is this the key, does it sign with it, and does it stay the same in a softkey file? */
function expectKey(pem: string, curve: Curve, point: Bytes): void {
  const key = localKeyFromPem(pem);
  expect(key.algorithm).toBe(curve.keyAlgorithm);
  expect(toHex(key.spki!)).toBe(toHex(toSpki({ curve, point })));
  expect(curve.signatureHolds(fromSpki(key.spki!), MESSAGE, key.sign!(Digest.of(MESSAGE)))).toBe(true);
  const { algorithm, secret } = secretFromPem(pem);
  expect(secret.length).toBeLessThan(150);
  expect(toHex(localKey(algorithm, secret).spki!)).toBe(toHex(key.spki!));
}

function reasonOf(pem: string): string {
  for (const read of [localKeyFromPem, secretFromPem])
    try {
      read(pem);
    } catch (error) {
      expect(error).toBeInstanceOf(Fault);
      expect((error as Fault).code).toBe('configuration');
      if (read === secretFromPem) return (error as Fault).message;
    }
  return expect.fail('the key was taken');
}

describe.each(CURVES)('a private key of another tool on $name', (curve) => {
  const { scalar, point } = newKeyOn(curve);
  const named = writeNamed(curve);
  const explicit = explicitOf(curve);

  describe.each(FILES)('in $label', ({ label, write }) => {
    const pem = (key: Partial<WrittenKey>) =>
      pemOf(label, write({ parameters: named, scalar, point, ...key }));

    test.each([
      ['a named curve and an uncompressed point', {}],
      ['a compressed point', { point: writePoint(point, 'compressed') }],
      ['no public key', { point: undefined }],
      ['explicit parameters', { parameters: writeExplicit(explicit) }],
      ['explicit parameters and no public key', { parameters: writeExplicit(explicit), point: undefined }],
      [
        'explicit parameters, all points compressed',
        {
          parameters: writeExplicit({ ...explicit, base: writePoint(explicit.base, 'compressed') }),
          point: writePoint(point, 'compressed'),
        },
      ],
      ['a leading zero before its number', { scalar: concat(Buffer.of(0), scalar) }],
    ] as const)('with %s is the key that it is', (_, key) => {
      expectKey(pem(key), curve, point);
    });

    test('is refused by its form where its point is hybrid', () => {
      expect(reasonOf(pem({ point: writePoint(point, 'hybrid') }))).toMatch(/hybrid point/);
    });

    test('is refused where its public point is that of another key, in any form', () => {
      const other = curve.ephemeralFrom(concat(Buffer.alloc(31), Buffer.of(7))).point;
      for (const form of ['uncompressed', 'compressed'] as const)
        expect(reasonOf(pem({ point: writePoint(other, form) }))).toBe(
          'the public point beside the private key is that of another key',
        );
    });

    test('is refused on explicit parameters that differ in the generator (CVE-2020-0601)', () => {
      // the public point as generator, and 1 as the private key of it
      const spoofed = writeExplicit({ ...explicit, base: point });
      const one = concat(Buffer.alloc(31), Buffer.of(1));
      expect(reasonOf(pem({ parameters: spoofed, scalar: one }))).toMatch(/but for their generator/);
    });

    test.each([
      ['zero', Buffer.alloc(32)],
      ['the order', curve.order],
      ['longer than the order', concat(Buffer.of(1), Buffer.alloc(32))],
      ['empty', Buffer.alloc(0)],
    ])('is refused where its number is %s', (_, number) => {
      expect(reasonOf(pem({ scalar: number }))).toMatch(/no number of the order/);
    });

    test('cut off anywhere is a Fault, never a key', () => {
      const der = write({ parameters: named, scalar, point });
      for (let length = 0; length < der.length; length++)
        expect(() => localKeyFromPem(pemOf(label, der.subarray(0, length)))).toThrow(Fault);
    });
  });

  test('is told from one that names another curve inside PKCS#8 than around it', () => {
    const other = CURVES.find((one) => one !== curve)!;
    const around = Buffer.from(writePkcs8({ parameters: named, scalar }));
    const inner = tlv(0x30, tlv(0x02, Buffer.of(1)), tlv(0x04, scalar), tlv(0xa0, writeNamed(other)));
    const pkcs8 = tlv(0x30, tlv(0x02, Buffer.of(0)), algorithmOf(around), tlv(0x04, inner));
    expect(reasonOf(pemOf('PRIVATE KEY', pkcs8))).toMatch(/one curve by PKCS#8 and on another one by SEC1/);
  });

  test('takes the public key of RFC 5958 beside it, where it is its own', () => {
    const key = writePkcs8({ parameters: named, scalar }).subarray(2);
    const withPublic = (octets: Bytes) =>
      pemOf('PRIVATE KEY', tlv(0x30, key, tlv(0x81, Buffer.of(0), octets)));
    expectKey(withPublic(writePoint(point, 'compressed')), curve, point);
    expect(reasonOf(withPublic(explicit.base))).toMatch(/that of another key/);
  });
});

/** The AlgorithmIdentifier of a PKCS#8 whose header takes two octets. */
const algorithmOf = (pkcs8: Buffer) => pkcs8.subarray(5, 5 + 2 + pkcs8[6]!);

test('a private key on a curve that is not ours is refused by its curve', () => {
  const p384 = tlv(0x06, Buffer.from('2b81040022', 'hex'));
  expect(
    reasonOf(pemOf('EC PRIVATE KEY', writeSec1({ parameters: p384, scalar: Buffer.alloc(48, 1) }))),
  ).toMatch(/on the curve 1\.3\.132\.0\.34, not on one of ours/);
});

test('a PEM of another kind is no EC key', () => {
  expect(ecPrivateKeyFromPem('-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n')).toBeUndefined();
  expect(ecPrivateKeyFromPem('')).toBeUndefined();
  expect(reasonOf('-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n')).toMatch(
    /holds no unencrypted/,
  );
});

const openssl = spawnSync('openssl', ['version']).status === 0 ? undefined : 'openssl is not on this machine';

describe.skipIf(openssl !== undefined)(`written by openssl${openssl ? ` (skipped: ${openssl})` : ''}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'ec-forms-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const run = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });

  test.each(CURVES.filter(({ openSslName }) => openSslName !== undefined))(
    'each form of a key of $name is the same key',
    (curve) => {
      run('ecparam', '-name', curve.openSslName!, '-genkey', '-out', 'key.pem');
      const own = localKeyFromPem(readFileSync(join(folder, 'key.pem'), 'utf8'));
      const { point } = fromSpki(own.spki!);
      for (const form of ['compressed', 'uncompressed'])
        for (const encoding of ['named_curve', 'explicit'])
          for (const tool of [['ec'], ['pkcs8', '-topk8', '-nocrypt']]) {
            run('ec', '-in', 'key.pem', '-conv_form', form, '-param_enc', encoding, '-out', 'form.pem');
            run(...tool, '-in', 'form.pem', '-out', 'out.pem');
            expectKey(readFileSync(join(folder, 'out.pem'), 'utf8'), curve, point);
          }
      run('ec', '-in', 'key.pem', '-no_public', '-out', 'out.pem');
      expectKey(readFileSync(join(folder, 'out.pem'), 'utf8'), curve, point);
      run('ec', '-in', 'key.pem', '-conv_form', 'hybrid', '-out', 'out.pem');
      expect(reasonOf(readFileSync(join(folder, 'out.pem'), 'utf8'))).toMatch(/hybrid point/);
    },
  );
});
