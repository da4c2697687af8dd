import { expect, test } from 'vitest';
import { decodeCertificate } from '../../shared/pki/certificate.ts';
import { type CertificateRole, roleOf, rolePolicy } from '../../shared/pki/roles.ts';
import { ext } from './builder.ts';
import { buildHierarchy, type CertificateEdit } from './hierarchy.ts';
import { verdict } from './verdict.ts';

/** SGP.22 v2 and v3 ASN.1 modules: id-rspRole-… and …-v2. */
const ROLES: [CertificateRole, string | undefined, string][] = [
  ['ci', '2.23.146.1.2.1.0', '2.23.146.1.2.1.0'],
  ['ciSubCa', undefined, '2.23.146.1.2.1.0.0'],
  ['eum', '2.23.146.1.2.1.2', '2.23.146.1.2.1.0.0.0'],
  ['eumSubCa', undefined, '2.23.146.1.2.1.0.0.0.0'],
  ['euicc', '2.23.146.1.2.1.1', '2.23.146.1.2.1.0.0.0.0.0'],
  ['dpSubCa', undefined, '2.23.146.1.2.1.0.0.1'],
  ['dpTls', '2.23.146.1.2.1.3', '2.23.146.1.2.1.0.0.1.0'],
  ['dpAuth', '2.23.146.1.2.1.4', '2.23.146.1.2.1.0.0.1.1'],
  ['dpPb', '2.23.146.1.2.1.5', '2.23.146.1.2.1.0.0.1.2'],
  ['dsSubCa', undefined, '2.23.146.1.2.1.0.0.2'],
  ['dsTls', '2.23.146.1.2.1.6', '2.23.146.1.2.1.0.0.2.0'],
  ['dsAuth', '2.23.146.1.2.1.7', '2.23.146.1.2.1.0.0.2.1'],
];

const withPolicies = (...policies: string[]) => {
  const euicc: CertificateEdit = (spec) => {
    spec.extensions.set('policies', ext.policies(...policies));
  };
  return decodeCertificate(buildHierarchy({ edit: { euicc } }).certificates.euicc!);
};

test.each(ROLES)(
  'the certificate role %s has its identifiers in both columns',
  { tags: ['CERT-ROLES'] },
  (role, v2, v3) => {
    expect([rolePolicy(role, 'v2'), rolePolicy(role, 'v3')]).toEqual([v2, v3]);
    if (v2 !== undefined && v2 !== v3)
      expect(roleOf(withPolicies(v2), 'euiccCertificateInvalid')).toEqual({ role, column: 'v2' });
    const column = v2 === v3 ? undefined : 'v3';
    expect(roleOf(withPolicies('2.999.7', v3), 'euiccCertificateInvalid')).toEqual({ role, column });
  },
);

test.each([
  ['no role', ['2.999.7']],
  ['an unassigned arc', ['2.23.146.1.2.1.8']],
  ['two roles', ['2.23.146.1.2.1.1', '2.23.146.1.2.1.5']],
  ['one role in both columns', ['2.23.146.1.2.1.1', '2.23.146.1.2.1.0.0.0.0.0']],
])('a certificate with %s is refused', (_, policies) => {
  expect(verdict(() => roleOf(withPolicies(...policies), 'euiccCertificateInvalid'))).toBe(
    'euiccCertificateInvalid',
  );
});
