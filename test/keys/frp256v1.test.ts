import { describe, expect, it } from 'vitest';
import { equal, fromHex, toHex } from '../../shared/codec/bytes.ts';
import { FRP256V1 } from '../../shared/crypto/curves.ts';
import { fromSpki } from '../../shared/crypto/ec-key-forms.ts';
import { Fault } from '../../shared/errors.ts';
import { ecPrivateKeyFromPem } from '../../shared/keys/ec-private-key.ts';
import { localKeyFromPem, secretFromPem } from '../../shared/keys/local-key.ts';
import { Digest } from '../../shared/keys/provider.ts';
import { encodePrivateKeyPem, generateKey } from '../../sim/index.ts';
import { count } from '../support/counts.ts';
import vectors from '../vectors/frp256v1.json' with { type: 'json' };

const pemOf = (label: string, der: Uint8Array): string =>
  `-----BEGIN ${label}-----\n${Buffer.from(der).toString('base64')}\n-----END ${label}-----\n`;
const derOf = (pem: string): Buffer => Buffer.from(pem.replaceAll(/-----[^-]+-----/g, ''), 'base64');

describe('an FRP256V1 private key in PEM', () => {
  it.each(vectors.keys)('is read from PKCS#8 and from SEC1: $scalar', ({ scalar, point, ...pems }) => {
    count('vectors', 1);
    for (const pem of [pems.pkcs8Pem, pems.sec1Pem]) {
      expect(toHex(ecPrivateKeyFromPem(pem)!.scalar)).toBe(scalar);
      const key = localKeyFromPem(pem);
      expect(key.algorithm).toBe('ecdsa-frp256v1');
      expect(toHex(fromSpki(key.spki!).point)).toBe(point);
      const message = Buffer.from('message');
      expect(FRP256V1.signatureHolds(fromSpki(key.spki!), message, key.sign!(Digest.of(message)))).toBe(true);
      expect(toHex(secretFromPem(pem).secret)).toBe(scalar);
    }
    expect(vectors.keys).toHaveLength(3);
  });

  it('is read as the simulated CI writes it', () => {
    const key = generateKey('frp256v1');
    const { spki } = localKeyFromPem(encodePrivateKeyPem(key));
    expect(toHex(fromSpki(spki!).point)).toBe(toHex(key.point));
  });

  it('with a point that is not its own, or a scalar that is none, is a Fault that shows neither', () => {
    const [first, second] = vectors.keys;
    const foreign = Buffer.from(toHex(derOf(first!.sec1Pem)).replace(first!.point, second!.point), 'hex');
    const zero = Buffer.from(toHex(derOf(first!.sec1Pem)).replace(first!.scalar, '00'.repeat(32)), 'hex');
    for (const der of [foreign, zero]) {
      expect(equal(der, derOf(first!.sec1Pem))).toBe(false);
      let thrown: unknown;
      try {
        localKeyFromPem(pemOf('EC PRIVATE KEY', der));
      } catch (error) {
        thrown = error;
      }
      expect(thrown).toBeInstanceOf(Fault);
      expect((thrown as Fault).message).not.toContain(first!.scalar);
    }
  });

  it('cut off anywhere is a Fault, never a key', () => {
    const der = derOf(vectors.keys[0]!.pkcs8Pem);
    for (let length = 0; length < der.length; length++)
      expect(() => localKeyFromPem(pemOf('PRIVATE KEY', der.subarray(0, length)))).toThrow(Fault);
  });
});

describe('FRP256V1 against another implementation', () => {
  it.each(vectors.agreements)('agrees on the same secret with $peer', ({ scalar, peer, sharedSecret }) => {
    count('vectors', 1);
    const ephemeral = FRP256V1.ephemeralFrom(fromHex(scalar));
    expect(toHex(ephemeral.agree(FRP256V1.publicKey(fromHex(peer))))).toBe(sharedSecret);
  });

  it.each(vectors.signatures)('verifies its signatures: $signature', ({ scalar, message, signature }) => {
    count('vectors', 1);
    const key = FRP256V1.publicKey(FRP256V1.ephemeralFrom(fromHex(scalar)).point);
    expect(FRP256V1.signatureHolds(key, fromHex(message), fromHex(signature))).toBe(true);
    expect(FRP256V1.signatureHolds(key, fromHex(`${message}00`), fromHex(signature))).toBe(false);
  });

  it('runs every vector', () => {
    expect([vectors.agreements.length, vectors.signatures.length]).toEqual([3, 3]);
  });
});
