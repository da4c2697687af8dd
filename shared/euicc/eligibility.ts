import { SUITES } from '../crypto/suite.ts';
import { refuse } from '../errors.ts';
import { capabilityBit, SERVICES, type ServiceName } from '../profile/package/services.ts';
import type { EuiccInfo2 } from '../rsp/euicc-info2.ts';
import type { StatusName } from '../status-codes.ts';

/**
 * Eligibility (SGP.41 DPFF09): what the Profile Owner asks of an eUICC before a profile or a one-time key is spent on
 * it. Every member is optional, and has its row in ELIGIBILITY_RULES.
 */
export interface EligibilityPolicy {
  readonly minProfileVersion?: string;
  readonly minSvn?: string;
  readonly requiredCapabilities?: readonly string[];
  readonly minNvm?: number;
  readonly allowedEum?: readonly string[];
  readonly allowedCi?: readonly string[];
  readonly eidPrefixes?: readonly string[];
  readonly eids?: readonly string[];
  readonly profilePolicyRules?: readonly string[];
  readonly certifiedPlatforms?: readonly string[];
  readonly suites?: readonly string[];
}

export type EligibilityRuleName = keyof EligibilityPolicy;

export interface EuiccFacts {
  readonly eid: string;
  /** SubjectKeyIdentifier of the root of the eUICC's chain, hexadecimal. */
  readonly ciPkId: string;
  /** organizationName of the EUM certificate's subject. */
  readonly eum: string;
  /** Of its one-time keys. */
  readonly suite: string;
  readonly info: EuiccInfo2;
}

/** A rule as it is written down. */
interface RuleRow<Asked> {
  /** What the policy asks, and what of the eUICC answers it, in the words of the documentation. */
  readonly asks: string;
  readonly reads: string;
  /** Row of shared/status-codes.ts. */
  readonly refusal: StatusName;
  /** What is asked and what the eUICC has, where that is not enough. */
  readonly unmet: (asked: Asked, facts: EuiccFacts) => string | undefined;
  /** What is wrong with the policy itself, refused when it is given. */
  readonly malformed?: (asked: Asked) => string | undefined;
}

/** A rule as it is applied, by its member of the policy. */
export interface EligibilityRule extends Pick<RuleRow<never>, 'asks' | 'reads' | 'refusal'> {
  readonly name: EligibilityRuleName;
  readonly unmetBy: (policy: EligibilityPolicy, facts: EuiccFacts) => string | undefined;
  readonly malformedIn: (policy: EligibilityPolicy) => string | undefined;
}

function rule<Name extends EligibilityRuleName>(
  name: Name,
  { unmet, malformed, ...words }: RuleRow<NonNullable<EligibilityPolicy[Name]>>,
): EligibilityRule {
  return {
    name,
    ...words,
    unmetBy: ({ [name]: asked }, facts) => (asked == null ? undefined : unmet(asked, facts)),
    malformedIn: ({ [name]: asked }) => (asked == null ? undefined : malformed?.(asked)),
  };
}

/** One row a rule, in the order in which they are applied. */
export const ELIGIBILITY_RULES: readonly EligibilityRule[] = [
  rule('minProfileVersion', {
    asks: 'lowest version of the eUICC Profile Package (TCA), "2.3.0"',
    reads: 'EuiccInfo2 profileVersion and additionalProfilePackageVersions, one of them',
    refusal: 'notEligible',
    unmet: (asked, { info: { profileVersion, additionalProfilePackageVersions } }) => {
      const versions = [profileVersion, ...additionalProfilePackageVersions];
      return needs(
        versions.some((version) => isAtLeast(version, asked)),
        asked,
        versions.join(', '),
      );
    },
    malformed: notVersion,
  }),
  rule('minSvn', {
    asks: 'lowest version of SGP.22, "2.2.2"',
    reads: 'EuiccInfo2 highestSvn, or svn where it has none',
    refusal: 'notEligible',
    unmet: (asked, { info: { svn, highestSvn = svn } }) =>
      needs(isAtLeast(highestSvn, asked), asked, highestSvn),
    malformed: notVersion,
  }),
  rule('requiredCapabilities', {
    asks: 'names of services; those of the profile’s eUICC-Mandatory-services where the Operator gives none',
    reads: 'EuiccInfo2 uiccCapability, all of them',
    refusal: 'notEligible',
    unmet: (asked, { info }) => {
      const missing = asked.find((name) => !info.uiccCapability.has(capabilityBit(name as ServiceName)));
      return missing === undefined ? undefined : needs(false, missing, capabilityNames(info));
    },
    malformed: (asked) => {
      const unknown = asked.find((name) => !SERVICES.some((service) => service.name === name));
      return unknown === undefined ? undefined : `there is no capability ${unknown}`;
    },
  }),
  rule('minNvm', {
    asks: 'octets of memory, by estimate of the profile where the Operator gives none; advisory',
    reads:
      'EuiccInfo2 extCardResource, free non-volatile memory as it was personalised; met where it tells none',
    refusal: 'notEligible',
    unmet: (asked, { info: { extCardResource } }) => {
      const { freeNonVolatileMemory: free = asked } = extCardResource;
      return needs(free >= asked, `${asked} octets`, `${free} octets`);
    },
  }),
  rule('allowedEum', {
    asks: 'names of EUMs',
    reads: 'organizationName of the EUM certificate, which the EUM answers for',
    refusal: 'notEligible',
    unmet: (asked, { eum }) => needs(asked.includes(eum), asked.join(' or '), eum),
  }),
  rule('allowedCi', {
    asks: 'SubjectKeyIdentifiers of eSIM CAs, hexadecimal',
    reads: 'the root of the eUICC’s chain',
    refusal: 'notEligible',
    unmet: (asked, { ciPkId }) => needs(asked.includes(ciPkId), asked.join(' or '), ciPkId),
  }),
  rule('eidPrefixes', {
    asks: 'first digits of EIDs',
    reads: 'the EID, one of them',
    refusal: 'notEligible',
    unmet: (asked, { eid }) =>
      needs(
        asked.some((prefix) => eid.startsWith(prefix)),
        asked.join(' or '),
        eid,
      ),
  }),
  rule('eids', {
    asks: 'EIDs',
    reads: 'the EID',
    refusal: 'notEligible',
    unmet: (asked, { eid }) => needs(asked.includes(eid), 'one of the listed EIDs', eid),
  }),
  rule('profilePolicyRules', {
    asks: 'profile policy rules of the profile; always those of its metadata, where it has any',
    reads: 'EuiccInfo2 forbiddenProfilePolicyRules, none of them',
    refusal: 'pprNotAllowed',
    unmet: (asked, { info: { forbiddenProfilePolicyRules } }) => {
      const forbidden = forbiddenProfilePolicyRules.find((name) => asked.includes(name));
      return forbidden && `the profile has ${forbidden}, which the eUICC forbids`;
    },
  }),
  rule('certifiedPlatforms', {
    asks: 'first characters of platform labels',
    reads: 'EuiccInfo2 certificationDataObject, one of them',
    refusal: 'notEligible',
    unmet: (asked, { info: { certificationDataObject } }) => {
      const label = certificationDataObject?.platformLabel;
      const fits = label !== undefined && asked.some((prefix) => label.startsWith(prefix));
      return needs(fits, asked.join(' or '), label ?? 'no certification data');
    },
  }),
  rule('suites', {
    asks: 'names of crypto suites, `p256-mlkem768` for one that is safe from quantum computers',
    reads: 'the suite of its one-time keys, one of them',
    refusal: 'notEligible',
    unmet: (asked, { suite }) => needs(asked.includes(suite), asked.join(' or '), suite),
    malformed: (asked) => {
      const unknown = asked.find((name) => !SUITES.some((suite) => suite.name === name));
      return unknown === undefined ? undefined : `there is no crypto suite ${unknown}`;
    },
  }),
];

/** Refuses by the first rule that is not met: its name, what was asked and what the eUICC has. */
export function requireEligible(policy: EligibilityPolicy, facts: EuiccFacts): void {
  for (const { name, refusal, unmetBy } of ELIGIBILITY_RULES) {
    const why = unmetBy(policy, facts);
    if (why !== undefined) refuse(refusal, `${name}: ${why}`, { subjectIdentifier: facts.eid });
  }
}

/** Refuses a policy that names what does not exist, when it is given and not when it is applied. */
export function checkPolicy(policy: EligibilityPolicy): void {
  for (const { name, malformedIn } of ELIGIBILITY_RULES) {
    const why = malformedIn(policy);
    if (why !== undefined) refuse('orderInvalid', `eligibility.${name}: ${why}`);
  }
}

function needs(holds: boolean, asked: string, found: string): string | undefined {
  return holds ? undefined : `${asked} is required, the eUICC has ${found}`;
}

function notVersion(asked: string): string | undefined {
  return /^\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(asked) ? undefined : 'a version has the form 2.3.0';
}

function isAtLeast(version: string, asked: string): boolean {
  const [left, right] = [version.split('.').map(Number), asked.split('.').map(Number)];
  for (let i = 0; i < 3; i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
}

const capabilityNames = (info: EuiccInfo2) =>
  SERVICES.filter(({ capabilityBit: bit }) => info.uiccCapability.has(bit))
    .map(({ name }) => name)
    .join(', ') || 'none';
