import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../shared/codec/bytes.ts';
import { encodeEid } from '../../shared/codec/eid.ts';
import { deriveSessionKeys } from '../../shared/crypto/session-keys.ts';
import { suiteByName } from '../../shared/crypto/suite.ts';
import { x963Kdf } from '../../shared/crypto/x963-kdf.ts';
import { count } from '../support/counts.ts';
import kdf from '../vectors/bsp-kdf.json' with { type: 'json' };
import cavp from '../vectors/x963-kdf-cavp.json' with { type: 'json' };

describe('X9.63 KDF with SHA-256', { tags: ['ES8-DERIVATION'] }, () => {
  it.each(kdf.vectors)('derives the key data of $id', ({ sharedSecret, sharedInfo, keyData }) => {
    count('vectors', 1);
    expect(toHex(x963Kdf(fromHex(sharedSecret), fromHex(sharedInfo), 48))).toBe(keyData);
  });

  it.each(cavp.vectors)('derives the key data of CAVP $id', ({ z, sharedInfo, keyData }) => {
    count('vectors', 1);
    expect(toHex(x963Kdf(fromHex(z), fromHex(sharedInfo), keyData.length / 2))).toBe(keyData);
  });

  it('runs every vector of the traces and of CAVP', () => {
    expect([kdf.vectors.length, cavp.vectors.length]).toEqual([2, 1]);
  });
});

describe('session keys of ES8+ (SGP.22 annex G)', { tags: ['ES8-DERIVATION'] }, () => {
  it.each(kdf.vectors)('are chaining value, S-ENC and S-MAC in this order: $id', (vector) => {
    count('vectors', 1);
    const keys = deriveSessionKeys(
      suiteByName('p256'),
      { sharedSecret: fromHex(vector.sharedSecret), sharedInfo: new Uint8Array(0) },
      fromHex(vector.hostId),
      encodeEid(vector.eid),
    );
    expect(toHex(keys.macChainingValue)).toBe(vector.initialMcv);
    expect(toHex(keys.encKey)).toBe(vector.sEnc);
    expect(toHex(keys.macKey)).toBe(vector.sMac);
  });

  it('take the EID as 16 octets, never as its 32 digits', () => {
    const [vector] = kdf.vectors;
    const digits = Buffer.from(vector!.eid, 'ascii');
    const agreed = { sharedSecret: fromHex(vector!.sharedSecret), sharedInfo: new Uint8Array(0) };
    expect(() => deriveSessionKeys(suiteByName('p256'), agreed, fromHex(vector!.hostId), digits)).toThrow(
      RangeError,
    );
  });
});
