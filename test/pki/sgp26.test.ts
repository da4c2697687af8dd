import { createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { Bytes } from '../../shared/codec/bytes.ts';
import { BRAINPOOL_P256R1, P256 } from '../../shared/crypto/curves.ts';
import { Refusal } from '../../shared/errors.ts';
import { decodeCertificate } from '../../shared/pki/certificate.ts';
import {
  type RevocationGap,
  RevocationLists,
  selectDpChain,
  TrustStore,
  verifyDpChain,
  verifyEumChain,
} from '../../shared/pki/chain.ts';
import { hasTestdata, testdata, testdataSkipReason } from '../support/testdata.ts';
import {
  certificate,
  crl,
  derSignature,
  ECDSA_SHA256,
  ext,
  generateKey,
  integer,
  keyId,
  name,
  time,
} from './builder.ts';
import { EID } from './hierarchy.ts';
import { verdict } from './verdict.ts';

const NIST = Buffer.from('f54172bdf98a95d65cbeb88a38a1c11d800a85c3', 'hex');
const BRAINPOOL = Buffer.from('c0bc70ba36929d43b467ff57570530e57ab8fcd8', 'hex');
const AT_MS = Date.UTC(2026, 5, 1);

const der = (file: string): Bytes => testdata(`sgp26/${file}.der`);
const privateKey = (file: string): KeyObject => createPrivateKey(testdata(`sgp26/${file}.pem`));
const signer = (key: KeyObject) => (tbs: Bytes) =>
  derSignature(sign('sha256', tbs, { key, dsaEncoding: 'ieee-p1363' }));

describe.skipIf(!hasTestdata)(`the SGP.26 test PKI${testdataSkipReason}`, () => {
  const cis = () => [der('CERT_CI_ECDSA_NIST'), der('CERT_CI_ECDSA_BRP')];
  const trust = () => new TrustStore({ forSigning: cis(), forVerification: cis() });
  const noLists = (gaps: RevocationGap[] = []) =>
    new RevocationLists({ missing: 'accept', expired: 'accept' }, (gap) => gaps.push(gap));
  const dpChain = (suffix: 'NIST' | 'BRP', ciPkId: Bytes, atMs = AT_MS) =>
    verifyDpChain({
      chain: [der(`CERT_S_SM_DPpb_ECDSA_${suffix}`)],
      ciPkId,
      spki: createPublicKey(privateKey(`SK_S_SM_DPpb_ECDSA_${suffix}`)).export({
        format: 'der',
        type: 'spki',
      }),
      trust: trust(),
      crls: noLists(),
      atMs,
    });
  const eumChain = (crls = noLists()) =>
    verifyEumChain({
      eumChain: [der('CERT_EUM_ECDSA_NIST')],
      ciPkId: NIST,
      trust: trust(),
      crls,
      atMs: AT_MS,
    });

  /** An eUICC certificate in the form that SGP.26 gives it, under the published EUM key. */
  const euiccCertificate = (): Bytes => {
    const key = generateKey('p256');
    const eum = decodeCertificate(der('CERT_EUM_ECDSA_NIST'));
    return certificate({
      version: Buffer.from('a003020102', 'hex'),
      serial: integer(0x0200),
      innerAlgorithm: ECDSA_SHA256,
      outerAlgorithm: ECDSA_SHA256,
      issuer: eum.subject.raw,
      subject: name({ C: 'ES', O: 'RSP Test EUM', serialNumber: EID, CN: 'Test eUICC' }),
      notBefore: time(Date.UTC(2020, 3, 1)),
      notAfter: time(Date.UTC(7496, 0, 24)),
      spki: key.spki,
      extensions: new Map([
        ['aki', ext.aki(eum.extensions.subjectKeyIdentifier!)],
        ['ski', ext.ski(keyId(key.point))],
        ['keyUsage', ext.keyUsage(0x80)],
        ['policies', ext.policies('2.23.146.1.2.1.1')],
      ]),
      sign: signer(privateKey('SK_EUM_ECDSA_NIST')),
      trailing: Buffer.alloc(0),
    });
  };
  const ciList = (number: number, revoked: string[] = []): Bytes =>
    crl({
      version: integer(1),
      algorithm: ECDSA_SHA256,
      issuer: decodeCertificate(der('CERT_CI_ECDSA_NIST')).subject.raw,
      thisUpdate: time(AT_MS - 1000),
      nextUpdate: time(AT_MS + 1000),
      entries: revoked.map((serial) => ({ serial: Buffer.from(`02${serial}`, 'hex'), reason: 1 })),
      number: integer(number),
      authority: NIST,
      scope: undefined,
      extensions: [],
      sign: signer(privateKey('SK_CI_ECDSA_NIST')),
    });

  test('EUM certificate, and an eUICC certificate under it', () => {
    const gaps: RevocationGap[] = [];
    const eum = eumChain(noLists(gaps));
    expect(eum.variant).toBe('O');
    expect(eum.eumKeyId).toBe('dd3da24d350c1cc5d0af0965f40ec34c5ee409f1');
    expect(gaps).toEqual([
      {
        kind: 'missing',
        issuerKeyId: NIST.toString('hex'),
        distributionPoints: ['http://ci.test.example.com/CRL-B.crl'],
      },
    ]);
    const euicc = eum.verifyEuicc(euiccCertificate(), EID);
    expect(euicc.publicKey.curve.name).toBe('p256');
  });

  test.each([
    ['NIST', NIST, 'p256'],
    ['BRP', BRAINPOOL, 'brainpoolP256r1'],
  ] as const)('CERT.DPpb %s with its key', (suffix, ciPkId, suite) => {
    const dp = dpChain(suffix, ciPkId);
    expect(dp.smdpOid).toBe('2.999.10');
    expect(dp.publicKey.curve.name).toBe(suite);
    expect(dp.chain).toHaveLength(1);
  });

  test('CERT.DPpb expires in 2030', () => {
    expect(verdict(() => dpChain('NIST', NIST, Date.UTC(2030, 3, 1)))).toBe('dpCertificateExpired');
  });

  test.each([['CERT_S_SM_DPauth_ECDSA_NIST'], ['CERT_S_SM_DPauth_ECDSA_BRP']])('%s cannot bind', (file) => {
    const chain = [der(file)];
    const { spki } = decodeCertificate(chain[0]!);
    const ciPkId = file.endsWith('NIST') ? NIST : BRAINPOOL;
    const input = { chain, ciPkId, spki, trust: trust(), crls: noLists(), atMs: AT_MS };
    expect(verdict(() => verifyDpChain(input))).toBe('dpCertificateInvalid');
  });

  test('the two CIs share name and serial number, and only their keys tell them apart', () => {
    const [nist, brainpool] = cis().map((ci) => decodeCertificate(ci));
    expect(nist!.subject.raw).toEqual(brainpool!.subject.raw);
    expect(nist!.serialNumber).toBe(brainpool!.serialNumber);
    expect(verdict(() => dpChain('BRP', NIST))).toBe('dpCertificateInvalid');
  });

  test('a list of the NIST CI revokes under it alone', () => {
    const lists = new RevocationLists();
    const [nist, brainpool] = cis().map((ci) => decodeCertificate(ci));
    expect(verdict(() => lists.add(ciList(1), brainpool!, AT_MS))).toBe('crlInvalid');
    lists.add(ciList(2024), nist!, AT_MS);
    expect(eumChain(lists).variant).toBe('O');
    // serial numbers of the EUM certificate and of both DPpb certificates
    lists.add(ciList(2025, ['0412345678', '020101']), nist!, AT_MS);
    expect(verdict(() => eumChain(lists))).toBe('eumCertificateExpired');
    const codes = { invalid: 'dpCertificateInvalid', expired: 'dpCertificateExpired' } as const;
    const check = (suffix: string, ci: typeof nist) => () =>
      lists.check(decodeCertificate(der(`CERT_S_SM_DPpb_ECDSA_${suffix}`)), ci!, AT_MS, codes);
    expect(verdict(check('NIST', nist))).toBe('dpCertificateExpired');
    expect(verdict(check('BRP', brainpool))).toBe('crlMissing');
  });

  test('our chain is chosen by the preference of the eUICC and by curve', () => {
    const chains = [dpChain('NIST', NIST), dpChain('BRP', BRAINPOOL)];
    expect(selectDpChain(chains, [BRAINPOOL, NIST], P256)).toBe(chains[0]);
    expect(selectDpChain(chains, [BRAINPOOL, NIST], BRAINPOOL_P256R1)).toBe(chains[1]);
    expect(verdict(() => selectDpChain(chains, [BRAINPOOL], P256))).toBe('noDpChain');
    expect(verdict(() => selectDpChain(chains, [], P256))).toBe('noDpChain');
  });

  test('no certificate with one bit changed verifies', () => {
    const original = der('CERT_EUM_ECDSA_NIST');
    for (let bit = 0; bit < original.length * 8; bit += 7) {
      const changed = Buffer.from(original);
      changed[bit >>> 3]! ^= 1 << (bit & 7);
      const input = { eumChain: [changed], ciPkId: NIST, trust: trust(), crls: noLists(), atMs: AT_MS };
      expect(() => verifyEumChain(input), `bit ${bit}`).toThrow(Refusal);
    }
  });
});
