import { expect, test } from 'vitest';
import type { Bytes } from '../../shared/codec/bytes.ts';
import { eidWithCheckDigits } from '../../shared/codec/eid.ts';
import { tlv } from '../../shared/codec/tlv.ts';
import type { CurveName } from '../../shared/crypto/curves.ts';
import type { Variant } from '../../shared/pki/chain.ts';
import {
  bitString,
  derSignature,
  ECDSA_SHA384,
  type ExtensionName,
  type ExtensionSpec,
  ext,
  generateKey,
  integer,
  keyId,
  name,
  oid,
  SCOPE,
  sequence,
  time,
} from './builder.ts';
import {
  AT_MS,
  buildHierarchy,
  type CertificateEdit,
  type CrlEdit,
  cdpUri,
  EID,
  EUM_NAME,
  type HierarchyOptions,
  IIN,
  type Node,
  policyOf,
} from './hierarchy.ts';
import { type Verdict, type VerifyOptions, verdict, verifyDpSide, verifyEuiccSide } from './verdict.ts';

interface Case extends HierarchyOptions, VerifyOptions {
  readonly rule: string;
  readonly side: 'euicc' | 'dp';
  readonly expected: Verdict;
}

const SUITES: CurveName[] = ['p256', 'brainpoolP256r1', 'frp256v1'];
const VARIANTS: Variant[] = ['O', 'Ov3', 'A', 'B', 'C'];
const cases: Case[] = [];

type Options = Omit<Case, 'rule' | 'side' | 'expected'>;
const euicc = (rule: string, expected: Verdict, options: Options = {}): void => {
  cases.push({ rule, side: 'euicc', expected, ...options });
};
const dp = (rule: string, expected: Verdict, options: Options = {}): void => {
  cases.push({ rule, side: 'dp', expected, ...options });
};

// Edits of one certificate
const without =
  (field: ExtensionName): CertificateEdit =>
  (spec) => {
    spec.extensions.delete(field);
  };
const withExtension =
  (field: ExtensionName, value: ExtensionSpec): CertificateEdit =>
  (spec) => {
    spec.extensions.set(field, value);
  };
const brokenSignature: CertificateEdit = (spec) => {
  const { sign } = spec;
  spec.sign = (tbs) => sign(Buffer.concat([tbs, Buffer.of(0)]));
};
const expired: CertificateEdit = (spec) => {
  spec.notAfter = time(AT_MS - 1000);
};
const notYetValid: CertificateEdit = (spec) => {
  spec.notBefore = time(AT_MS + 1000);
};
const offCurve: CertificateEdit = (spec) => {
  const spki = Buffer.from(spec.spki);
  spki[spki.length - 1]! ^= 1;
  spec.spki = spki;
};
/** Signed by the right issuer, but with a key of another curve. */
const otherCurve: CertificateEdit = (spec, pki) => {
  spec.spki = generateKey(pki.suite === 'p256' ? 'brainpoolP256r1' : 'p256').spki;
};
const revoke =
  (node: Node): CrlEdit =>
  (spec, pki) => {
    spec.entries = [{ serial: pki.serials[node], reason: 1 }];
  };
const untilNow: CertificateEdit = (spec) => {
  spec.notAfter = time(AT_MS);
};
const named =
  (subject: Bytes): CertificateEdit =>
  (spec) => {
    spec.subject = subject;
  };
const scoped =
  (scope: Bytes): CrlEdit =>
  (spec) => {
    spec.scope = scope;
  };
const ended: CrlEdit = (spec) => {
  spec.nextUpdate = time(AT_MS - 1000);
};

// Every variant on every curve
for (const suite of SUITES)
  for (const variant of VARIANTS) {
    euicc(`variant ${variant} on ${suite}`, 'accepted', { variant, suite });
    dp(`variant ${variant} on ${suite}`, 'accepted', { variant, suite });
  }

// The core rules on every curve
for (const suite of SUITES) {
  const on = ` on ${suite}`;
  euicc(`signature of the EUM certificate${on}`, 'eumCertificateInvalid', {
    suite,
    edit: { eum: brokenSignature },
  });
  euicc(`signature of the eUICC certificate${on}`, 'euiccCertificateInvalid', {
    suite,
    edit: { euicc: brokenSignature },
  });
  dp(`signature of CERT.DPpb${on}`, 'dpCertificateInvalid', { suite, edit: { dpPb: brokenSignature } });
  euicc(`EUM certificate expired${on}`, 'eumCertificateExpired', { suite, edit: { eum: expired } });
  euicc(`eUICC certificate expired${on}`, 'euiccCertificateExpired', { suite, edit: { euicc: expired } });
  dp(`CERT.DPpb expired${on}`, 'dpCertificateExpired', { suite, edit: { dpPb: expired } });
  euicc(`EUM revoked${on}`, 'eumCertificateExpired', { suite, crl: { ci: revoke('eum') } });
  dp(`CERT.DPpb revoked${on}`, 'dpCertificateExpired', { suite, crl: { ci: revoke('dpPb') } });
  euicc(`EUM key off the curve${on}`, 'eumCertificateInvalid', { suite, edit: { eum: offCurve } });
  euicc(`eUICC key off the curve${on}`, 'euiccCertificateInvalid', { suite, edit: { euicc: offCurve } });
  euicc(`eUICC key on another curve${on}`, 'euiccCertificateInvalid', { suite, edit: { euicc: otherCurve } });
  dp(`CERT.DPpb on another curve${on}`, 'dpCertificateInvalid', { suite, edit: { dpPb: otherCurve } });
}

// Each certificate of the longest chain, each rule once
const C = { variant: 'C' } as const;
for (const node of ['ciSubCa', 'eum', 'eumSubCa'] as const) {
  const bad = (rule: string, edit: CertificateEdit, expected: Verdict = 'eumCertificateInvalid'): void =>
    euicc(`${node}: ${rule}`, expected, { ...C, edit: { [node]: edit } });
  bad('signature', brokenSignature);
  bad('issuer name', (spec) => {
    spec.issuer = name({ O: 'Another' });
  });
  bad('AuthorityKeyIdentifier absent', without('aki'));
  bad('AuthorityKeyIdentifier of another key', withExtension('aki', ext.aki(Buffer.alloc(20, 1))));
  bad('SubjectKeyIdentifier absent', without('ski'));
  bad('basicConstraints absent', without('ca'));
  bad('basicConstraints of no CA', withExtension('ca', ext.notCa()));
  bad('keyUsage absent', without('keyUsage'));
  bad('keyUsage without keyCertSign', withExtension('keyUsage', ext.keyUsage(0x02)));
  bad('no role', without('policies'));
  bad('role of a leaf', withExtension('policies', ext.policies(policyOf('euicc', 'v3'))));
  bad('two roles', (spec) => {
    spec.extensions.set('policies', ext.policies(policyOf(node, 'v3'), policyOf('dpPb', 'v3')));
  });
  bad('expired', expired, 'eumCertificateExpired');
  bad('not yet valid', notYetValid, 'eumCertificateExpired');
  bad('another curve', otherCurve);
  bad('unknown critical extension', (spec) => {
    spec.extensions.set('unknown', { oid: '2.999.99', critical: true, value: sequence() });
  });
}
euicc('ciSubCa: pathLenConstraint exceeded', 'eumCertificateInvalid', {
  ...C,
  edit: { ciSubCa: withExtension('ca', ext.ca(1)) },
});
euicc('eum: pathLenConstraint exceeded', 'eumCertificateInvalid', {
  ...C,
  edit: { eum: withExtension('ca', ext.ca(0)) },
});
euicc('ci: pathLenConstraint exceeded', 'eumCertificateInvalid', {
  ...C,
  edit: { ci: withExtension('ca', ext.ca(2)) },
});
euicc('ci: pathLenConstraint just met', 'accepted', { ...C, edit: { ci: withExtension('ca', ext.ca(3)) } });

for (const node of ['ciSubCa', 'dpSubCa', 'dpPb'] as const) {
  const bad = (rule: string, edit: CertificateEdit, expected: Verdict = 'dpCertificateInvalid'): void =>
    dp(`${node}: ${rule}`, expected, { ...C, edit: { [node]: edit } });
  bad('signature', brokenSignature);
  bad('issuer name', (spec) => {
    spec.issuer = name({ O: 'Another' });
  });
  bad('AuthorityKeyIdentifier of another key', withExtension('aki', ext.aki(Buffer.alloc(20, 1))));
  bad('keyUsage of the other kind', (spec) => {
    spec.extensions.set('keyUsage', ext.keyUsage(node === 'dpPb' ? 0x04 : 0x80));
  });
  bad('no role', without('policies'));
  bad('expired', expired, 'dpCertificateExpired');
  bad('not yet valid', notYetValid, 'dpCertificateExpired');
}
dp('dpPb: role of DPauth', 'dpCertificateInvalid', {
  edit: { dpPb: withExtension('policies', ext.policies('2.23.146.1.2.1.4')) },
});
dp('dpPb: no owner OID', 'dpCertificateInvalid', { edit: { dpPb: without('registeredId') } });
dp('dpPb: two owner OIDs', 'dpCertificateInvalid', {
  edit: { dpPb: withExtension('registeredId', ext.registeredId('2.999.10', '2.999.12')) },
});
dp('dpPb: key of another certificate', 'dpCertificateInvalid', { spki: generateKey('p256').spki });
dp('dpPb: is a CA', 'dpCertificateInvalid', { edit: { dpPb: withExtension('ca', ext.ca()) } });
dp('dpPb: for TLS only', 'dpCertificateInvalid', {
  edit: { dpPb: withExtension('eku', ext.eku('1.3.6.1.5.5.7.3.1')) },
});
dp('dpPb: policy not critical', 'accepted', {
  edit: { dpPb: withExtension('policies', { ...ext.policies('2.23.146.1.2.1.5'), critical: false }) },
});

// The eUICC certificate
const leaf = (rule: string, edit: CertificateEdit, expected: Verdict = 'euiccCertificateInvalid'): void =>
  euicc(`euicc: ${rule}`, expected, { edit: { euicc: edit } });
leaf('issuer name', (spec) => {
  spec.issuer = name({ O: 'Another' });
});
leaf('AuthorityKeyIdentifier absent', without('aki'));
leaf('AuthorityKeyIdentifier of another key', withExtension('aki', ext.aki(Buffer.alloc(20, 1))));
leaf('keyUsage absent', without('keyUsage'));
leaf('keyUsage without digitalSignature', withExtension('keyUsage', ext.keyUsage(0x08)));
leaf('keyUsage with keyCertSign', withExtension('keyUsage', ext.keyUsage(0x84)));
leaf('is a CA', withExtension('ca', ext.ca()));
leaf('basicConstraints of no CA', withExtension('ca', ext.notCa()), 'accepted');
leaf('no role', without('policies'));
leaf('role of the other column', withExtension('policies', ext.policies(policyOf('euicc', 'v3'))));
leaf('role of an EUM', withExtension('policies', ext.policies(policyOf('eum', 'v2'))));
leaf('not yet valid', notYetValid, 'euiccCertificateExpired');
leaf('extended key usage', withExtension('eku', ext.eku('1.3.6.1.5.5.7.3.2')));
leaf('unknown critical extension', (spec) => {
  spec.extensions.set('unknown', { oid: '2.999.99', critical: true, value: sequence() });
});
leaf(
  'unknown extension that is not critical',
  (spec) => {
    spec.extensions.set('unknown', { oid: '2.999.99', value: sequence() });
  },
  'accepted',
);
leaf('inner algorithm', (spec) => {
  spec.innerAlgorithm = ECDSA_SHA384;
});
leaf('outer algorithm', (spec) => {
  spec.outerAlgorithm = ECDSA_SHA384;
});
leaf(
  'algorithm with NULL parameters',
  (spec) => {
    spec.innerAlgorithm = sequence(oid('1.2.840.10045.4.3.2'), tlv(0x05));
  },
  'accepted',
);
leaf(
  'algorithm with other parameters',
  (spec) => {
    spec.innerAlgorithm = sequence(oid('1.2.840.10045.4.3.2'), tlv(0x04));
  },
  'protocolFormat',
);
leaf(
  'algorithm with NULL that is not empty',
  (spec) => {
    spec.innerAlgorithm = sequence(oid('1.2.840.10045.4.3.2'), tlv(0x05, Buffer.of(0)));
  },
  'protocolFormat',
);
leaf(
  'version 1',
  (spec) => {
    spec.version = undefined;
  },
  'protocolFormat',
);
leaf(
  'negative serial number',
  (spec) => {
    spec.serial = tlv(0x02, Buffer.of(0x80));
  },
  'accepted',
);
leaf(
  'serial number of 20 octets behind a zero',
  (spec) => {
    spec.serial = tlv(0x02, Buffer.of(0), Buffer.alloc(20, 0xff));
  },
  'accepted',
);
leaf(
  'serial number of 21 octets',
  (spec) => {
    spec.serial = tlv(0x02, Buffer.alloc(21, 0x7f));
  },
  'accepted',
);
leaf(
  'serial number of 65 octets',
  (spec) => {
    spec.serial = tlv(0x02, Buffer.alloc(65, 0x7f));
  },
  'protocolFormat',
);
leaf(
  'negative serial number in a longer form',
  (spec) => {
    spec.serial = tlv(0x02, Buffer.of(0xff, 0x80));
  },
  'accepted',
);
leaf(
  'octets after the signature',
  (spec) => {
    spec.trailing = tlv(0x05);
  },
  'protocolFormat',
);
leaf(
  'extension twice',
  (spec) => {
    spec.extensions.set('unknown', ext.keyUsage(0x80));
  },
  'protocolFormat',
);
leaf(
  'date that does not exist',
  (spec) => {
    spec.notAfter = tlv(0x18, Buffer.from('20990229000000Z'));
  },
  'protocolFormat',
);
leaf(
  'valid to the end of year 9999',
  (spec) => {
    spec.notAfter = tlv(0x18, Buffer.from('99991231235959Z'));
  },
  'accepted',
);
leaf(
  'GeneralizedTime before 2050',
  (spec) => {
    spec.notBefore = tlv(0x18, Buffer.from('20200401000000Z'));
  },
  'accepted',
);
leaf(
  'P-384 key',
  (spec) => {
    spec.spki = sequence(
      sequence(oid('1.2.840.10045.2.1'), oid('1.3.132.0.34')),
      bitString(Buffer.alloc(97, 4)),
    );
  },
  'securityConfiguration',
);
leaf(
  'compressed point',
  (spec, pki) => {
    const compressed = Buffer.concat([Buffer.of(2), pki.keys.euicc.point.subarray(1, 33)]);
    spec.spki = sequence(
      sequence(oid('1.2.840.10045.2.1'), oid('1.2.840.10045.3.1.7')),
      bitString(compressed),
    );
  },
  'euiccCertificateInvalid',
);
leaf('signed by the CI, not the EUM', (spec, pki) => {
  spec.sign = (tbs) => derSignature(pki.keys.ci.sign(tbs));
});

// EID and EUM limits
const OTHER_EID = eidWithCheckDigits('890490330000000000000000000001');
const subjectOf = (eid: string, organization = EUM_NAME): CertificateEdit =>
  named(name({ C: 'ES', O: organization, serialNumber: eid, CN: 'Test eUICC' }));
euicc('EID of another eUICC', 'euiccCertificateInvalid', {
  eid: eidWithCheckDigits(`${IIN}${'0'.repeat(22)}`),
});
euicc('EID with wrong check digits', 'eidMalformed', {
  eid: `${EID.slice(0, 31)}${(Number(EID[31]) + 1) % 10}`,
});
euicc('subject without EID', 'euiccCertificateInvalid', {
  edit: { euicc: named(name({ C: 'ES', O: EUM_NAME })) },
});
euicc('v2: EID outside the IIN', 'eidOutsideEumRange', {
  eid: OTHER_EID,
  edit: { euicc: subjectOf(OTHER_EID) },
});
euicc('v2: organization of another EUM', 'eidOutsideEumRange', {
  edit: { euicc: subjectOf(EID, 'Another EUM') },
});
euicc('v2: no nameConstraints', 'eumCertificateInvalid', { edit: { eum: without('nameConstraints') } });
euicc('v2: nameConstraints without IIN', 'eumCertificateInvalid', {
  edit: { eum: withExtension('nameConstraints', ext.nameConstraints({ O: EUM_NAME })) },
});
euicc('v2: nameConstraints without organization', 'eumCertificateInvalid', {
  edit: { eum: withExtension('nameConstraints', ext.nameConstraints({ serialNumber: IIN })) },
});
euicc('v2: second permitted name matches', 'accepted', {
  edit: {
    eum: withExtension(
      'nameConstraints',
      ext.nameConstraints({ O: EUM_NAME, serialNumber: '35' }, { O: EUM_NAME, serialNumber: IIN }),
    ),
  },
});
euicc('v3: EID outside permittedEins', 'eidOutsideEumRange', {
  variant: 'Ov3',
  eid: OTHER_EID,
  edit: { euicc: subjectOf(OTHER_EID) },
});
euicc('v3: no permittedEins', 'eumCertificateInvalid', {
  variant: 'Ov3',
  edit: { eum: without('permittedEins') },
});
euicc('v3: empty permittedEins', 'eidOutsideEumRange', {
  variant: 'Ov3',
  edit: { eum: withExtension('permittedEins', ext.permittedEins()) },
});
euicc('v3: empty EIN', 'protocolFormat', {
  variant: 'Ov3',
  edit: { eum: withExtension('permittedEins', ext.permittedEins('')) },
});
euicc('v3: EID that does not start with 89', 'accepted', {
  variant: 'Ov3',
  eid: eidWithCheckDigits(`35${'0'.repeat(28)}`),
  edit: { euicc: subjectOf(eidWithCheckDigits(`35${'0'.repeat(28)}`)) },
});
euicc('A: the EUM SubCA narrows the EUM', 'eidOutsideEumRange', {
  variant: 'A',
  edit: { eumSubCa: withExtension('permittedEins', ext.permittedEins('35')) },
});
euicc('A: the EUM SubCA cannot widen the EUM', 'eidOutsideEumRange', {
  variant: 'A',
  eid: OTHER_EID,
  edit: {
    euicc: subjectOf(OTHER_EID),
    eumSubCa: withExtension('permittedEins', ext.permittedEins('8904')),
  },
});

// Order, columns, anchors
euicc('A: EUM SubCA above EUM', 'eumCertificateInvalid', {
  variant: 'A',
  order: { euicc: ['euicc', 'eum', 'eumSubCa', 'ci'] },
});
euicc('a DP SubCA issues eUICCs', 'eumCertificateInvalid', {
  variant: 'A',
  order: { euicc: ['euicc', 'dpSubCa', 'ci'] },
});
dp('an EUM issues CERT.DPpb', 'dpCertificateInvalid', {
  variant: 'Ov3',
  order: { dp: ['dpPb', 'eum', 'ci'] },
});
euicc('the eUICC alone', 'eumCertificateInvalid', { order: { euicc: ['euicc', 'ci'] } });
euicc('B: EUM of the v2 column', 'eumCertificateInvalid', {
  variant: 'B',
  edit: { eum: withExtension('policies', ext.policies(policyOf('eum', 'v2'))) },
});
dp('B: CERT.DPpb of the v2 column', 'dpCertificateInvalid', {
  variant: 'B',
  edit: { dpPb: withExtension('policies', ext.policies(policyOf('dpPb', 'v2'))) },
});
euicc('CI unknown', 'ciUnknown', { ciPkId: Buffer.alloc(20, 7) });
dp('CI unknown', 'ciUnknown', { ciPkId: Buffer.alloc(20, 7) });
euicc('CI for verification only', 'ciUnknown', { trusted: 'verification' });
dp('CI for signing only', 'ciUnknown', { trusted: 'signing' });
euicc('CI for signing only', 'accepted', { trusted: 'signing' });
dp('CI for verification only', 'accepted', { trusted: 'verification' });
euicc('CI expired', 'eumCertificateExpired', { edit: { ci: expired } });
euicc('CI without the role', 'ciUnknown', { edit: { ci: without('policies') } });
euicc('CI that is no CA', 'ciUnknown', { edit: { ci: without('ca') } });
euicc('CI without SubjectKeyIdentifier', 'ciUnknown', { edit: { ci: without('ski') }, crl: { ci: null } });
euicc('CI that did not sign itself', 'ciUnknown', { edit: { ci: brokenSignature } });
euicc('CI sent along', 'accepted', { withRoot: true });
dp('CI sent along', 'accepted', { variant: 'C', withRoot: true });
euicc('last second of validity', 'accepted', {
  edit: { eum: untilNow },
  atMs: AT_MS + 999,
});
euicc('first second after validity', 'eumCertificateExpired', {
  edit: { eum: untilNow },
  atMs: AT_MS + 1000,
});

// Revocation in a chain; intake of lists is in revocation.test.ts
euicc('C: CI SubCA revoked', 'eumCertificateExpired', { ...C, crl: { ci: revoke('ciSubCa') } });
euicc('C: EUM revoked', 'eumCertificateExpired', { ...C, crl: { ciSubCa: revoke('eum') } });
euicc('C: EUM SubCA revoked', 'eumCertificateExpired', { ...C, crl: { eum: revoke('eumSubCa') } });
euicc('C: eUICC revoked', 'euiccCertificateExpired', { ...C, crl: { eumSubCa: revoke('euicc') } });
dp('C: DP SubCA revoked', 'dpCertificateExpired', { ...C, crl: { ciSubCa: revoke('dpSubCa') } });
dp('C: CERT.DPpb revoked', 'dpCertificateExpired', { ...C, crl: { dpSubCa: revoke('dpPb') } });
euicc('another certificate revoked', 'accepted', { crl: { ci: revoke('dpPb') } });
euicc('revoked by a list of another issuer', 'accepted', { ...C, crl: { ci: revoke('eum') } });
euicc('list missing', 'crlMissing', { crl: { ci: null } });
dp('list missing', 'crlMissing', { crl: { ci: null } });
euicc('list of the EUM missing', 'crlMissing', { ...C, crl: { eum: null } });
euicc('list expired', 'crlMissing', { crl: { ci: ended } });
euicc('list missing, accepted by policy', 'accepted', {
  crl: { ci: null },
  policy: { missing: 'accept', expired: 'refuse' },
});
euicc('list expired, accepted by policy', 'accepted', {
  crl: { ci: ended },
  policy: { missing: 'refuse', expired: 'accept' },
});
euicc('expired list still revokes', 'eumCertificateExpired', {
  crl: {
    ci: (spec, pki) => {
      ended(spec, pki);
      revoke('eum')(spec, pki);
    },
  },
  policy: { missing: 'accept', expired: 'accept' },
});
euicc('no distribution point, no list', 'accepted', { crl: { ci: null }, edit: { eum: without('cdp') } });
euicc('CA list covers the EUM', 'accepted', { crl: { ci: scoped(SCOPE.caCerts) } });
dp('CA list does not cover CERT.DPpb', 'crlMissing', {
  crl: { ci: scoped(SCOPE.caCerts) },
});
euicc('user list does not cover the EUM', 'crlMissing', {
  crl: { ci: scoped(SCOPE.userCerts) },
});
dp('user list covers CERT.DPpb', 'accepted', { crl: { ci: scoped(SCOPE.userCerts) } });
euicc('list of the distribution point', 'accepted', {
  crl: { ci: scoped(SCOPE.at(cdpUri('ci'))) },
});
euicc('list of another distribution point', 'crlMissing', {
  crl: { ci: scoped(SCOPE.at('http://elsewhere.test.example.com/CRL.crl')) },
});
euicc('first of two segments only', 'crlMissing', {
  crl: {
    ci: (spec) => {
      spec.extensions.push(
        { oid: '2.23.146.1.2.0.2', critical: true, value: integer(2) },
        { oid: '2.23.146.1.2.0.3', critical: true, value: integer(1) },
      );
    },
  },
});
euicc('CI with the key identifier of the sub-CA', 'eumCertificateInvalid', {
  variant: 'B',
  edit: { eum: (spec, pki) => void spec.extensions.set('aki', ext.aki(keyId(pki.keys.ci.point))) },
});

test.each(cases)(
  'a chain of the $side: $rule → $expected',
  { tags: ['CERT-CHAINS', 'CERT-ROLES'] },
  (given) => {
    const verify = given.side === 'euicc' ? verifyEuiccSide : verifyDpSide;
    expect(verdict(() => verify(buildHierarchy(given), given))).toBe(given.expected);
  },
);

test('the table of chains has every case under a name of its own', { tags: ['CERT-CHAINS'] }, () => {
  expect(cases).toHaveLength(241);
  expect(new Set(cases.map(({ side, rule }) => `${side} ${rule}`)).size).toBe(cases.length);
});
