import { describe, expect, it } from 'vitest';
import { toHex } from '../../shared/codec/bytes.ts';
import { P256 } from '../../shared/crypto/curves.ts';
import { channelOf, SUITES, suiteByName, suiteByOid } from '../../shared/crypto/suite.ts';
import { generateOneTimeKey, publicOctets, type SuiteName } from '../../sim/index.ts';
import { CURVES } from '../support/invalid-points.ts';
import { expectRefusal } from '../support/refusal.ts';

describe('the rows of suites', () => {
  it.each(SUITES)('is found by the name and object identifier of $name', (suite) => {
    expect(suiteByName(suite.name)).toBe(suite);
    expect(suiteByOid(suite.oid)).toBe(suite);
  });

  it('refuses names, object identifiers and key types without a suite', () => {
    expectRefusal('securityConfiguration', () => suiteByName('p384'));
    expectRefusal('securityConfiguration', () => suiteByOid('1.3.132.0.34'));
    expectRefusal('profileInvalid', () => channelOf(0x80, 16));
    expectRefusal('profileInvalid', () => channelOf(0x88, 32));
  });

  it.each(SUITES)(
    'has the form of InitialiseSecureChannel that its key type announces on $name',
    ({ channel }) => {
      expect(channelOf(channel.keyType, channel.keyLength)).toEqual(channel);
    },
  );

  it.each(SUITES)('states the lengths that its one-time keys have on $name', (suite) => {
    const octets = publicOctets(generateOneTimeKey(suite.name as SuiteName));
    const key = suite.oneTimeKey(octets);
    const { smdpOtpk, ciphertext, sharedSecret } = key.encapsulate();
    expect(key.octets).toHaveLength(suite.oneTimeKeyLength);
    expect(smdpOtpk).toHaveLength(suite.channel.smdpOtpkLength);
    expect(ciphertext?.length).toBe(suite.channel.ciphertext?.length);
    expect(sharedSecret).toHaveLength(suite.sharedSecretLength);
    expect(key.identity().length).toBeLessThanOrEqual(128);
    expect(suite.identityOf(octets.subarray(0, suite.recordedLength))).toBe(key.identity());
  });
});

/** Suites whose one-time key is a point and nothing else. */
const ECKA_SUITES = SUITES.filter(({ oneTimeKeyLength, curve }) => oneTimeKeyLength === curve.pointLength);

describe('a one-time key of an ECKA suite', () => {
  it('is of one of three', () => expect(ECKA_SUITES).toHaveLength(3));

  it.each(ECKA_SUITES)('agrees to the secret that its eUICC has on $name', (suite) => {
    const theirs = suite.curve.generateEphemeral();
    const { smdpOtpk, sharedSecret } = suite.oneTimeKey(theirs.point).encapsulate();
    expect(toHex(theirs.agree(suite.curve.publicKey(smdpOtpk)))).toBe(toHex(sharedSecret));
  });

  it.each(ECKA_SUITES)(
    'is known by its x coordinate, which a point and its negative share, on $name',
    (suite) => {
      const { point } = suite.curve.generateEphemeral();
      const negative = negated(suite.name, point);
      const key = suite.oneTimeKey(point);
      expect(key.identity()).toBe(toHex(point.subarray(1, 33)));
      expect(suite.oneTimeKey(negative).identity()).toBe(key.identity());
      expect(suite.oneTimeKey(suite.curve.generateEphemeral().point).identity()).not.toBe(key.identity());
    },
  );

  it.each(ECKA_SUITES)(
    'is the key of a certificate that has its point or the negative, on $name',
    (suite) => {
      const { point } = suite.curve.generateEphemeral();
      const key = suite.oneTimeKey(point);
      expect(key.isKeyOf(suite.curve.publicKey(point))).toBe(true);
      expect(key.isKeyOf(suite.curve.publicKey(negated(suite.name, point)))).toBe(true);
      expect(key.isKeyOf(suite.curve.publicKey(suite.curve.generateEphemeral().point))).toBe(false);
    },
  );

  it.each(ECKA_SUITES)('draws fresh randomness each time, and takes what it is given, on $name', (suite) => {
    const key = suite.oneTimeKey(suite.curve.generateEphemeral().point);
    expect(toHex(key.encapsulate().smdpOtpk)).not.toBe(toHex(key.encapsulate().smdpOtpk));
    const scalar = Buffer.alloc(32, 7);
    expect(key.encapsulate(scalar)).toEqual(key.encapsulate(scalar));
    expect(() => key.encapsulate(Buffer.alloc(31, 7))).toThrow(RangeError);
  });

  it('is refused where it is none of its suite', () => {
    const key = P256.generateEphemeral().point;
    expectRefusal('oneTimeKeyInvalid', () => suiteByName('frp256v1').oneTimeKey(key));
    expectRefusal('oneTimeKeyInvalid', () => suiteByName('p256').oneTimeKey(key.subarray(1)));
  });
});

/** 04 ‖ X ‖ p − Y. */
function negated(curve: string, point: Uint8Array): Uint8Array {
  const { p } = CURVES[curve as keyof typeof CURVES];
  const y = (p - BigInt(`0x${toHex(point.subarray(33))}`)).toString(16).padStart(64, '0');
  return Buffer.concat([point.subarray(0, 33), Buffer.from(y, 'hex')]);
}
