import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../shared/codec/bytes.ts';
import { aesCmac, cmacSubkeys } from '../../shared/crypto/aes-cmac.ts';
import { count } from '../support/counts.ts';
import rfc4493 from '../vectors/aes-cmac-rfc4493.json' with { type: 'json' };

describe('AES-CMAC (RFC 4493)', { tags: ['ES8-BSP'] }, () => {
  it('derives the subkeys of section 2.3', () => {
    const { k1, k2 } = cmacSubkeys(fromHex(rfc4493.aesOfZero));
    expect(toHex(k1)).toBe(rfc4493.k1);
    expect(toHex(k2)).toBe(rfc4493.k2);
  });

  it.each(rfc4493.vectors)('gives the MAC of $id', ({ message, mac }) => {
    count('vectors', 1);
    expect(toHex(aesCmac(fromHex(rfc4493.key), fromHex(message)))).toBe(mac);
  });

  it('runs all four examples of section 4', () => {
    expect(rfc4493.vectors).toHaveLength(4);
  });
});
