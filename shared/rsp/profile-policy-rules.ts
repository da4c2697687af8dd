/** PprIds (SGP.22 section 2.4a.1.1 and annex H), bit 0 first. PPR3 existed in an early v2 module only. */
export const PROFILE_POLICY_RULES = ['pprUpdateControl', 'ppr1', 'ppr2'] as const;

/** ppr1: disabling is not allowed; ppr2: deletion is not allowed. */
export type ProfilePolicyRule = (typeof PROFILE_POLICY_RULES)[number];
