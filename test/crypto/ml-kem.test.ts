import { createHash, createPrivateKey, createPublicKey, decapsulate } from 'node:crypto';
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js';
import { describe, expect, it } from 'vitest';
import { concat, fromHex, toHex } from '../../shared/codec/bytes.ts';
import { ML_KEM_768, mlKemEncapsulate, mlKemEncapsulationKey } from '../../shared/crypto/ml-kem.ts';
import { count } from '../support/counts.ts';
import { expectRefusal } from '../support/refusal.ts';
import vectors from '../vectors/ml-kem-768-acvp.json' with { type: 'json' };

const octets = (base64: string) => Uint8Array.from(Buffer.from(base64, 'base64'));

/** PKCS#8 of an ML-KEM-768 key (RFC 9935): `seed [0]`, or `expandedKey`. */
const SEED_PREFIX = fromHex('3054020100300b060960864801650304040204428040');
const EXPANDED_PREFIX = fromHex('30820978020100300b0609608648016503040402048209640482' + '0960');

const privateKey = (prefix: Uint8Array, key: Uint8Array) =>
  createPrivateKey({ key: Buffer.from(concat(prefix, key)), format: 'der', type: 'pkcs8' });

describe('ML-KEM-768 of OpenSSL, which the server uses, gives the known answers of ACVP (FIPS 203)', () => {
  it('for keys from a seed: 25', () => {
    expect(vectors.keyGeneration).toHaveLength(25);
    for (const { seed, encapsulationKey, decapsulationKeySha256 } of vectors.keyGeneration) {
      const key = privateKey(SEED_PREFIX, octets(seed));
      const spki = createPublicKey(key).export({ format: 'der', type: 'spki' });
      expect(toHex(spki.subarray(-ML_KEM_768.encapsulationKeyLength))).toBe(toHex(octets(encapsulationKey)));
      // `both` of RFC 9935 ends with the decapsulation key
      const expanded = key.export({ format: 'der', type: 'pkcs8' }).subarray(-2400);
      expect(createHash('sha256').update(expanded).digest('base64')).toBe(decapsulationKeySha256);
      count('vectors', 1);
    }
  });

  it('for decapsulation: 10, of which 5 end in implicit rejection', () => {
    const { decapsulationKey, tests } = vectors.decapsulation;
    expect(tests).toHaveLength(10);
    expect(tests.filter(({ reason }) => reason === 'modify ciphertext')).toHaveLength(5);
    const key = privateKey(EXPANDED_PREFIX, octets(decapsulationKey));
    for (const { ciphertext, sharedSecret } of tests) {
      expect(decapsulate(key, octets(ciphertext)).toString('base64')).toBe(sharedSecret);
      count('vectors', 1);
    }
  });
});

describe('ML-KEM-768 of the soft eUICC, another implementation, gives the known answers of ACVP', () => {
  it('for encapsulation: 25', () => {
    expect(vectors.encapsulation).toHaveLength(25);
    for (const { encapsulationKey, m, ciphertext, sharedSecret } of vectors.encapsulation) {
      const made = ml_kem768.encapsulate(octets(encapsulationKey), octets(m));
      expect(toHex(made.cipherText)).toBe(toHex(octets(ciphertext)));
      expect(toHex(made.sharedSecret)).toBe(toHex(octets(sharedSecret)));
      count('vectors', 1);
    }
  });

  it('for keys from a seed, 25, and for decapsulation, 10', () => {
    for (const { seed, encapsulationKey } of vectors.keyGeneration)
      expect(toHex(ml_kem768.keygen(octets(seed)).publicKey)).toBe(toHex(octets(encapsulationKey)));
    const { decapsulationKey, tests } = vectors.decapsulation;
    for (const { ciphertext, sharedSecret } of tests)
      expect(toHex(ml_kem768.decapsulate(octets(ciphertext), octets(decapsulationKey)))).toBe(
        toHex(octets(sharedSecret)),
      );
    count('vectors', vectors.keyGeneration.length + tests.length);
  });
});

describe('an encapsulation key', () => {
  const good = octets(vectors.encapsulation[0]!.encapsulationKey);

  it('is taken as ACVP has it, and what is encapsulated opens elsewhere', () => {
    const { publicKey, secretKey } = ml_kem768.keygen();
    const { ciphertext, sharedSecret } = mlKemEncapsulate(mlKemEncapsulationKey(publicKey));
    expect(ciphertext).toHaveLength(ML_KEM_768.ciphertextLength);
    expect(toHex(ml_kem768.decapsulate(Uint8Array.from(ciphertext), secretKey))).toBe(toHex(sharedSecret));
    mlKemEncapsulationKey(good);
  });

  it('is refused in any other length', () => {
    for (const wrong of [good.subarray(1), concat(good, Uint8Array.of(0)), new Uint8Array(0)])
      expectRefusal('oneTimeKeyInvalid', () => mlKemEncapsulationKey(wrong));
  });

  it.each([
    ['the first', 0, (v: number) => v & 0xfff, 3329],
    ['the last', 767, (v: number) => v & 0xfff, 4095],
  ])('is refused where %s coefficient is not below q (modulus check)', (_, index, mask, value) => {
    for (const [wanted, isGood] of [
      [3328, true],
      [mask(value), false],
    ] as const) {
      const key = withCoefficient(good, index, wanted);
      if (isGood) mlKemEncapsulationKey(key);
      else expectRefusal('oneTimeKeyInvalid', () => mlKemEncapsulationKey(key));
    }
  });

  it('is refused for each of the 768 coefficients', () => {
    for (let i = 0; i < 768; i++)
      expectRefusal('oneTimeKeyInvalid', () => mlKemEncapsulationKey(withCoefficient(good, i, 3329)));
    count('mutations', 768);
  });
});

/** ByteEncode12: two coefficients of 12 bits in three octets, the lower one first. */
function withCoefficient(key: Uint8Array, index: number, value: number): Uint8Array {
  const changed = Uint8Array.from(key);
  const at = 3 * (index >> 1);
  if (index % 2 === 0) {
    changed[at] = value & 0xff;
    changed[at + 1] = (changed[at + 1]! & 0xf0) | (value >> 8);
  } else {
    changed[at + 1] = (changed[at + 1]! & 0x0f) | ((value & 0x0f) << 4);
    changed[at + 2] = value >> 4;
  }
  return changed;
}
