import { describe, expect, test } from 'vitest';
import { tlv } from '../../shared/codec/tlv.ts';
import { decodeCertificate } from '../../shared/pki/certificate.ts';
import { bitString, bits, integer, name, oid, sequence } from './builder.ts';
import { buildHierarchy, type CertificateEdit, type CrlEdit, EUM_NAME, IIN, type Node } from './hierarchy.ts';
import { type Verdict, verdict, verifyEuiccSide } from './verdict.ts';

/**
 * Certificates that other tools take and DER does not allow, by the table in shared/pki/der.ts. The first is a real root: MC4 OT
 * ROOT CI v1 has keyUsage 03 02 00 06 (in the bundle of github.com/damonto/euicc-go); zmap/zlint pull request 682 counts some
 * 6,000 more, and golang/go issue 70242 has set unused bits.
 */
const octets = (hex: string) => Buffer.from(hex, 'hex');
const usage =
  (hex: string): CertificateEdit =>
  (spec) => {
    spec.extensions.set('keyUsage', { oid: '2.5.29.15', critical: true, value: octets(hex) });
  };
const serial =
  (hex: string): CertificateEdit =>
  (spec) => {
    const value = octets(hex);
    spec.serial = tlv(0x02, value);
  };

const TAKEN: readonly (readonly [rule: string, node: Node, edit: CertificateEdit])[] = [
  ['keyUsage with trailing zero bits', 'ci', usage('03020006')],
  ['keyUsage with a trailing zero octet', 'ci', usage('0303000600')],
  ['keyUsage with unused bits that are set', 'ci', usage('03020107')],
  ['keyUsage with a bit that has no name', 'ci', usage('030405060080')],
  ['keyUsage of the eUICC with trailing zero bits', 'euicc', usage('03020080')],
  [
    'TRUE of a criticality as 01',
    'eum',
    (spec) => {
      spec.extensions.set('keyUsage', {
        oid: '2.5.29.15',
        critical: tlv(0x01, Buffer.of(1)),
        value: bits(0x04),
      });
    },
  ],
  [
    'FALSE of a criticality written out',
    'eum',
    (spec) => {
      const ski = spec.extensions.get('ski')!;
      spec.extensions.set('ski', { ...ski, critical: tlv(0x01, Buffer.of(0)) });
    },
  ],
  [
    'FALSE of cA written out',
    'euicc',
    (spec) => {
      spec.extensions.set('ca', {
        oid: '2.5.29.19',
        critical: true,
        value: sequence(tlv(0x01, Buffer.of(0))),
      });
    },
  ],
  [
    'TRUE of cA as 01',
    'eum',
    (spec) => {
      const value = sequence(tlv(0x01, Buffer.of(1)), integer(0));
      spec.extensions.set('ca', { oid: '2.5.29.19', critical: true, value });
    },
  ],
  [
    'pathLenConstraint with an octet that it does not need',
    'eum',
    (spec) => {
      const value = sequence(tlv(0x01, Buffer.of(0xff)), tlv(0x02, Buffer.of(0, 0)));
      spec.extensions.set('ca', { oid: '2.5.29.19', critical: true, value });
    },
  ],
  [
    'version with an octet that it does not need',
    'eum',
    (spec) => {
      spec.version = tlv(0xa0, tlv(0x02, Buffer.of(0, 2)));
    },
  ],
  [
    'NULL as parameters of the signature algorithm, inside and outside',
    'ci',
    (spec) => {
      spec.innerAlgorithm = sequence(oid('1.2.840.10045.4.3.2'), tlv(0x05));
      spec.outerAlgorithm = spec.innerAlgorithm;
    },
  ],
  [
    'NULL as parameters outside alone',
    'euicc',
    (spec) => {
      spec.outerAlgorithm = sequence(oid('1.2.840.10045.4.3.2'), tlv(0x05));
    },
  ],
  ['serial number of 21 octets', 'ci', serial(`00${'f1'.repeat(21)}`)],
  ['serial number of 64 octets', 'eum', serial('71'.repeat(64))],
  ['serial number zero', 'eum', serial('00')],
  ['serial number with octets that it does not need', 'eum', serial('00000001')],
  ['negative serial number with octets that it does not need', 'eum', serial('ffff85')],
  [
    'minimum of a permitted subtree written out',
    'eum',
    (spec) => {
      const subtree = sequence(tlv(0xa4, name({ O: EUM_NAME, serialNumber: IIN })), tlv(0x80, Buffer.of(0)));
      spec.extensions.set('nameConstraints', {
        oid: '2.5.29.30',
        critical: true,
        value: sequence(tlv(0xa0, subtree)),
      });
    },
  ],
];

describe('what a foreign CA wrote and has one meaning is taken', () => {
  test.each(TAKEN)('%s (%s)', (_, node, edit) => {
    expect(verdict(() => verifyEuiccSide(buildHierarchy({ edit: { [node]: edit } }), {}))).toBe('accepted');
  });
});

const REFUSED: readonly (readonly [rule: string, edit: CertificateEdit, says: RegExp])[] = [
  ['keyUsage without octets and with unused bits', usage('030101'), /keyUsage is not a BIT STRING/],
  ['keyUsage with eight unused bits', usage('03020806'), /keyUsage is not a BIT STRING/],
  [
    'BOOLEAN of two octets',
    (spec) => {
      const ski = spec.extensions.get('ski')!;
      spec.extensions.set('ski', { ...ski, critical: tlv(0x01, Buffer.of(1, 1)) });
    },
    /a BOOLEAN is one octet \(X\.690 section 8\.2\.1\)/,
  ],
  [
    'serial number of 65 octets',
    serial('71'.repeat(65)),
    /more than 64 octets \(RFC 5280 section 4\.1\.2\.2\)/,
  ],
  ['serial number without octets', serial(''), /serialNumber is empty/],
  [
    'version 1, not written',
    (spec) => {
      spec.version = undefined;
    },
    /version 1; SGP\.22 section 4\.5\.2\.1 wants 3/,
  ],
  [
    'version 2',
    (spec) => {
      spec.version = tlv(0xa0, integer(1));
    },
    /version 2; SGP\.22/,
  ],
  [
    'unused bits in the signature',
    (spec) => {
      spec.trailing = bitString(Buffer.of(0));
    },
    /unexpected 03/,
  ],
  [
    'length that is not minimal',
    (spec) => {
      spec.serial = octets('02810101');
    },
    /length of 02 is not minimal/,
  ],
];

describe('what changes the meaning, or could be read in two ways, is refused by the name of its rule', {
  tags: ['CERT-FORM'],
}, () => {
  test.each(REFUSED)('%s', (_, edit, says) => {
    expect(() => {
      decodeCertificate(buildHierarchy({ edit: { eum: edit } }).certificates.eum!);
    }).toThrow(says);
  });
});

describe('a serial number is the same however it is written', () => {
  const revoking =
    (hex: string): CrlEdit =>
    (spec) => {
      spec.entries.push({ serial: tlv(0x02, octets(hex)) });
    };
  const cases: readonly (readonly [certificate: string, list: string, expected: Verdict])[] = [
    ['0001', '01', 'eumCertificateExpired'],
    ['01', '000001', 'eumCertificateExpired'],
    ['ff85', '85', 'eumCertificateExpired'],
    ['0085', '85', 'accepted'],
  ];
  test.each(cases)('certificate %s, list %s: %s', (certificate, list, expected) => {
    const pki = buildHierarchy({ edit: { eum: serial(certificate) }, crl: { ci: revoking(list) } });
    expect(verdict(() => verifyEuiccSide(pki, {}))).toBe(expected);
  });
});
