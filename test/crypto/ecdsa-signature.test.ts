import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../shared/codec/bytes.ts';
import { P256 } from '../../shared/crypto/curves.ts';
import { decodeEcdsaSignature, encodeEcdsaSignature } from '../../shared/crypto/ecdsa-signature.ts';
import { expectRefusal } from '../support/refusal.ts';

describe('ECDSA signatures, raw and DER', () => {
  it('turn into each other and back', () => {
    const coordinate = fc
      .uint8Array({ minLength: 32, maxLength: 32 })
      .filter((octets) => octets.some((octet) => octet !== 0));
    fc.assert(
      fc.property(coordinate, coordinate, (r, s) => {
        const raw = Buffer.concat([r, s]);
        expect(toHex(decodeEcdsaSignature(P256, encodeEcdsaSignature(raw)))).toBe(toHex(raw));
      }),
    );
  });

  it('keep the leading zeros of short numbers', () => {
    expect(toHex(decodeEcdsaSignature(P256, fromHex('3007020101020200ff')))).toBe(
      `${'00'.repeat(31)}01${'00'.repeat(31)}ff`,
    );
  });

  it.each([
    ['a negative number', '30060201ff020101'],
    ['a padded number', '300702020001020101'],
    ['zero', '3006020100020101'],
    ['an empty number', '30050200020101'],
    ['33 octets', `3026022101${'00'.repeat(32)}020101`],
    ['a third number', '3009020101020101020101'],
    ['octets behind it', '300602010102010100'],
    ['a set', '3106020101020101'],
  ])('are refused with %s', (_, der) => {
    expectRefusal('protocolFormat', () => decodeEcdsaSignature(P256, fromHex(der)));
  });
});
