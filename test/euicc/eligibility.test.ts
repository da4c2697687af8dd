import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { eidWithCheckDigits } from '../../shared/codec/eid.ts';
import {
  checkPolicy,
  ELIGIBILITY_RULES,
  type EligibilityPolicy,
  type EligibilityRuleName,
  requireEligible,
} from '../../shared/euicc/eligibility.ts';
import { eligibility as policyFromJson } from '../../shared/gsma/eligibility.ts';
import { decodeEuiccInfo2, type EuiccInfo2 } from '../../shared/rsp/euicc-info2.ts';
import { STATUS_CODES } from '../../shared/status-codes.ts';
import { DEFAULT_FEATURES, encodeEuiccInfo2 } from '../../sim/index.ts';
import { expectRefusal } from '../support/refusal.ts';

const CI = Buffer.alloc(20, 1);
const EID = '89049032000000000000000000000136';
const ROOT = join(import.meta.dirname, '../..');

const INFO = decodeEuiccInfo2(encodeEuiccInfo2(DEFAULT_FEATURES, [CI], [CI]));

const facts = (info: Partial<EuiccInfo2> = {}) => ({
  eid: EID,
  ciPkId: CI.toString('hex'),
  eum: 'Simulated EUM',
  suite: 'p256',
  info: { ...INFO, ...info },
});

/** A policy that an eUICC fulfils and one that it does not, and what the refusal says of the eUICC. */
interface RuleCase<Name extends EligibilityRuleName> {
  readonly takes: NonNullable<EligibilityPolicy[Name]>;
  readonly refuses: NonNullable<EligibilityPolicy[Name]>;
  readonly found: string;
  readonly info?: Partial<EuiccInfo2>;
}

/** One row a rule. */
const CASES: { readonly [Name in EligibilityRuleName]-?: RuleCase<Name> } = {
  minProfileVersion: { takes: '3.3.1', refuses: '3.10.0', found: '3.3.1' },
  minSvn: { takes: '2.5.0', refuses: '3.0.0', found: '2.5.0' },
  requiredCapabilities: { takes: ['usim'], refuses: ['usim', 'multos'], found: 'usim' },
  minNvm: { takes: 512 * 1024, refuses: 512 * 1024 + 1, found: '524288 octets' },
  allowedEum: { takes: ['Simulated EUM'], refuses: ['Other EUM'], found: 'Simulated EUM' },
  allowedCi: { takes: ['01'.repeat(20)], refuses: ['02'.repeat(20)], found: '01'.repeat(20) },
  eidPrefixes: { takes: ['8901', '89049032'], refuses: ['8901'], found: EID },
  eids: { takes: [EID], refuses: [eidWithCheckDigits('890490320000000000000000000002')], found: EID },
  profilePolicyRules: {
    takes: ['ppr2'],
    refuses: ['ppr1'],
    found: 'the eUICC forbids',
    info: { forbiddenProfilePolicyRules: ['ppr1'] },
  },
  certifiedPlatforms: {
    takes: ['1.2.840', '1.2.250'],
    refuses: ['1.2.840'],
    found: '1.2.250.1',
    info: {
      certificationDataObject: { platformLabel: '1.2.250.1', discoveryBaseUrl: 'https://example.com' },
    },
  },
  suites: { takes: ['p256', 'p256-mlkem768'], refuses: ['p256-mlkem768'], found: 'p256' },
};

const caseOf = (name: string) =>
  new Map<string, RuleCase<EligibilityRuleName>>(Object.entries(CASES)).get(name);

describe('each eligibility rule takes what fulfils it, and names itself and both values where it refuses', {
  tags: ['DPFF09'],
}, () => {
  it.each(ELIGIBILITY_RULES)('$name', ({ name, refusal: code }) => {
    const row = caseOf(name);
    expect(row, `the rule ${name} has no row in CASES`).toBeDefined();
    const { takes, refuses, found, info } = row!;
    requireEligible({ [name]: takes }, facts(info));
    const refusal = expectRefusal(code, () => requireEligible({ [name]: refuses }, facts(info)));
    expect(refusal.message.startsWith(`${name}: `)).toBe(true);
    expect(refusal.message).toContain(found);
    expect(refusal.subjectIdentifier).toBe(EID);
  });

  it.each(ELIGIBILITY_RULES)('$name is asked only where the policy asks it', ({ unmetBy, malformedIn }) => {
    expect([unmetBy({}, facts()), malformedIn({})]).toEqual([undefined, undefined]);
  });
});

it('an eUICC without certification data is of no certified platform', () => {
  const policy = { certifiedPlatforms: ['no certification'] };
  const refusal = expectRefusal('notEligible', () => requireEligible(policy, facts()));
  expect(refusal.message).toContain('no certification data');
});

describe('an eligibility rule is the same in the interface, the rows and the documentation', () => {
  it.each(ELIGIBILITY_RULES)('$name is taken from JSON', ({ name }) => {
    const given = { [name]: caseOf(name)!.refuses };
    expect(policyFromJson(given, 'eligibility')).toEqual(given);
    checkPolicy(given);
  });

  it('openapi.yaml has a member for each rule, and no other', () => {
    const { components } = parse(readFileSync(join(ROOT, 'shared/ifpp-draft1/openapi.yaml'), 'utf8'));
    const members = Object.keys(components.schemas.Eligibility.properties);
    expect(members.sort()).toEqual(ELIGIBILITY_RULES.map(({ name }) => name).sort());
  });

  it('the table of docs/operators.md is that of the rows', () => {
    const table = ELIGIBILITY_RULES.map(({ name, asks, reads, refusal }) => {
      const { subject, reason } = STATUS_CODES[refusal];
      return `| \`${name}\` | ${asks} | ${reads} | ${subject}/${reason} |`;
    });
    const documented = readFileSync(join(ROOT, 'docs/operators.md'), 'utf8').match(
      /\| rule \| what you ask \| what is read \| refusal \|\n\|.*\n((?:\|.*\n)+)/,
    )?.[1];
    expect(documented?.trimEnd().split('\n')).toEqual(table);
  });
});

describe('a policy that names what does not exist is refused when it is given', () => {
  it.each<EligibilityPolicy>([
    { minProfileVersion: '3.3' },
    { minSvn: 'three' },
    { requiredCapabilities: ['usim', 'telepathy'] },
  ])('refuses %j', (policy) => {
    const refusal = expectRefusal('orderInvalid', () => checkPolicy(policy));
    expect(refusal.message).toContain(`eligibility.${Object.keys(policy)[0]}: `);
  });
});
