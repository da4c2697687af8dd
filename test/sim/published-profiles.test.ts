import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { equal } from '../../shared/codec/bytes.ts';
import { subjectKeyIdentifier } from '../../sim/certificate.ts';
import { decodePrivateKeyPem } from '../../sim/curve.ts';
import { SoftEuicc } from '../../sim/euicc.ts';
import { SimEum } from '../../sim/eum.ts';
import { encodeLoadPackage } from '../../sim/ifpp-draft1.ts';
import { SimCi, SimEumCa } from '../../sim/pki.ts';
import { segmentBpp } from '../../sim/segmentation.ts';
import { buildBpp, buildMetadata } from './bpp-builder.ts';
import { Bench, readResult, sendCommands } from './installer.ts';
import { hasTestdata, testdata, testdataNote, ts48Profiles } from './testdata.ts';

const TS48_ICCID = '89000123456789012341';

describe(`TS.48 profiles${testdataNote}`, () => {
  it.skipIf(!hasTestdata)('install on each curve in both modes and come back octet for octet', () => {
    expect(ts48Profiles()).toHaveLength(4);
    for (const name of ts48Profiles()) {
      const upp = testdata('ts48', name);
      for (const curve of ['p256', 'brainpoolP256r1', 'frp256v1'] as const) {
        for (const mode of ['ppk', 'session'] as const) {
          const bench = new Bench({ curve });
          const metadata = buildMetadata({ iccid: TS48_ICCID, profileClass: 0 });
          expect(bench.outcome(bench.load({ mode, upp, metadata })), `${name} ${curve} ${mode}`).toBe(
            'installed',
          );
          expect(equal(bench.euicc.installedProfile(TS48_ICCID)!, upp)).toBe(true);
        }
      }
    }
  });

  it.skipIf(!hasTestdata)('cut off at any profile element fails as PE processing error', () => {
    const upp = testdata('ts48', ts48Profiles()[0]!);
    for (let length = 200; length < upp.length; length += 500) {
      const bench = new Bench();
      const metadata = buildMetadata({ iccid: TS48_ICCID, profileClass: 0 });
      expect(bench.outcome(bench.load({ upp: upp.subarray(0, length), metadata }))).toEqual({
        command: 5,
        reason: 12,
      });
    }
  });
});

describe(`SGP.26 binding key${testdataNote}`, () => {
  it.skipIf(!hasTestdata)('an eUICC below the SGP.26 EUM installs what the SGP.26 DPpb key bound', () => {
    const text = (name: string): string => testdata('sgp26', name).toString('utf8');
    const ci = SimCi.from(testdata('sgp26', 'CERT_CI_ECDSA_NIST.der'), text('SK_CI_ECDSA_NIST.pem'));
    const ca = SimEumCa.from(testdata('sgp26', 'CERT_EUM_ECDSA_NIST.der'), text('SK_EUM_ECDSA_NIST.pem'));
    const personalised = new SimEum({ ca, ci: ci.certificate }).personalise();
    const euicc = SoftEuicc.create(personalised, { now: () => new Date('2026-01-01') });
    const [key] = personalised.oneTimeKeys;
    const transactionId = randomBytes(16);
    const bpp = buildBpp({
      eid: euicc.eid,
      otPk: key!.key.point,
      dpPbKey: decodePrivateKeyPem(text('SK_S_SM_DPpb_ECDSA_NIST.pem')),
      transactionId,
      metadata: buildMetadata({ iccid: TS48_ICCID, profileClass: 0 }),
      upp: testdata('ts48', ts48Profiles()[0]!),
    });
    const chain = {
      ciPkId: subjectKeyIdentifier(ci.parsed),
      certificates: [testdata('sgp26', 'CERT_S_SM_DPpb_ECDSA_NIST.der')],
    };
    const loadPackage = encodeLoadPackage({ transactionId, keyId: key!.keyId, chain });
    const pir = sendCommands(euicc, [loadPackage, ...segmentBpp(bpp)]);
    expect(readResult(pir, personalised.euiccCert)).toBe('installed');
  });
});
