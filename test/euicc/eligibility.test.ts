import { describe, expect, it } from 'vitest';
import { type EligibilityPolicy, requireEligible } from '../../shared/euicc/eligibility.ts';
import { decodeEuiccInfo2 } from '../../shared/rsp/euicc-info2.ts';
import { DEFAULT_FEATURES, type EuiccFeatures, encodeEuiccInfo2 } from '../../sim/index.ts';
import { expectRefusal } from '../support/refusal.ts';

const CI = Buffer.alloc(20, 1);
const EID = '89049032000000000000000000000136';

function facts(features: Partial<EuiccFeatures> = {}) {
  const info = decodeEuiccInfo2(encodeEuiccInfo2({ ...DEFAULT_FEATURES, ...features }, [CI], [CI]));
  return { eid: EID, ciPkId: CI.toString('hex'), eum: 'Simulated EUM', info };
}

/** The rule, what it takes, what it refuses, and what the eUICC has. */
const RULES: readonly [keyof EligibilityPolicy, EligibilityPolicy, EligibilityPolicy, string][] = [
  ['minProfileVersion', { minProfileVersion: '3.3.1' }, { minProfileVersion: '3.10.0' }, '3.3.1'],
  ['minSvn', { minSvn: '2.5.0' }, { minSvn: '3.0.0' }, '2.5.0'],
  ['requiredCapabilities', { requiredCapabilities: ['usim'] }, { requiredCapabilities: ['multos'] }, 'usim'],
  ['minNvm', { minNvm: 512 * 1024 }, { minNvm: 512 * 1024 + 1 }, '524288 octets'],
  ['allowedEum', { allowedEum: ['Simulated EUM'] }, { allowedEum: ['Other EUM'] }, 'Simulated EUM'],
  ['allowedCi', { allowedCi: ['01'.repeat(20)] }, { allowedCi: ['02'.repeat(20)] }, '01'.repeat(20)],
  ['eidPrefixes', { eidPrefixes: ['8901', '89049032'] }, { eidPrefixes: ['8901'] }, EID],
  ['eids', { eids: [EID] }, { eids: [] }, EID],
  ['certifiedPlatforms', {}, { certifiedPlatforms: ['1.2.840'] }, 'no certification data'],
];

describe('each rule takes what fulfils it, and names itself and both values where it refuses', () => {
  it.each(RULES)('%s', (rule, taken, refused, found) => {
    requireEligible(taken, facts());
    const refusal = expectRefusal('notEligible', () => requireEligible(refused, facts()));
    expect(refusal.message.startsWith(`${rule}: `)).toBe(true);
    expect(refusal.message).toContain(found);
    expect(refusal.subjectIdentifier).toBe(EID);
  });

  it('a profile policy rule that the eUICC forbids', () => {
    requireEligible({ profilePolicyRules: ['ppr1'] }, facts());
    expectRefusal('pprNotAllowed', () =>
      requireEligible({ profilePolicyRules: ['ppr1'] }, facts({ forbiddenProfilePolicyRules: [1] })),
    );
  });
});
