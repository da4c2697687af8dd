import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { SuiteName } from '../../shared/crypto/suite.ts';
import { suiteByName } from '../../shared/crypto/suite.ts';
import { Refusal } from '../../shared/errors.ts';
import { EntryVerifier } from '../../shared/euicc/entry-verifier.ts';
import { decodeCertificate } from '../../shared/pki/certificate.ts';
import { RevocationLists, TrustStore, verifyEumChain } from '../../shared/pki/chain.ts';
import { decodeCrl } from '../../shared/pki/crl.ts';
import { sign } from '../../sim/curve.ts';
import {
  type CurveName,
  encodeEuiccEntry,
  encodeOneTimeKeyTbs,
  type PersonalisedEuicc,
  SimCi,
  SimEum,
} from '../../sim/index.ts';
import { edgePoints, invalidPoints, invalidSignatures } from '../support/invalid-points.ts';

const SUITES = ['p256', 'brainpoolP256r1', 'frp256v1'] as const satisfies readonly (SuiteName & CurveName)[];
const KEY_ID = Buffer.alloc(16, 7);

/** An EUM, one of its eUICCs, and the verifier of its batch. */
function production(curve: (typeof SUITES)[number]): {
  euicc: PersonalisedEuicc;
  verdict: (otPk: Uint8Array, proof?: (good: Uint8Array) => Uint8Array) => string;
} {
  const ci = SimCi.create({ curve });
  const eum = SimEum.create({ ci });
  const euicc = eum.personalise();
  const crls = new RevocationLists();
  crls.add(decodeCrl(ci.issueCrl()), decodeCertificate(ci.certificate), Date.now());
  const verified = verifyEumChain({
    eumChain: [eum.ca.certificate],
    ciPkId: eum.ciPkId,
    trust: new TrustStore({ forSigning: [ci.certificate], forVerification: [] }),
    crls,
    atMs: Date.now(),
  });
  const verifier = new EntryVerifier(verified, suiteByName(curve), eum.ciPkId, euicc.euiccInfo2);
  const hash = createHash('sha256').update(euicc.euiccInfo2).digest();
  return {
    euicc,
    verdict(otPk, proof = (good) => good) {
      // the eUICC signs whatever it is given: only the point itself may be what is refused
      const good = sign(euicc.key, encodeOneTimeKeyTbs(euicc.eid, KEY_ID, otPk, hash));
      const { eid, euiccCert } = euicc;
      const oneTimeKeys = [{ keyId: KEY_ID, otPk, proof: proof(good) }];
      try {
        verifier.verify(encodeEuiccEntry({ eid, euiccCert, oneTimeKeys }));
        return 'accepted';
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        return error.code;
      }
    },
  };
}

describe.each(SUITES)('one-time keys on %s', { tags: ['GENS07', 'GENS12', 'DPFF10'] }, (curve) => {
  const { euicc, verdict } = production(curve);
  const otPk = euicc.oneTimeKeys[0]!.key.point;

  it.each(Object.entries(invalidPoints(curve)))('a point refused: %s', (_, point) => {
    // shorter than a one-time key of any suite is no well-formed entry
    expect(verdict(point)).toBe(point.length >= 65 ? 'oneTimeKeyInvalid' : 'protocolFormat');
  });

  it.each(Object.entries(edgePoints(curve)))('a point at the edge: %s', (name, point) => {
    // of the generator and its negative everybody knows the secret key
    const known = ['the base point', 'its negative'].includes(name);
    expect(verdict(point)).toBe(known ? 'oneTimeKeyInvalid' : 'accepted');
  });

  it('a proof refused, class by class', () => {
    let refused = 0;
    for (const name of Object.keys(invalidSignatures(curve, Buffer.alloc(64, 1)))) {
      const result = verdict(otPk, (good) => {
        const broken = invalidSignatures(curve, good)[name];
        if (broken !== undefined) refused += 1;
        return broken ?? Buffer.alloc(64);
      });
      expect(result, name).toBe('oneTimeKeyProofInvalid');
    }
    // the two classes of "an order too large" exist only where r or s is small
    expect(refused).toBeGreaterThanOrEqual(32);
    for (const length of [0, 32, 63, 65, 128])
      expect(
        verdict(otPk, () => Buffer.alloc(length, 1)),
        `${length}`,
      ).toBe('protocolFormat');
    expect(verdict(otPk)).toBe('accepted');
  });

  it('r or s an order too large is refused, whenever it fits', () => {
    const signing = suiteByName(curve).curve;
    const key = signing.publicKey(euicc.key.point);
    let tried = 0;
    for (let i = 0; i < (curve === 'frp256v1' ? 60 : 200); i++) {
      const message = Buffer.from(`message ${i}`);
      const classes = invalidSignatures(curve, sign(euicc.key, message));
      for (const name of ['r an order too large', 's an order too large']) {
        const broken = classes[name];
        if (broken === undefined) continue;
        tried += 1;
        expect(signing.signatureHolds(key, message, broken)).toBe(false);
      }
    }
    // the order of P-256 leaves one chance in 2^32
    expect(tried).toBeGreaterThanOrEqual(curve === 'p256' ? 0 : 1);
  });
});

it('every class of invalid points and proofs ran on each curve', () => {
  for (const curve of SUITES) {
    expect(Object.keys(invalidPoints(curve))).toHaveLength(41);
    expect(Object.keys(invalidSignatures(curve, Buffer.alloc(64, 1)))).toHaveLength(34);
  }
});
