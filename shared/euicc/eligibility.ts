import { refuse } from '../errors.ts';
import { capabilityBit, SERVICES, type ServiceName } from '../profile/package/services.ts';
import type { EuiccInfo2 } from '../rsp/euicc-info2.ts';

/**
 * Eligibility (SGP.41 DPFF09): what the Profile Owner asks of an eUICC before a profile or a one-time key is spent on
 * it. Every rule is optional; a refusal names the rule, what was asked and what the eUICC has.
 */
export interface EligibilityPolicy {
  /** "2.3.0", of the profile package (TCA). */
  readonly minProfileVersion?: string;
  /** SGP.22 version, "2.2.2". */
  readonly minSvn?: string;
  /** Names of uiccCapability bits; from the profile's eUICC-Mandatory-services when the Operator gives none. */
  readonly requiredCapabilities?: readonly string[];
  /** Octets of free non-volatile memory. Advisory: the eUICC told it when it was personalised. */
  readonly minNvm?: number;
  /** organizationName of the eUICC certificate's subject, which the EUM answers for. */
  readonly allowedEum?: readonly string[];
  /** SubjectKeyIdentifiers of eSIM CAs, hexadecimal. */
  readonly allowedCi?: readonly string[];
  readonly eidPrefixes?: readonly string[];
  readonly eids?: readonly string[];
  /** Profile policy rules of the profile, which the eUICC must not forbid. */
  readonly profilePolicyRules?: readonly string[];
  /** Prefixes of the platform label of the certification data object, one of which must fit. */
  readonly certifiedPlatforms?: readonly string[];
}

export interface EuiccFacts {
  readonly eid: string;
  /** SubjectKeyIdentifier of the root of the eUICC's chain, hexadecimal. */
  readonly ciPkId: string;
  readonly eum: string;
  readonly info: EuiccInfo2;
}

export function requireEligible(policy: EligibilityPolicy, facts: EuiccFacts): void {
  const { info } = facts;
  const must = (holds: boolean, rule: string, asked: string, found: string) => {
    if (!holds)
      refuse('notEligible', `${rule}: ${asked} is required, the eUICC has ${found}`, {
        subjectIdentifier: facts.eid,
      });
  };

  if (policy.minProfileVersion !== undefined) {
    const versions = [info.profileVersion, ...info.additionalProfilePackageVersions];
    const asked = policy.minProfileVersion;
    must(
      versions.some((version) => compareVersions(version, asked) >= 0),
      'minProfileVersion',
      asked,
      versions.join(', '),
    );
  }
  if (policy.minSvn !== undefined) {
    const svn = info.highestSvn ?? info.svn;
    must(compareVersions(svn, policy.minSvn) >= 0, 'minSvn', policy.minSvn, svn);
  }
  for (const name of policy.requiredCapabilities ?? []) {
    must(
      info.uiccCapability.has(capabilityBit(name as ServiceName)),
      'requiredCapabilities',
      name,
      capabilityNames(info),
    );
  }
  if (policy.minNvm !== undefined) {
    const free = info.extCardResource.freeNonVolatileMemory;
    must(free === undefined || free >= policy.minNvm, 'minNvm', `${policy.minNvm} octets`, `${free} octets`);
  }
  if (policy.allowedEum !== undefined) {
    must(policy.allowedEum.includes(facts.eum), 'allowedEum', policy.allowedEum.join(' or '), facts.eum);
  }
  if (policy.allowedCi !== undefined) {
    must(policy.allowedCi.includes(facts.ciPkId), 'allowedCi', policy.allowedCi.join(' or '), facts.ciPkId);
  }
  if (policy.eidPrefixes !== undefined) {
    must(
      policy.eidPrefixes.some((prefix) => facts.eid.startsWith(prefix)),
      'eidPrefixes',
      policy.eidPrefixes.join(' or '),
      facts.eid,
    );
  }
  if (policy.eids !== undefined)
    must(policy.eids.includes(facts.eid), 'eids', 'one of the listed EIDs', facts.eid);
  for (const rule of policy.profilePolicyRules ?? []) {
    if ((info.forbiddenProfilePolicyRules as readonly string[]).includes(rule)) {
      refuse('pprNotAllowed', `profilePolicyRules: the profile has ${rule}, which the eUICC forbids`, {
        subjectIdentifier: facts.eid,
      });
    }
  }
  if (policy.certifiedPlatforms !== undefined) {
    const label = info.certificationDataObject?.platformLabel ?? 'no certification data';
    must(
      policy.certifiedPlatforms.some((prefix) => label.startsWith(prefix)),
      'certifiedPlatforms',
      policy.certifiedPlatforms.join(' or '),
      label,
    );
  }
}

/** Refuses a policy that names what does not exist, when it is given and not when it is applied. */
export function checkPolicy(policy: EligibilityPolicy): void {
  for (const name of policy.requiredCapabilities ?? []) {
    if (!SERVICES.some((service) => service.name === name)) {
      refuse('orderInvalid', `eligibility.requiredCapabilities: there is no capability ${name}`);
    }
  }
  for (const [rule, version] of Object.entries({
    minProfileVersion: policy.minProfileVersion,
    minSvn: policy.minSvn,
  })) {
    if (version !== undefined && !/^\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(version)) {
      refuse('orderInvalid', `eligibility.${rule}: a version has the form 2.3.0`);
    }
  }
}

function compareVersions(a: string, b: string): number {
  const [left, right] = [a.split('.').map(Number), b.split('.').map(Number)];
  for (let i = 0; i < 3; i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

const capabilityNames = (info: EuiccInfo2) =>
  SERVICES.filter(({ capabilityBit: bit }) => info.uiccCapability.has(bit))
    .map(({ name }) => name)
    .join(', ') || 'none';
