import { refuse } from '../errors.ts';
import type { StatusName } from '../status-codes.ts';
import type { Certificate } from './certificate.ts';
import { ROLE_ARC } from './oids.ts';

/**
 * Role identifiers in certificatePolicies: SGP.22 v2 (Variant O) names each role by one arc, SGP.22 v3 (Variants
 * Ov3, A, B, C) by its place below the CI. Either column names a role; a chain keeps to one.
 */
export type CertificateRole =
  | 'ci'
  | 'ciSubCa'
  | 'eum'
  | 'eumSubCa'
  | 'euicc'
  | 'dpSubCa'
  | 'dpTls'
  | 'dpAuth'
  | 'dpPb'
  | 'dsSubCa'
  | 'dsTls'
  | 'dsAuth';

export type RoleColumn = 'v2' | 'v3';

/** Arcs below 2.23.146.1.2.1. The CI has the same in both columns; sub-CAs exist in v3 alone. */
const TABLE: readonly (readonly [role: CertificateRole, v2: string | undefined, v3: string])[] = [
  ['ci', '0', '0'],
  ['ciSubCa', undefined, '0.0'],
  ['eum', '2', '0.0.0'],
  ['eumSubCa', undefined, '0.0.0.0'],
  ['euicc', '1', '0.0.0.0.0'],
  ['dpSubCa', undefined, '0.0.1'],
  ['dpTls', '3', '0.0.1.0'],
  ['dpAuth', '4', '0.0.1.1'],
  ['dpPb', '5', '0.0.1.2'],
  ['dsSubCa', undefined, '0.0.2'],
  ['dsTls', '6', '0.0.2.0'],
  ['dsAuth', '7', '0.0.2.1'],
];

export interface RoleEntry {
  readonly role: CertificateRole;
  /** Undefined for the CI, which fits both. */
  readonly column: RoleColumn | undefined;
}

const byPolicy = new Map<string, RoleEntry>();
for (const [role, v2, v3] of TABLE) {
  if (v2 !== undefined) byPolicy.set(`${ROLE_ARC}.${v2}`, { role, column: 'v2' });
  byPolicy.set(`${ROLE_ARC}.${v3}`, { role, column: v2 === v3 ? undefined : 'v3' });
}

/** The policy identifier of a role; undefined where the column has none. */
export function rolePolicy(role: CertificateRole, column: RoleColumn): string | undefined {
  const row = TABLE.find(([name]) => name === role);
  const arc = column === 'v2' ? row?.[1] : row?.[2];
  return arc === undefined ? undefined : `${ROLE_ARC}.${arc}`;
}

/** The role that a policy identifier stands for; undefined for policies that are no GSMA role. */
export function roleOfPolicy(policy: string): RoleEntry | undefined {
  return byPolicy.get(policy);
}

/** The one role of a certificate. Other policies may stand beside it, a second role may not. */
export function roleOf(certificate: Certificate, refusedAs: StatusName): RoleEntry {
  let found: RoleEntry | undefined;
  for (const policy of certificate.extensions.certificatePolicies ?? []) {
    const entry = byPolicy.get(policy);
    if (entry === undefined) continue;
    if (found !== undefined) refuse(refusedAs, 'the certificate claims two GSMA roles');
    found = entry;
  }
  return found ?? refuse(refusedAs, 'the certificate has no GSMA role in its certificatePolicies');
}
