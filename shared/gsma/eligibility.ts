import { SUITES } from '../crypto/suite.ts';
import { SERVICES } from '../profile/package/services.ts';
import { PROFILE_POLICY_RULES } from '../rsp/profile-policy-rules.ts';
import { type Check, integer, list, object, oneOf, optional, pattern, text } from './check.ts';
import { eid, version3 } from './fields.ts';

const capability = oneOf(...SERVICES.map(({ name }) => name));

/** A SubjectKeyIdentifier; lower case inside the server. */
const keyIdentifier: Check<string> = (value, path) =>
  pattern(/^(?:[0-9a-fA-F]{2}){1,32}$/, 'a SubjectKeyIdentifier as hexadecimal')(value, path).toLowerCase();

/** EligibilityPolicy (DPFF09) of an order. */
export const eligibility = object({
  minProfileVersion: optional(version3),
  minSvn: optional(version3),
  requiredCapabilities: optional(list(capability, { min: 0, max: SERVICES.length })),
  minNvm: optional(integer(0, 0xffff_ffff)),
  allowedEum: optional(list(text(256), { min: 1, max: 256 })),
  allowedCi: optional(list(keyIdentifier, { min: 1, max: 64 })),
  eidPrefixes: optional(list(pattern(/^[0-9]{1,32}$/, '1 to 32 digits'), { min: 1, max: 1000 })),
  eids: optional(list(eid, { min: 1, max: 100_000 })),
  profilePolicyRules: optional(list(oneOf(...PROFILE_POLICY_RULES), { min: 0, max: 3 })),
  certifiedPlatforms: optional(list(text(256), { min: 1, max: 64 })),
  suites: optional(list(oneOf(...SUITES.map(({ name }) => name)), { min: 1, max: SUITES.length })),
});
