import { verify } from 'node:crypto';
import { createRequire } from 'node:module';
import { p256 } from '@noble/curves/nist.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toHex } from '../../shared/codec/bytes.ts';
import { BRAINPOOL_P256R1, type Curve, P256 } from '../../shared/crypto/curves.ts';
import {
  directVerifierOf,
  type VerificationFunctions,
  verificationFunctionsBy,
} from '../../shared/crypto/direct-verification.ts';
import { decodeEcdsaSignature } from '../../shared/crypto/ecdsa-signature.ts';
import { NODE_ALONE, openSslCurve, type Ways } from '../../shared/crypto/openssl-curve.ts';
import type { Koffi } from '../../shared/crypto/openssl-functions.ts';
import { count } from '../support/counts.ts';
import { effort } from '../support/effort.ts';
import { DIGEST, GOOD, NO_POINTS, octets32, SIGNATURE_CASES } from './signature-cases.ts';
import { counted, damaged, keyPair, opensslFacts } from './signing.ts';

const requireKoffi = () => createRequire(import.meta.url)('koffi') as Koffi;
const functions = verificationFunctionsBy(requireKoffi);
const skipped = functions === null ? ' (skipped: the optional package koffi is not installed)' : '';
const facts = opensslFacts(P256);
const PAIRS = { newKey: 'freeKey', newPoint: 'freePoint' } as const;

/** Whether the verdict of a case is what node:crypto and @noble/curves say too; the latter where a digest was chosen. */
describe('the cases of signatures', () => {
  it('hold and do not hold by node:crypto as they say', () => {
    const curve = openSslCurve(facts, NODE_ALONE);
    const ofMessages = SIGNATURE_CASES.filter(({ message }) => message !== undefined);
    expect(ofMessages.length).toBeGreaterThan(1_000);
    const wrong = ofMessages.filter(
      ({ holds, point, message, sigValue }) =>
        curve.sigValueHolds(curve.publicKey(point), message!, sigValue) !== holds,
    );
    expect(wrong.map(({ name }) => name)).toEqual([]);
    count('vectors', ofMessages.length);
  });

  it('hold and do not hold by @noble/curves as they say, where the digest was chosen', () => {
    const ofDigests = SIGNATURE_CASES.filter(({ message }) => message === undefined);
    expect(ofDigests.length).toBeGreaterThan(20);
    const wrong = ofDigests.filter(
      ({ holds, point, digest, sigValue }) =>
        p256.verify(decodeEcdsaSignature(P256, sigValue), digest, point, { lowS: false, prehash: false }) !==
        holds,
    );
    expect(wrong.map(({ name }) => name)).toEqual([]);
    count('vectors', ofDigests.length);
  });
});

describe.skipIf(functions === null)(`verification by ECDSA_verify of OpenSSL${skipped}`, () => {
  it('finds each case as it says, right after a signature that holds', () => {
    const verifier = directVerifierOf(facts, functions)!;
    const wrong = SIGNATURE_CASES.filter(({ holds, point, digest, sigValue }) => {
      expect(verifier.holds(GOOD.point, GOOD.digest, GOOD.sigValue)).toBe(true);
      return verifier.holds(point, digest, sigValue) !== holds;
    });
    expect(wrong.map(({ name }) => name)).toEqual([]);
    count('vectors', SIGNATURE_CASES.length);
  });

  it.each(NO_POINTS)('takes no key written as %s, right after the key that signed', (_, octets) => {
    const verifier = directVerifierOf(facts, functions)!;
    expect(verifier.holds(GOOD.point, DIGEST, GOOD.sigValue)).toBe(true);
    expect(verifier.holds(octets, DIGEST, GOOD.sigValue)).toBe(false);
    expect(verifier.holds(GOOD.point, DIGEST, GOOD.sigValue)).toBe(true);
  });

  it.each([0, 20, 31, 33, 48, 64])('takes no digest of %d octets', (length) => {
    const verifier = directVerifierOf(facts, functions)!;
    const whole = Buffer.concat([DIGEST, DIGEST]);
    expect(verifier.holds(GOOD.point, whole.subarray(0, length), GOOD.sigValue)).toBe(false);
  });

  it.each([P256, BRAINPOOL_P256R1])(
    'judges random and damaged signatures on $name as node:crypto',
    (curve) => {
      const verifier = directVerifierOf(opensslFacts(curve), functions)!;
      const keys = [keyPair(curve), keyPair(curve)] as const;
      let held = 0;
      const runs = effort({ short: 300, long: 2_000 });
      fc.assert(
        fc.property(damaged(keys), ({ key, message, sigValue, digest }) => {
          const expected = verify('sha256', message, key.publicKey, sigValue);
          held += Number(expected);
          return verifier.holds(key.point, digest, sigValue) === expected;
        }),
        { numRuns: runs },
      );
      expect(held).toBeGreaterThan(runs / 20);
      expect(held).toBeLessThan(runs);
      count('properties', runs);
    },
  );

  it('leaves nothing in OpenSSL’s queue of errors', () => {
    const program = requireKoffi().load(null);
    const peek = program.func('unsigned long ERR_peek_error()');
    const verifier = directVerifierOf(facts, functions)!;
    for (const [, octets] of NO_POINTS) verifier.holds(octets, DIGEST, GOOD.sigValue);
    for (const { point, digest, sigValue } of SIGNATURE_CASES) verifier.holds(point, digest, sigValue);
    expect(Number(peek())).toBe(0);
  });

  it('is not used where it judges otherwise than node:crypto, and gives back what it took', () => {
    const { functions: counting, tally } = counted(functions!, PAIRS);
    for (const other of [
      { verify: () => 1 },
      { verify: () => 0 },
      { verify: () => -1 },
      { readPoint: () => 0 },
      { setPublicPoint: () => 0 },
      // the key of the call before stays
      { setPublicPoint: once(functions!.setPublicPoint) },
    ] satisfies Partial<VerificationFunctions>[])
      expect(directVerifierOf(facts, { ...counting, ...other })).toBeUndefined();
    expect(tally).toEqual({ made: 12, open: 0 });
  });

  it('takes one key and one point of OpenSSL, however much it verifies', () => {
    const { functions: counting, tally } = counted(functions!, PAIRS);
    const verifier = directVerifierOf(facts, counting)!;
    for (const { point, digest, sigValue } of SIGNATURE_CASES) verifier.holds(point, digest, sigValue);
    expect(tally).toEqual({ made: 2, open: 2 });
  });

  it('does not answer by the key before where one of its functions fails', () => {
    for (const fails of [{ readPoint: () => 0 }, { setPublicPoint: () => 0 }, { verify: () => -1 }]) {
      const failing = { ...functions! };
      const verifier = directVerifierOf(facts, failing)!;
      expect(verifier.holds(GOOD.point, DIGEST, GOOD.sigValue)).toBe(true);
      Object.assign(failing, fails);
      expect(verifier.holds(GOOD.point, DIGEST, GOOD.sigValue)).toBe(false);
    }
  });

  it('has none for a curve that OpenSSL does not know', () => {
    expect(directVerifierOf({ openSslName: 'frp256v1', coordinateLength: 32 }, functions)).toBeUndefined();
  });
});

describe('a signature that the direct way does not find good', () => {
  const { publicKey, signRaw } = keyPair(P256);
  const [message, signature] = [Buffer.from('message'), signRaw(Buffer.from('message'))];
  const asked: string[] = [];
  const refusing: Ways = {
    ...NODE_ALONE,
    verifierOf: () => ({
      holds(point) {
        asked.push(toHex(point));
        return false;
      },
    }),
  };

  it.each(['again', 'once'] as const)('is verified by node:crypto, for a key asked %s', (how) => {
    asked.length = 0;
    const curve = openSslCurve(facts, refusing);
    const key = curve.publicKey(keyPoint(publicKey));
    expect(curve.signatureHolds(key, message, signature, how)).toBe(true);
    expect(curve.signatureHolds(key, Buffer.from('massage'), signature, how)).toBe(false);
    expect(asked).toEqual([toHex(key.point), toHex(key.point)]);
  });

  it('is too short or too long before anything is asked', () => {
    asked.length = 0;
    const curve = openSslCurve(facts, refusing);
    const key = curve.publicKey(keyPoint(publicKey));
    for (const length of [0, 1, 63])
      expect(curve.signatureHolds(key, message, signature.subarray(0, length))).toBe(false);
    expect(curve.signatureHolds(key, message, Buffer.concat([signature, Buffer.alloc(2)]))).toBe(false);
    expect(asked).toEqual([]);
  });
});

describe('signatures by either way', () => {
  const both: readonly Curve[] = [P256, openSslCurve(facts, NODE_ALONE)];

  it('hold or do not hold alike as r ‖ s, and are refused alike', () => {
    const numbers = [0n, 1n, P_ORDER - 1n, P_ORDER, P_ORDER + 1n, (1n << 256n) - 1n].map(octets32);
    const raws = [
      ...numbers.flatMap((r) => numbers.map((s) => Buffer.concat([r, s]))),
      ...SIGNATURE_CASES.flatMap(({ message, sigValue, point }) => {
        try {
          return message === undefined ? [] : [{ raw: decodeEcdsaSignature(P256, sigValue), message, point }];
        } catch {
          return [];
        }
      }),
    ].map((one) => ('raw' in one ? one : { raw: one, message: Buffer.from('m'), point: GOOD.point }));
    expect(raws.length).toBeGreaterThan(500);
    for (const { raw, message, point } of raws) {
      const [ours, nodes] = both.map((curve) =>
        curve.signatureHolds(curve.publicKey(point), message, raw, 'once'),
      );
      expect(ours).toBe(nodes);
    }
  });
});

const P_ORDER = p256.Point.CURVE().n;

const keyPoint = (key: ReturnType<typeof keyPair>['publicKey']) =>
  key.export({ format: 'der', type: 'spki' }).subarray(-65);

/** The first call is made, those after it say that they were. */
function once(made: VerificationFunctions['setPublicPoint']): VerificationFunctions['setPublicPoint'] {
  let isFirst = true;
  return (key, point) => {
    if (!isFirst) return 1;
    isFirst = false;
    return made(key, point);
  };
}
