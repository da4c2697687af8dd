import { createHash, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import { brainpoolP256r1 } from '@noble/curves/misc.js';
import { p256 } from '@noble/curves/nist.js';
import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../shared/codec/bytes.ts';
import { liesOn } from '../../shared/crypto/curve-type.ts';
import { BRAINPOOL_P256R1, CURVES, FRP256V1, P256, toSpki } from '../../shared/crypto/curves.ts';
import { fromSpki } from '../../shared/crypto/ec-key-forms.ts';
import { decodeEcdsaSignature } from '../../shared/crypto/ecdsa-signature.ts';
import { generateFrp256v1Secret, signFrp256v1 } from '../../shared/crypto/frp256v1.ts';
import { count } from '../support/counts.ts';
import { expectRefusal } from '../support/refusal.ts';
import ecka from '../vectors/ecka.json' with { type: 'json' };

const MESSAGE = Buffer.from('message');

describe('ECKA (BSI TR-03111)', { tags: ['ES8-AGREEMENT'] }, () => {
  it.each(ecka.vectors)('agrees on the traced secret of $id', (vector) => {
    count('vectors', 1);
    const ephemeral = P256.ephemeralFrom(fromHex(vector.smdpOtsk));
    expect(toHex(ephemeral.point)).toBe(vector.smdpOtpk);
    expect(toHex(ephemeral.agree(P256.publicKey(fromHex(vector.euiccOtpk))))).toBe(vector.sharedSecret);
  });

  it('runs every traced vector', () => {
    expect(ecka.vectors).toHaveLength(1);
  });

  it.each(CURVES)('gives both sides the same 32 octets on $name', (curve) => {
    const [ours, theirs] = [curve.generateEphemeral(), curve.generateEphemeral()];
    const secret = ours.agree(curve.publicKey(theirs.point));
    expect(secret).toHaveLength(32);
    expect(toHex(theirs.agree(curve.publicKey(ours.point)))).toBe(toHex(secret));
  });

  it.each(CURVES)('does nothing more once its key is wiped on $name', (curve) => {
    const ephemeral = curve.generateEphemeral();
    const peer = curve.publicKey(curve.generateEphemeral().point);
    ephemeral.wipe();
    expect(() => ephemeral.agree(peer)).toThrow(RangeError);
  });

  it.each(CURVES)('takes only scalars below the group order on $name', (curve) => {
    for (const secret of [Buffer.alloc(32), Buffer.alloc(32, 0xff), Buffer.alloc(31, 1)])
      expect(() => curve.ephemeralFrom(secret)).toThrow(RangeError);
  });

  it.each(CURVES)('takes no key of another curve than $name', (curve) => {
    const other = curve === P256 ? FRP256V1 : P256;
    const peer = other.publicKey(other.generateEphemeral().point);
    expect(() => curve.generateEphemeral().agree(peer)).toThrow();
  });
});

describe.each([
  { curve: P256, namedCurve: 'prime256v1', oracle: p256 },
  { curve: BRAINPOOL_P256R1, namedCurve: 'brainpoolP256r1', oracle: brainpoolP256r1 },
])('$curve.name against @noble/curves', ({ curve, namedCurve, oracle }) => {
  it('agrees on the same x coordinate, leading zeros kept', () => {
    for (let i = 0; i < 20; i++) {
      const secret = oracle.utils.randomSecretKey();
      const ours = curve.generateEphemeral();
      const theirs = oracle.getSharedSecret(secret, ours.point, false).subarray(1, 33);
      expect(toHex(ours.agree(curve.publicKey(oracle.getPublicKey(secret, false))))).toBe(toHex(theirs));
      expect(toHex(curve.ephemeralFrom(secret).point)).toBe(toHex(oracle.getPublicKey(secret, false)));
    }
  });

  it('verifies signatures of the oracle, high s included', () => {
    const secret = oracle.utils.randomSecretKey();
    const key = curve.publicKey(oracle.getPublicKey(secret, false));
    const raw = oracle.sign(MESSAGE, secret, { lowS: false });
    const s = BigInt(`0x${toHex(raw.subarray(32))}`);
    const otherS = (oracle.Point.CURVE().n - s).toString(16).padStart(64, '0');
    expect(curve.signatureHolds(key, MESSAGE, raw)).toBe(true);
    expect(curve.signatureHolds(key, MESSAGE, Buffer.concat([raw.subarray(0, 32), fromHex(otherS)]))).toBe(
      true,
    );
    expect(curve.signatureHolds(key, Buffer.from('massage'), raw)).toBe(false);
  });

  it('verifies alike whether the key is asked once or again, before and after', () => {
    const secret = oracle.utils.randomSecretKey();
    const raw = oracle.sign(MESSAGE, secret);
    const key = curve.publicKey(oracle.getPublicKey(secret, false));
    for (const asked of ['once', 'again', 'once'] as const) {
      expect(curve.signatureHolds(key, MESSAGE, raw, asked)).toBe(true);
      expect(curve.signatureHolds(key, Buffer.from('massage'), raw, asked)).toBe(false);
      expect(curve.signatureHolds(key, MESSAGE, raw.subarray(1), asked)).toBe(false);
    }
  });

  it('makes signatures that the oracle verifies', () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve });
    const { point } = fromSpki(publicKey.export({ format: 'der', type: 'spki' }));
    for (let i = 0; i < 20; i++) {
      const message = createHash('sha256').update(Buffer.of(i)).digest();
      const raw = decodeEcdsaSignature(curve, sign('sha256', message, privateKey));
      expect(oracle.verify(raw, message, point, { lowS: false })).toBe(true);
    }
  });
});

describe('FRP256V1', () => {
  it('verifies what it signs, and nothing else', () => {
    const secret = generateFrp256v1Secret();
    const key = FRP256V1.publicKey(FRP256V1.ephemeralFrom(secret).point);
    const signature = signFrp256v1(secret, MESSAGE);
    expect(signature).toHaveLength(64);
    expect(FRP256V1.signatureHolds(key, MESSAGE, signature)).toBe(true);
    expect(FRP256V1.signatureHolds(key, Buffer.from('massage'), signature)).toBe(false);
  });
});

describe('points and keys', { tags: ['GENS07', 'ES8-AGREEMENT'] }, () => {
  it.each(CURVES)('refuses what is no point of $name', (curve) => {
    const { point } = curve.generateEphemeral();
    const offCurve = Buffer.from(point);
    offCurve[64]! ^= 1;
    const compressed = Buffer.concat([Buffer.of(2 + (point[64]! & 1)), point.subarray(1, 33)]);
    const aboveP = Buffer.concat([Buffer.of(4), Buffer.alloc(32, 0xff), point.subarray(33)]);
    const hybrid = Buffer.concat([Buffer.of(6 + (point[64]! & 1)), point.subarray(1)]);
    for (const wrong of [
      offCurve,
      compressed,
      hybrid,
      aboveP,
      Buffer.of(0),
      Buffer.concat([Buffer.of(4), Buffer.alloc(64)]),
      point.subarray(0, 64),
      Buffer.concat([point, Buffer.of(0)]),
    ])
      expectRefusal('oneTimeKeyInvalid', () => curve.publicKey(wrong));
  });

  it.each(CURVES.filter(({ openSslName }) => openSslName !== undefined))(
    'takes what OpenSSL takes for a point of $name',
    (curve) => {
      const { p } = curve.domain;
      const number = (value: bigint) => Buffer.from(value.toString(16).padStart(64, '0'), 'hex');
      const coordinate = (point: Uint8Array, at: number) => BigInt(`0x${toHex(point.subarray(at, at + 32))}`);
      const byOpenssl = (point: Buffer) => {
        try {
          createPublicKey({ key: Buffer.concat([curve.spkiPrefix, point]), format: 'der', type: 'spki' });
          return true;
        } catch {
          return false;
        }
      };
      const taken: boolean[] = [];
      const expectSame = (x: bigint, y: bigint) => {
        const point = Buffer.concat([Buffer.of(4), number(x), number(y)]);
        taken.push(byOpenssl(point));
        expect(liesOn(curve, point), toHex(point)).toBe(taken.at(-1));
      };
      for (let i = 0; i < 50; i++) {
        const { point } = curve.generateEphemeral();
        const [x, y] = [coordinate(point, 1), coordinate(point, 33)];
        for (const [otherX, otherY] of [
          [x, y],
          [x, p - y],
          [y, x],
          [x ^ (1n << BigInt(i)), y],
          [x, y ^ (1n << BigInt(i))],
        ] as const)
          expectSame(otherX, otherY);
      }
      // a coordinate of p or more is another octet string for a point that has one already
      for (let small = 0n; taken.filter((is) => is).length < 120 && small < 300n; small++) {
        const compressed = curve.decompress(Buffer.concat([Buffer.of(2), number(small)]));
        if (compressed === undefined) continue;
        const y = coordinate(compressed, 33);
        expectSame(small, y);
        if (small + p < 1n << 256n) expectSame(small + p, y);
      }
      expectSame(0n, 0n);
      expectSame(p, 0n);
      expect(taken.filter((is) => is).length).toBeGreaterThanOrEqual(100);
      expect(taken.filter((is) => !is).length).toBeGreaterThan(100);
    },
  );

  it.each(CURVES)('refuses a point of another curve on $name', (curve) => {
    for (const other of CURVES.filter((candidate) => candidate !== curve))
      expectRefusal('oneTimeKeyInvalid', () => curve.publicKey(other.generateEphemeral().point));
  });

  it.each(CURVES)('reads back the SubjectPublicKeyInfo that it writes on $name', (curve) => {
    const key = curve.publicKey(curve.generateEphemeral().point);
    const read = fromSpki(toSpki(key));
    expect(read.curve).toBe(curve);
    expect(toHex(read.point)).toBe(toHex(key.point));
  });

  it('refuses a SubjectPublicKeyInfo on a curve that is not ours', () => {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'secp256k1' });
    expectRefusal('securityConfiguration', () => fromSpki(publicKey.export({ format: 'der', type: 'spki' })));
  });

  it.each(CURVES)('holds no signature that is malformed on $name', (curve) => {
    const key = curve.publicKey(curve.generateEphemeral().point);
    for (const signature of [
      Buffer.alloc(0),
      Buffer.alloc(63, 1),
      Buffer.alloc(65, 1),
      Buffer.alloc(64),
      Buffer.alloc(64, 0xff),
      Buffer.concat([Buffer.alloc(32), Buffer.alloc(32, 1)]),
    ])
      expect(curve.signatureHolds(key, MESSAGE, signature)).toBe(false);
  });
});
