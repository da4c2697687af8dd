import { describe, expect, test } from 'vitest';
import { tlv } from '../../shared/codec/tlv.ts';
import type { CurveName } from '../../shared/crypto/curves.ts';
import { decodeCertificate } from '../../shared/pki/certificate.ts';
import { decodeCrl } from '../../shared/pki/crl.ts';
import { type RevocationGap, RevocationLists } from '../../shared/pki/revocation.ts';
import {
  crl,
  derSignature,
  ECDSA_SHA384,
  ext,
  generateKey,
  integer,
  name,
  SCOPE,
  sequence,
  time,
} from './builder.ts';
import { AT_MS, buildHierarchy, type CrlEdit, cdpUri, type Hierarchy } from './hierarchy.ts';
import { type Verdict, verdict } from './verdict.ts';

const EUM_CODES = { invalid: 'eumCertificateInvalid', expired: 'eumCertificateExpired' } as const;
const DAY = 24 * 3600 * 1000;

const certificateOf = (pki: Hierarchy, node: 'ci' | 'eum' | 'dpPb') =>
  decodeCertificate(pki.certificates[node]!);
const listOf = (edit: CrlEdit, suite: CurveName = 'p256') => buildHierarchy({ suite, crl: { ci: edit } });
const intake = (pki: Hierarchy): Verdict =>
  verdict(() => new RevocationLists().add(pki.crls[0]!.der, certificateOf(pki, 'ci'), AT_MS));

interface Case {
  readonly rule: string;
  readonly expected: Verdict;
  readonly edit: CrlEdit;
  readonly suite?: CurveName;
}

const cases: Case[] = [];
const list = (rule: string, expected: Verdict, edit: CrlEdit, suite?: CurveName): void => {
  cases.push({ rule, expected, edit, ...(suite === undefined ? {} : { suite }) });
};

for (const suite of ['p256', 'brainpoolP256r1', 'frp256v1'] as const) {
  list(`empty list on ${suite}`, 'accepted', () => undefined, suite);
  list(
    `signature on ${suite}`,
    'crlInvalid',
    (spec, pki) => {
      spec.sign = () => derSignature(pki.keys.ci.sign(Buffer.of(0)));
    },
    suite,
  );
  list(
    `signed by another key on ${suite}`,
    'crlInvalid',
    (spec) => {
      spec.sign = (tbs) => derSignature(generateKey(suite).sign(tbs));
    },
    suite,
  );
}
list('entries with and without reason', 'accepted', (spec) => {
  spec.entries = [{ serial: integer(1) }, { serial: integer(2), reason: 4 }];
});
list('entry twice', 'crlInvalid', (spec) => {
  spec.entries = [{ serial: integer(1) }, { serial: integer(1), reason: 4 }];
});
list('entry removed from a delta list', 'crlInvalid', (spec) => {
  spec.entries = [{ serial: integer(1), reason: 8 }];
});
list('entry with the unassigned reason 7', 'crlInvalid', (spec) => {
  spec.entries = [{ serial: integer(1), reason: 7 }];
});
list('entry of another issuer', 'crlInvalid', (spec) => {
  const extensions = [{ oid: '2.5.29.29', critical: true, value: sequence() }];
  spec.entries = [{ serial: integer(1), extensions }];
});
list('entry with an unknown extension that is not critical', 'accepted', (spec) => {
  spec.entries = [{ serial: integer(1), extensions: [{ oid: '2.999.1', value: sequence() }] }];
});
list('negative serial number', 'accepted', (spec) => {
  spec.entries = [{ serial: tlv(0x02, Buffer.of(0xff)) }];
});
list('serial number of no octets', 'protocolFormat', (spec) => {
  spec.entries = [{ serial: tlv(0x02) }];
});
list('entry with a critical expDate', 'accepted', (spec) => {
  const extensions = [{ oid: '2.23.146.1.2.0.1', critical: true, value: tlv(0x17) }];
  spec.entries = [{ serial: integer(1), extensions }];
});
list('issuer name', 'crlInvalid', (spec) => {
  spec.issuer = name({ O: 'Another' });
});
list('AuthorityKeyIdentifier of another key', 'crlInvalid', (spec) => {
  spec.authority = Buffer.alloc(20, 1);
});
list('AuthorityKeyIdentifier absent', 'crlInvalid', (spec) => {
  spec.authority = undefined;
});
list('cRLNumber absent', 'crlInvalid', (spec) => {
  spec.number = undefined;
});
list('negative cRLNumber', 'protocolFormat', (spec) => {
  spec.number = tlv(0x02, Buffer.of(0x80));
});
list('cRLNumber of twenty octets', 'accepted', (spec) => {
  spec.number = tlv(0x02, Buffer.alloc(20, 0x7f));
});
list('nextUpdate absent', 'crlInvalid', (spec) => {
  spec.nextUpdate = undefined;
});
list('nextUpdate before thisUpdate', 'crlInvalid', (spec) => {
  spec.nextUpdate = time(AT_MS - 500 * DAY);
});
list('thisUpdate in the future', 'crlInvalid', (spec) => {
  spec.thisUpdate = time(AT_MS + 1000);
});
list('past its nextUpdate', 'accepted', (spec) => {
  spec.nextUpdate = time(AT_MS - DAY);
});
list('version 1', 'protocolFormat', (spec) => {
  spec.version = undefined;
});
list('another algorithm', 'crlInvalid', (spec) => {
  spec.algorithm = ECDSA_SHA384;
});
list('user certificates only', 'accepted', (spec) => {
  spec.scope = SCOPE.userCerts;
});
list('CA certificates only', 'accepted', (spec) => {
  spec.scope = SCOPE.caCerts;
});
list('both scopes at once', 'crlInvalid', (spec) => {
  spec.scope = Buffer.concat([SCOPE.userCerts, SCOPE.caCerts]);
});
list('some reasons only', 'crlInvalid', (spec) => {
  spec.scope = SCOPE.someReasons;
});
list('indirect', 'crlInvalid', (spec) => {
  spec.scope = SCOPE.indirect;
});
list('attribute certificates only', 'crlInvalid', (spec) => {
  spec.scope = SCOPE.attributes;
});
list('scope FALSE written out', 'accepted', (spec) => {
  spec.scope = tlv(0x81, Buffer.of(0));
});
list('delta list', 'crlInvalid', (spec) => {
  spec.extensions.push({ oid: '2.5.29.27', critical: true, value: integer(2023) });
});
list('extension twice', 'protocolFormat', (spec) => {
  spec.extensions.push(ext.aki(Buffer.alloc(20)));
});
list('segment without its total', 'crlInvalid', (spec) => {
  spec.extensions.push({ oid: '2.23.146.1.2.0.3', critical: true, value: integer(1) });
});
list('segment beyond its total', 'crlInvalid', (spec) => {
  spec.extensions.push(
    { oid: '2.23.146.1.2.0.2', critical: true, value: integer(1) },
    { oid: '2.23.146.1.2.0.3', critical: true, value: integer(2) },
  );
});

describe('intake of a revocation list from the CI', { tags: ['INO5', 'CERT-REVOCATION'] }, () => {
  test.each(cases)('$rule → $expected', ({ edit, suite, expected }) => {
    expect(intake(listOf(edit, suite))).toBe(expected);
  });

  test('every rule of intake has its row', () => expect(cases).toHaveLength(41));

  test('an issuer without cRLSign cannot sign one', () => {
    const pki = buildHierarchy({
      edit: { ci: (spec) => spec.extensions.set('keyUsage', ext.keyUsage(0x04)) },
    });
    expect(intake(pki)).toBe('crlInvalid');
  });
});

describe('numbers of revocation lists', { tags: ['INO5', 'CERT-REVOCATION'] }, () => {
  const pki = buildHierarchy({ crl: { ci: null } });
  const ci = certificateOf(pki, 'ci');
  const numbered = (number: number, edit: CrlEdit = () => undefined): Buffer => {
    const spec: Parameters<CrlEdit>[0] = {
      version: integer(1),
      algorithm: sequence(Buffer.from('06082a8648ce3d040302', 'hex')),
      issuer: pki.subjects.ci,
      thisUpdate: time(AT_MS - DAY),
      nextUpdate: time(AT_MS + DAY),
      entries: [],
      number: integer(number),
      authority: ci.extensions.subjectKeyIdentifier!,
      scope: undefined,
      extensions: [],
      sign: (tbs) => derSignature(pki.keys.ci.sign(tbs)),
    };
    edit(spec, pki);
    return Buffer.from(crl(spec));
  };
  const segment =
    (number: number, total: number): CrlEdit =>
    (spec) => {
      spec.extensions.push(
        { oid: '2.23.146.1.2.0.2', critical: true, value: integer(total) },
        { oid: '2.23.146.1.2.0.3', critical: true, value: integer(number) },
      );
    };
  const verdictOn = (lists: RevocationLists, node: 'eum' | 'dpPb', atMs = AT_MS): Verdict =>
    verdict(() => lists.check(certificateOf(pki, node), ci, atMs, EUM_CODES));

  test('grow: a lower number and an equal one with other content are refused, the same list again is not new', () => {
    const lists = new RevocationLists();
    const five = numbered(5);
    expect(lists.add(five, ci, AT_MS)).toBe(true);
    expect(lists.add(five, ci, AT_MS)).toBe(false);
    expect(verdict(() => lists.add(numbered(5), ci, AT_MS))).toBe('crlInvalid');
    expect(verdict(() => lists.add(numbered(4), ci, AT_MS))).toBe('crlInvalid');
    expect(lists.add(numbered(6), ci, AT_MS)).toBe(true);
    expect(lists.lists.map(({ cRLNumber }) => cRLNumber)).toEqual([6n]);
  });

  test('count by scope: a CA list and a user list stand side by side', () => {
    const lists = new RevocationLists();
    const scope =
      (value: Uint8Array): CrlEdit =>
      (spec) => {
        spec.scope = value;
      };
    lists.add(numbered(9, scope(SCOPE.caCerts)), ci, AT_MS);
    expect(verdictOn(lists, 'eum')).toBe('accepted');
    expect(verdictOn(lists, 'dpPb')).toBe('crlMissing');
    lists.add(numbered(3, scope(SCOPE.userCerts)), ci, AT_MS);
    expect(verdictOn(lists, 'dpPb')).toBe('accepted');
    expect(lists.lists).toHaveLength(2);
  });

  test('all segments of one number make a whole list', () => {
    const lists = new RevocationLists();
    lists.add(numbered(7, segment(1, 2)), ci, AT_MS);
    expect(verdictOn(lists, 'eum')).toBe('crlMissing');
    lists.add(numbered(6, segment(2, 2)), ci, AT_MS);
    expect(verdictOn(lists, 'eum')).toBe('crlMissing');
    lists.add(numbered(7, segment(2, 2)), ci, AT_MS);
    expect(verdictOn(lists, 'eum')).toBe('accepted');
  });

  test('a newer list takes back what an older one revoked', () => {
    const lists = new RevocationLists();
    lists.add(
      numbered(1, (spec) => {
        spec.entries = [{ serial: pki.serials.eum, reason: 6 }];
      }),
      ci,
      AT_MS,
    );
    expect(verdictOn(lists, 'eum')).toBe('eumCertificateExpired');
    lists.add(numbered(2), ci, AT_MS);
    expect(verdictOn(lists, 'eum')).toBe('accepted');
  });

  test('gaps are reported under either policy, with issuer and distribution points', () => {
    for (const rule of ['refuse', 'accept'] as const) {
      const gaps: RevocationGap[] = [];
      const lists = new RevocationLists({ missing: rule, expired: rule }, (gap) => gaps.push(gap));
      const expected = rule === 'accept' ? 'accepted' : 'crlMissing';
      expect(verdictOn(lists, 'eum')).toBe(expected);
      lists.add(numbered(1), ci, AT_MS);
      expect(verdictOn(lists, 'eum', AT_MS + 2 * DAY)).toBe(expected);
      const about = {
        issuerKeyId: Buffer.from(ci.extensions.subjectKeyIdentifier!).toString('hex'),
        distributionPoints: [cdpUri('ci')],
      };
      expect(gaps).toEqual([
        { kind: 'missing', ...about },
        { kind: 'expired', ...about },
      ]);
    }
  });

  test('a list of another CI with the same name and the same serial numbers says nothing here', () => {
    const other = buildHierarchy({
      suite: 'brainpoolP256r1',
      crl: {
        ci: (spec) => {
          spec.entries = [{ serial: pki.serials.eum }];
        },
      },
    });
    const lists = new RevocationLists();
    lists.add(numbered(1), ci, AT_MS);
    lists.add(other.crls[0]!.der, certificateOf(other, 'ci'), AT_MS);
    expect(verdictOn(lists, 'eum')).toBe('accepted');
    expect(verdict(() => lists.add(other.crls[0]!.der, ci, AT_MS))).toBe('crlInvalid');
  });

  test('a list of 100,000 entries is read in seconds and looked up at once', () => {
    const entries = Array.from({ length: 100_000 }, (_, index) => ({
      serial: integer(index + 10_000),
      reason: 1,
    }));
    const der = numbered(1, (spec) => {
      spec.entries = entries;
    });
    const started = performance.now();
    const list = decodeCrl(der);
    expect(performance.now() - started).toBeLessThan(5000);
    expect(list.revoked.size).toBe(100_000);
    expect(list.revoked.get('2710')).toBe(1);
    expect(list.revoked.has('01')).toBe(false);
  });
});
