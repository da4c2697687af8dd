import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { compactDecrypt, decodeProtectedHeader } from 'jose';
import { describe, expect, it } from 'vitest';
import { utf8 } from '../../../shared/codec/bytes.ts';
import { checkOutputKey, encryptRows } from '../../../shared/service/es2f/output-rows.ts';

const PLACE = { orderId: 'ORD-1', pack: 3, packs: 4 };
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const jwkOf = (key: KeyObject) => ({ ...key.export({ format: 'jwk' }) });

describe.each([
  ['P-256', 'ECDH-ES+A256KW', ec],
  ['RSA', 'RSA-OAEP-256', rsa],
])('output rows to a key of %s', (_, alg, { publicKey, privateKey }) => {
  const ROWS = '{"iccid":"1"}\n{"iccid":"2"}\n';
  const encrypted = () => encryptRows(jwkOf(publicKey), utf8(ROWS), PLACE);

  it('open with another implementation, in their place', async () => {
    await checkOutputKey(jwkOf(publicKey), {});
    const { plaintext, protectedHeader } = await compactDecrypt(encrypted(), privateKey);
    expect(Buffer.from(plaintext).toString()).toBe(ROWS);
    expect(protectedHeader).toMatchObject({ alg, enc: 'A256GCM', order: 'ORD-1', pack: 3, packs: 4 });
  });

  it('have every part under their seal', async () => {
    const parts = encrypted().split('.');
    for (const [i, part] of parts.entries()) {
      const octets = Buffer.from(part, 'base64url');
      octets[octets.length >> 1]! ^= 1;
      const changed = parts.with(i, octets.toString('base64url')).join('.');
      await expect(compactDecrypt(changed, privateKey)).rejects.toThrow();
    }
  });

  it('draw another content key and initialisation vector each time', () => {
    const [one, other] = [encrypted().split('.'), encrypted().split('.')];
    for (const part of [1, 2, 3]) expect(one[part]).not.toBe(other[part]);
  });
});

it('are encrypted to P-256 by a key of their own each time', () => {
  const epks = [0, 1].map(
    () => decodeProtectedHeader(encryptRows(jwkOf(ec.publicKey), utf8('{}'), PLACE)).epk,
  );
  expect(epks[0]).not.toEqual(epks[1]);
  expect(epks[0]).not.toHaveProperty('d');
});
