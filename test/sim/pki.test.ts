import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type Bytes, concat, toHex } from '../../shared/codec/bytes.ts';
import {
  attributesOf,
  hasKeyUsage,
  isIssuedBy,
  parseCertificate,
  policiesOf,
  registeredIdOf,
} from '../../sim/certificate.ts';
import { checkDpPbChain } from '../../sim/chain.ts';
import { revokedSerials } from '../../sim/crl.ts';
import {
  type CurveName,
  derToRaw,
  encodeSpki,
  generateKey,
  rawToDer,
  sign,
  verify,
} from '../../sim/curve.ts';
import { SimCi, SimEumCa } from '../../sim/pki.ts';
import { readTlv, SimError, tlv } from '../../sim/tlv.ts';
import { encodeName } from '../../sim/x509.ts';
import { hasTestdata, testdata, testdataNote } from './testdata.ts';

const folder = mkdtempSync(join(tmpdir(), 'pki-'));
afterAll(() => rmSync(folder, { recursive: true }));

const EID = '89049032123451234512345678901235';
const CURVES: readonly CurveName[] = ['p256', 'brainpoolP256r1', 'frp256v1'];
const NAMED_BY_OPENSSL: readonly CurveName[] = ['p256', 'brainpoolP256r1'];

describe('simulated certificates of variant O', () => {
  for (const curve of CURVES) {
    it(`chain on ${curve}: CI, EUM with IIN, eUICC with EID, DPpb with OID`, () => {
      const ci = SimCi.create({ curve });
      const eum = ci.issueEum({ iin: '89049032', organization: 'RSP Test EUM' });
      const key = generateKey(curve);
      const euicc = parseCertificate(eum.issueEuicc(EID, key));
      expect(isIssuedBy(eum.parsed, ci.parsed)).toBe(true);
      expect(isIssuedBy(euicc, eum.parsed)).toBe(true);
      expect(isIssuedBy(euicc, ci.parsed)).toBe(false);
      expect(eum.iin).toBe('89049032');
      expect(hasKeyUsage(eum.parsed, 6)).toBe(false);
      expect(attributesOf(euicc.subject).find(({ oid }) => oid === '2.5.4.5')?.text).toBe(EID);
      expect(euicc.notAfter.getUTCFullYear()).toBe(7496);
      const dpPb = parseCertificate(ci.issueDpPb({ spki: encodeSpki(key) }, { oid: '2.999.10' }));
      expect(registeredIdOf(dpPb)).toBe('2.999.10');
      expect(policiesOf(dpPb)).toEqual(['2.23.146.1.2.1.5']);
      expect(checkDpPbChain(ci.keyId, [dpPb], { trustedCis: [ci.parsed], now: new Date() })).toBe(dpPb);
    });
  }

  for (const curve of NAMED_BY_OPENSSL) {
    it(`verify under OpenSSL on ${curve}`, () => {
      const ci = SimCi.create({ curve });
      const certificate = new X509Certificate(ci.issueDpPb(generateKey(curve), { oid: '2.999.10' }));
      expect(certificate.verify(new X509Certificate(ci.certificate).publicKey)).toBe(true);
      expect(certificate.subjectAltName).toBe('Registered ID:2.999.10');
    });
  }

  it('a DPpb certificate is issued for the key of a PKCS#10 request that proves its possession', () => {
    const ci = SimCi.create();
    const key = generateKey('p256');
    const dpPb = parseCertificate(ci.issueDpPb({ csr: csr(key, key) }, { oid: '2.999.10' }));
    expect(toHex(dpPb.publicKey.point)).toBe(toHex(key.point));
    expect(() => ci.issueDpPb({ csr: csr(key, generateKey('p256')) }, { oid: '2.999.10' })).toThrow(SimError);
  });

  it.each(CURVES)('a request may have its point compressed, a certificate has it whole, on %s', (curve) => {
    const ci = SimCi.create({ curve });
    const key = generateKey(curve);
    const compressed = concat(Uint8Array.of(2 + (key.point[64]! & 1)), key.point.subarray(1, 33));
    const requested = csr({ ...key, point: compressed }, key);
    const dpPb = parseCertificate(ci.issueDpPb({ csr: requested }, { oid: '2.999.10' }));
    expect(toHex(dpPb.publicKey.point)).toBe(toHex(key.point));
    const offCurve = csr({ ...key, point: concat(Uint8Array.of(2), Buffer.alloc(32, 0xff)) }, key);
    expect(() => ci.issueDpPb({ csr: offCurve }, { oid: '2.999.10' })).toThrow(/point is not on/);
  });

  function csr(
    subject: Pick<ReturnType<typeof generateKey>, 'curve' | 'point'>,
    signer: ReturnType<typeof generateKey>,
  ): Bytes {
    const info = tlv(
      0x30,
      tlv(0x02, Uint8Array.of(0)),
      encodeName([['CN', 'SM-DPf']]),
      encodeSpki(subject),
      tlv(0xa0),
    );
    const algorithm = tlv(0x30, tlv(0x06, Buffer.from('2a8648ce3d040302', 'hex')));
    return tlv(0x30, info, algorithm, tlv(0x03, Uint8Array.of(0), rawToDer(sign(signer, info))));
  }

  it('CI and EUM come back from their folder', () => {
    const ci = SimCi.create();
    const eum = ci.issueEum();
    ci.save(folder);
    eum.save(folder);
    const again = SimEumCa.load(folder);
    expect(toHex(SimCi.load(folder).keyId)).toBe(toHex(ci.keyId));
    expect(isIssuedBy(parseCertificate(again.issueEuicc(EID, generateKey('p256'))), eum.parsed)).toBe(true);
  });
});

describe('CRLs of the simulated CI', () => {
  it('list serial numbers under the issuer that may sign them', () => {
    const ci = SimCi.create();
    const eum = ci.issueEum({ cRLSign: true });
    const { serialNumber } = parseCertificate(eum.issueEuicc(EID, generateKey('p256')));
    const crl = eum.issueCrl({ revoked: [serialNumber], number: 7, scope: 'user' });
    expect(revokedSerials(crl, [ci.parsed, eum.parsed], new Date())).toEqual([serialNumber]);
    expect(() => revokedSerials(crl, [ci.parsed])).toThrow(/issuer/);
    expect(revokedSerials(ci.issueCrl(), [ci.parsed])).toEqual([]);
  });

  it('are refused out of date, without cRLSign or with another signature', () => {
    const ci = SimCi.create();
    const old = ci.issueCrl({ thisUpdate: new Date('2020-01-01'), nextUpdate: new Date('2020-02-01') });
    expect(() => revokedSerials(old, [ci.parsed], new Date())).toThrow(/out of date/);
    const eum = ci.issueEum();
    expect(() => revokedSerials(eum.issueCrl(), [eum.parsed])).toThrow(/issuer/);
    const wrong = Buffer.from(ci.issueCrl({ number: 5 }));
    const at = wrong.indexOf(Buffer.from('020105', 'hex')) + 2;
    wrong[at] = 6;
    expect(() => revokedSerials(wrong, [ci.parsed])).toThrow(/signature/);
  });
});

describe('signatures of the counterparts', () => {
  for (const curve of CURVES) {
    it(`raw and DER forms agree on ${curve}`, () => {
      const key = generateKey(curve);
      const message = Buffer.from('to be signed');
      for (let round = 0; round < 20; round++) {
        const raw = sign(key, message);
        expect(toHex(derToRaw(rawToDer(raw)))).toBe(toHex(raw));
        expect(verify(key, message, raw)).toBe(true);
        raw[40] = (raw[40] ?? 0) ^ 1;
        expect(verify(key, message, raw)).toBe(false);
      }
    });
  }
});

describe(`SGP.26 test PKI${testdataNote}`, () => {
  it.skipIf(!hasTestdata)('its DPpb chains are accepted, its DPauth certificate is not', () => {
    for (const family of ['NIST', 'BRP']) {
      const ci = parseCertificate(testdata('sgp26', `CERT_CI_ECDSA_${family}.der`));
      const keyId = readTlv(ci.extensions.get('2.5.29.14')!.value).value;
      const check = (name: string) =>
        checkDpPbChain(
          keyId,
          [parseCertificate(testdata('sgp26', `CERT_S_SM_${name}_ECDSA_${family}.der`))],
          {
            trustedCis: [ci],
            now: new Date('2026-01-01'),
          },
        );
      expect(registeredIdOf(check('DPpb'))).toBe('2.999.10');
      expect(() => check('DPauth')).toThrow(/role/);
    }
  });

  it.skipIf(!hasTestdata)('eUICC certificates are issued below its EUM', () => {
    const eum = SimEumCa.from(
      testdata('sgp26', 'CERT_EUM_ECDSA_NIST.der'),
      testdata('sgp26', 'SK_EUM_ECDSA_NIST.pem').toString('utf8'),
    );
    expect(eum.iin).toBe('89049032');
    expect(eum.organization).toBe('RSP Test EUM');
    const euicc = new X509Certificate(eum.issueEuicc(EID, generateKey('p256')));
    expect(euicc.verify(new X509Certificate(testdata('sgp26', 'CERT_EUM_ECDSA_NIST.der')).publicKey)).toBe(
      true,
    );
  });
});
