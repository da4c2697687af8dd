import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { type Bytes, concat, equal, fromHex, toHex, utf8 } from '../../shared/codec/bytes.ts';
import { parseCertificate } from '../../sim/certificate.ts';
import { type CurveName, generateKey } from '../../sim/curve.ts';
import { storeDataApdus } from '../../sim/euicc/apdu.ts';
import { NoAnswer, SoftEuicc } from '../../sim/euicc.ts';
import { encodeLoadPackage } from '../../sim/ifpp-draft1.ts';
import { segmentBpp } from '../../sim/segmentation.ts';
import { readAll, tlv } from '../../sim/tlv.ts';
import { buildMetadata, buildUpp, profileElement } from './bpp-builder.ts';
import { Bench, ICCID, readResult, sendCommands } from './installer.ts';

const folder = mkdtempSync(join(tmpdir(), 'soft-euicc-'));
afterAll(() => rmSync(folder, { recursive: true }));

const CURVES: readonly CurveName[] = ['p256', 'brainpoolP256r1', 'frp256v1'];
const LONG_UPP = buildUpp({
  iccid: ICCID,
  elements: [profileElement(0xa9, 3, tlv(0x81, randomBytes(5000)))],
});
const OTHER_ICCID = '89882110000005300811';

function metadata(...further: Bytes[]): Bytes {
  return buildMetadata({ iccid: ICCID, further });
}

describe('the soft eUICC and a good BPP', { tags: ['ES8-PACKAGE'] }, () => {
  for (const curve of CURVES) {
    for (const mode of ['ppk', 'session'] as const) {
      it(`installs on ${curve} in ${mode} mode and comes back octet for octet`, () => {
        const bench = new Bench({ curve });
        expect(bench.outcome(bench.load({ mode, upp: LONG_UPP }))).toBe('installed');
        expect(equal(bench.euicc.installedProfile(ICCID) ?? new Uint8Array(), LONG_UPP)).toBe(true);
        expect(bench.euicc.unusedKeyIds).toHaveLength(0);
      });
    }
  }

  it('names the address of the install notification, the ICCID and the OID of CERT.DPpb in its result', () => {
    const bench = new Bench();
    const pir = toHex(bench.load());
    expect(pir).toContain(toHex(tlv(0x0c, utf8('smdpf.example.com'))));
    expect(pir).toContain('5a0a988812010000500380f2');
    expect(pir).toContain('060388370a');
    expect(pir).toContain('4f10a0000005591010ffffffff8900001100');
  });

  it('may bring its metadata in two segments', () => {
    const icon = concat(fromHex('89504e470d0a1a0a'), randomBytes(1000));
    const bench = new Bench();
    expect(bench.outcome(bench.load({ metadata: buildMetadata({ iccid: ICCID, icon }) }))).toBe('installed');
  });

  it('may name the owner that EF.IMSI belongs to', () => {
    const owner = tlv(0xb7, tlv(0x80, fromHex('00f110')));
    const bench = new Bench();
    expect(bench.outcome(bench.load({ metadata: metadata(owner, tlv(0x99, fromHex('0640'))) }))).toBe(
      'installed',
    );
  });

  it('may be followed by another one with the next key, and both results are numbered', {
    tags: ['EUICCF01'],
  }, () => {
    const bench = new Bench({ keys: 2 });
    const first = bench.load();
    const change = {
      metadata: buildMetadata({ iccid: OTHER_ICCID }),
      upp: buildUpp({ iccid: OTHER_ICCID }),
    };
    const second = bench.load(change, 1);
    expect(bench.outcome(second)).toBe('installed');
    expect(bench.outcome(first)).toBe('installed');
    expect(bench.euicc.retrieveNotifications().map(({ seqNumber }) => seqNumber)).toEqual([1, 2]);
    expect(bench.euicc.installedIccids).toEqual([ICCID, OTHER_ICCID]);
  });
});

describe('the soft eUICC answers each fault with its code', () => {
  const PPR1 = tlv(0x99, fromHex('0640'));
  const owner = (mccMnc: string): Bytes => tlv(0xb7, tlv(0x80, fromHex(mccMnc)));
  const aka = profileElement(
    0xa4,
    7,
    tlv(0xa1, tlv(0xa1, tlv(0x80, Uint8Array.of(1)), tlv(0x82, randomBytes(16)))),
  );
  const cases: [string, number, number, Parameters<Bench['load']>[0]][] = [
    ['unknown remoteOpId', 0, 5, { remoteOpId: 2 }],
    ['CRT of another cipher', 0, 4, { keyType: 0x80 }],
    ['another transactionId than the LoadPackage', 0, 3, { innerTransactionId: randomBytes(16) }],
    ['smdpSign with another key', 0, 2, { dpPbKey: generateKey('p256') }],
    ['keys derived with another EID', 1, 8, { derivationEid: randomBytes(16) }],
    ['ConfigureISDP that is none', 1, 1, { configureIsdp: fromHex('bf2500') }],
    [
      'dpProprietaryData too long',
      1,
      1,
      { configureIsdp: tlv(0xbf24, tlv(0xb8, tlv(0x06, randomBytes(130)))) },
    ],
    ['metadata without a name', 2, 1, { metadata: fromHex('bf250c5a0a988812010000500380f2') }],
    ['unknown metadata tag', 2, 26, { metadata: metadata(tlv(0xbd)) }],
    ['unknown profileClass', 2, 1, { metadata: buildMetadata({ iccid: ICCID, profileClass: 3 }) }],
    ['policy rules without owner', 2, 1, { metadata: metadata(PPR1) }],
    ['replaced keys of another length', 4, 1, { replaceSessionKeys: fromHex('bf2609800100810100820100') }],
    // as under a wrong counter, which no MAC covers: the first block comes out as noise
    ['replaced keys that decrypt to no TLV', 4, 8, { replaceSessionKeys: randomBytes(57).fill(0x9f, 0, 2) }],
    ['ConfigureISDP that decrypts to no TLV', 1, 8, { configureIsdp: fromHex('bf240380') }],
    ['a segment of 1036 octets', 5, 7, { segmentLength: 1008, upp: LONG_UPP }],
    ['EF.ICCID of another profile', 5, 13, { upp: buildUpp({ iccid: ICCID, efIccid: OTHER_ICCID }) }],
    ['header of another profile', 5, 13, { upp: buildUpp({ iccid: OTHER_ICCID, efIccid: ICCID }) }],
    ['owner of another network', 5, 13, { metadata: metadata(owner('62f220')) }],
    ['no end', 5, 12, { upp: buildUpp({ iccid: ICCID, withoutEnd: true }) }],
    [
      'an element behind the end',
      5,
      12,
      { upp: concat(buildUpp({ iccid: ICCID }), profileElement(0xa9, 4)) },
    ],
    ['unknown element', 5, 12, { upp: buildUpp({ iccid: ICCID, elements: [profileElement(0xab, 5)] }) }],
    [
      'an identification twice',
      5,
      12,
      { upp: buildUpp({ iccid: ICCID, elements: [profileElement(0xa9, 2)] }) },
    ],
    ['a mandatory service that is not there', 5, 12, { upp: buildUpp({ iccid: ICCID, services: [0x8c] }) }],
    [
      'a real key in a Test Profile',
      5,
      14,
      {
        metadata: buildMetadata({ iccid: ICCID, profileClass: 0 }),
        upp: buildUpp({ iccid: ICCID, elements: [aka] }),
      },
    ],
  ];
  for (const [name, command, reason, change] of cases) {
    it(`${name}: bppCommandId ${command}, errorReason ${reason}`, () => {
      const bench = new Bench();
      expect(bench.outcome(bench.load(change))).toEqual({ command, reason });
      expect(bench.euicc.installedIccids).toEqual([]);
      // Before smdpSign has verified the key is untouched; afterwards it is used up.
      expect(bench.euicc.unusedKeyIds).toHaveLength(command === 0 ? 1 : 0);
    });
  }

  it('ICCID that is installed: errorReason 9', () => {
    const bench = new Bench({ keys: 2 });
    bench.load();
    expect(bench.outcome(bench.load({}, 1))).toEqual({ command: 2, reason: 9 });
  });

  it('profileClass that the eUICC does not support: errorReason 6', () => {
    const bench = new Bench({ euicc: { supportedClasses: [2] } });
    const change = { metadata: buildMetadata({ iccid: ICCID, profileClass: 0 }) };
    expect(bench.outcome(bench.load(change))).toEqual({ command: 2, reason: 6 });
  });

  it('policy rule that the eUICC forbids: errorReason 15', () => {
    const bench = new Bench({ features: { forbiddenProfilePolicyRules: [1] } });
    expect(bench.outcome(bench.load({ metadata: metadata(owner('00f110'), PPR1) }))).toEqual({
      command: 2,
      reason: 15,
    });
  });

  it('memory too small: errorReason 10', () => {
    const bench = new Bench({ euicc: { faults: { freeMemory: 100 } } });
    expect(bench.outcome(bench.load())).toEqual({ command: 5, reason: 10 });
  });

  it('metadata that fail in their second segment: bppCommandId 3', () => {
    const bench = new Bench();
    const change = { metadata: metadata(tlv(0xbd, randomBytes(1200))) };
    expect(bench.outcome(bench.load(change))).toEqual({ command: 3, reason: 26 });
  });
});

describe('the chain of CERT.DPpb at the soft eUICC', () => {
  const refused = { command: 0, reason: 2 };

  it('must end in a trusted CI, name its role, be valid and not revoked', () => {
    const bench = new Bench();
    const transactionId = randomBytes(16);
    const bpp = bench.bpp(transactionId);
    const load = (certificate: Bytes, ciPkId = bench.chain.ciPkId): unknown =>
      bench.outcome(
        bench.send(transactionId, bpp, bench.key().keyId, { ciPkId, certificates: [certificate] }),
      );
    const issue = (options: object): Bytes =>
      bench.ci.issueDpPb(bench.dpPbKey, { oid: '2.999.10', ...options });
    const stranger = new Bench();
    expect(load(stranger.chain.certificates[0]!)).toEqual(refused);
    expect(load(stranger.chain.certificates[0]!, stranger.chain.ciPkId)).toEqual(refused);
    expect(load(issue({ role: '4' }))).toEqual(refused);
    expect(load(issue({ notAfter: new Date(Date.now() - 1000) }))).toEqual(refused);
    expect(load(issue({ notBefore: new Date(Date.now() + 60_000) }))).toEqual(refused);
    const revoked = issue({});
    bench.euicc.loadCrl(bench.ci.issueCrl({ revoked: [parseCertificate(revoked).serialNumber] }));
    expect(load(revoked)).toEqual(refused);
    expect(load(bench.chain.certificates[0]!)).toBe('installed');
  });

  it('must be certificates, or only a status word comes back', () => {
    const bench = new Bench();
    const chain = { ...bench.chain, certificates: [fromHex('3000')] };
    expect(toHex(bench.send(randomBytes(16), new Uint8Array(), bench.key().keyId, chain))).toBe('6a80');
  });
});

describe('a one-time key of the soft eUICC', { tags: ['EUICCF01'] }, () => {
  it('serves one BPP only', () => {
    const bench = new Bench();
    bench.load();
    expect(bench.outcome(bench.load())).toEqual({ command: 0, reason: 1 });
  });

  it('serves no other transaction and no other BPP once a signature has verified with it', () => {
    const bench = new Bench();
    const transactionId = randomBytes(16);
    const bpp = bench.bpp(transactionId);
    bench.euicc.faults.powerCutAfterApdus = 6;
    expect(() => bench.send(transactionId, bpp)).toThrow(NoAnswer);
    bench.euicc.reset();
    expect(bench.outcome(bench.load())).toEqual({ command: 0, reason: 3 });
    expect(bench.outcome(bench.load({ transactionId }))).toEqual({ command: 0, reason: 3 });
    expect(bench.outcome(bench.send(transactionId, bpp))).toBe('installed');
  });
});

describe('a power cut of the soft eUICC', () => {
  it('after any APDU leaves the same BPP loadable, and a finished one answers the same BF37', () => {
    const total = countApdus();
    for (let cut = 1; cut <= total; cut++) {
      const bench = new Bench({ euicc: { file: join(folder, `cut-${cut}.json`) } });
      const transactionId = randomBytes(16);
      const bpp = bench.bpp(transactionId);
      bench.euicc.faults.powerCutAfterApdus = cut;
      expect(() => bench.send(transactionId, bpp)).toThrow(NoAnswer);
      expect(() => bench.send(transactionId, bpp)).toThrow(NoAnswer);
      bench.euicc.reset();
      const pir = bench.send(transactionId, bpp);
      expect(bench.outcome(pir)).toBe('installed');
      const again = SoftEuicc.open(join(folder, `cut-${cut}.json`));
      const loadPackage = encodeLoadPackage({ transactionId, keyId: bench.key().keyId, chain: bench.chain });
      expect(toHex(sendCommands(again, [loadPackage]))).toBe(toHex(pir));
      expect(again.retrieveNotifications()).toHaveLength(1);
      expect(again.installedIccids).toEqual([ICCID]);
    }
  });

  it('makes an eUICC that gives up what is interrupted answer 11, and use up the key, once smdpSign has verified', () => {
    const total = countApdus();
    const outcomes = new Set<string>();
    for (let cut = 1; cut < total; cut++) {
      const file = join(folder, `gives-up-${cut}.json`);
      const bench = new Bench({ keys: 2, euicc: { file, interruption: 'fail' } });
      const transactionId = randomBytes(16);
      const bpp = bench.bpp(transactionId);
      bench.euicc.faults.powerCutAfterApdus = cut;
      expect(() => bench.send(transactionId, bpp)).toThrow(NoAnswer);
      const isBound = readFileSync(file, 'utf8').includes('boundTo');
      const again = SoftEuicc.open(file, { interruption: 'fail' });
      const loadPackage = encodeLoadPackage({ transactionId, keyId: bench.key().keyId, chain: bench.chain });
      const pir = sendCommands(again, [loadPackage, ...segmentBpp(bpp)]);
      expect(bench.outcome(pir)).toEqual(isBound ? { command: 5, reason: 11 } : 'installed');
      expect(toHex(sendCommands(again, [loadPackage]))).toBe(toHex(pir));
      expect(again.unusedKeyIds.map(toHex)).toEqual([toHex(bench.key(1).keyId)]);
      outcomes.add(String(isBound));
    }
    expect(outcomes.size).toBe(2);
  });

  it('or another package in the middle is an interruption too: the first is reported with 11 among the notifications', () => {
    const bench = new Bench({ keys: 2, euicc: { interruption: 'fail' } });
    const transactionId = randomBytes(16);
    const commands = segmentBpp(bench.bpp(transactionId));
    const loadPackage = encodeLoadPackage({ transactionId, keyId: bench.key().keyId, chain: bench.chain });
    sendCommands(bench.euicc, [loadPackage, ...commands.slice(0, -1)]);
    expect(bench.outcome(bench.load({}, 1))).toBe('installed');
    const results = bench.euicc.retrieveNotifications().map(({ signed }) => bench.outcome(signed));
    expect(results).toEqual([{ command: 5, reason: 11 }, 'installed']);
  });

  function countApdus(): number {
    const bench = new Bench();
    const transactionId = randomBytes(16);
    const loadPackage = encodeLoadPackage({ transactionId, keyId: bench.key().keyId, chain: bench.chain });
    return [loadPackage, ...segmentBpp(bench.bpp(transactionId))].flatMap((command) =>
      storeDataApdus(command),
    ).length;
  }

  it('erases used keys from the file', () => {
    const file = join(folder, 'erased.json');
    const bench = new Bench({ euicc: { file } });
    expect(readFileSync(file, 'utf8')).toContain(toHex(bench.key().keyId));
    bench.load();
    expect(readFileSync(file, 'utf8')).not.toContain(toHex(bench.key().keyId));
  });
});

describe('services of the soft eUICC', () => {
  it('GENS13: loads fail once the FPA is locked', { tags: ['GENS13'] }, () => {
    const bench = new Bench();
    bench.euicc.lockFpa();
    expect(toHex(bench.load())).toBe('6985');
    bench.euicc.reset();
    expect(toHex(bench.load())).toBe('6985');
  });

  it('EUICCF03 and EUICCF04: LPA Services open when the unused keys are deleted', {
    tags: ['EUICCF03', 'EUICCF04'],
  }, () => {
    const bench = new Bench({ keys: 3 });
    bench.load();
    expect(() => bench.euicc.enableProfile(ICCID)).toThrow(/one-time key/);
    expect(() => bench.euicc.retrieveNotifications()).toThrow(/one-time key/);
    expect(bench.euicc.deleteUnusedOneTimeKeys()).toBe(2);
    bench.euicc.enableProfile(ICCID);
    expect(() => bench.euicc.deleteProfile(ICCID)).toThrow(/enabled/);
    bench.euicc.disableProfile(ICCID);
    expect(bench.outcome(bench.load({}, 1))).toEqual({ command: 0, reason: 1 });
  });

  it('a deletion yields an OtherSignedNotification with its own sequence number and both certificates', () => {
    const bench = new Bench();
    bench.load();
    const [signed] = bench.euicc.deleteProfile(ICCID);
    const [metadata, signature, euiccCert, eumCert] = readAll(readAll(signed!)[0]!.value);
    expect(toHex(metadata!.value)).toContain('81020410');
    expect(metadata!.value[2]).toBe(2);
    expect(signature!.tag).toBe(0x5f37);
    expect(toHex(euiccCert!.raw)).toBe(toHex(bench.personalised.euiccCert));
    expect(toHex(eumCert!.raw)).toBe(toHex(bench.personalised.eumCert));
    expect(bench.euicc.installedIccids).toEqual([]);
  });

  it('the FPA deletes a profile of a device that keeps its other keys, and loads another (Annex A.4)', () => {
    const bench = new Bench({ keys: 2 });
    bench.load();
    expect(bench.euicc.deleteProfile(ICCID, 'fpa')).toHaveLength(1);
    expect(bench.outcome(bench.load({}, 1))).toBe('installed');
  });
});

describe('STORE DATA to the soft eUICC', () => {
  const apdu = (hex: string): Bytes => fromHex(hex);
  const cases: [string, string, string][] = [
    ['another class', '00e2910001ff', '6e00'],
    ['another instruction', '80e4910001ff', '6d00'],
    ['another P1', '80e2900001ff', '6a86'],
    ['a block number that does not start at 0', '80e2910101ff', '6a86'],
    ['a wrong Lc', '80e2910002ff', '6700'],
    ['no data', '80e29100', '6700'],
    ['a segment without LoadPackage', '80e2910003bf3600', '6985'],
    ['a LoadPackage that is none', '80e2910003ff6600', '6a80'],
  ];
  for (const [name, command, statusWord] of cases) {
    it(`${name}: ${statusWord}`, () => {
      expect(toHex(new Bench().euicc.transmit(apdu(command)))).toBe(statusWord);
    });
  }

  it('a damaged eUICC never answers', () => {
    const bench = new Bench({ euicc: { faults: { damaged: true } } });
    expect(() => bench.load()).toThrow(NoAnswer);
  });
});

describe('a mutated BPP at the soft eUICC', { tags: ['MCE02', 'ES8-SIGNATURE', 'ES8-BSP'] }, () => {
  it('is refused with an error code whichever octet is wrong, and installs nothing', () => {
    const bench = new Bench();
    const transactionId = randomBytes(16);
    const bpp = bench.bpp(transactionId);
    const reasons = new Map<string, number>();
    for (let offset = 0; offset < bpp.length; offset++) {
      const wrong = Buffer.from(bpp);
      wrong[offset] = (wrong[offset] ?? 0) ^ (1 << (offset % 8));
      const euicc = SoftEuicc.create(bench.personalised);
      const loadPackage = encodeLoadPackage({ transactionId, keyId: bench.key().keyId, chain: bench.chain });
      const outcome = readResult(
        sendCommands(euicc, [loadPackage, ...segmentBpp(wrong)]),
        bench.personalised.euiccCert,
      );
      expect(outcome, `octet ${offset}`).not.toBe('installed');
      expect(euicc.installedIccids).toEqual([]);
      const name = JSON.stringify(outcome);
      reasons.set(name, (reasons.get(name) ?? 0) + 1);
    }
    const seen = [...reasons.values()].reduce((sum, count) => sum + count, 0);
    expect(seen).toBe(bpp.length);
    expect([...reasons.keys()].map((name) => (JSON.parse(name) as { reason: number }).reason)).toEqual(
      expect.arrayContaining([1, 2, 3, 4, 5, 7, 8]),
    );
  });

  it('with octets changed, dropped or put in at random installs nothing and breaks nothing', () => {
    const bench = new Bench();
    const transactionId = randomBytes(16);
    const bpp = bench.bpp(transactionId);
    const loadPackage = encodeLoadPackage({ transactionId, keyId: bench.key().keyId, chain: bench.chain });
    const edit = fc.record({
      at: fc.nat(bpp.length - 1),
      drop: fc.nat(4),
      put: fc.uint8Array({ maxLength: 4 }),
    });
    fc.assert(
      fc.property(edit, ({ at, drop, put }) => {
        const wrong = concat(bpp.subarray(0, at), put, bpp.subarray(at + drop));
        // octets behind a whole BPP come when its profile is installed already
        fc.pre(!equal(wrong.subarray(0, bpp.length), bpp));
        const euicc = SoftEuicc.create(bench.personalised);
        const answer = sendCommands(euicc, [loadPackage, ...segmentBpp(wrong)]);
        expect(euicc.installedIccids).toEqual([]);
        if (answer.length > 0) expect(readResult(answer, bench.personalised.euiccCert)).not.toBe('installed');
      }),
      { numRuns: 300 },
    );
  });

  it('is refused in the same way where the LoadPackage is wrong', () => {
    const bench = new Bench();
    const transactionId = randomBytes(16);
    const segments = segmentBpp(bench.bpp(transactionId));
    const loadPackage = encodeLoadPackage({ transactionId, keyId: bench.key().keyId, chain: bench.chain });
    for (let offset = 0; offset < loadPackage.length; offset++) {
      const wrong = Buffer.from(loadPackage);
      wrong[offset] = (wrong[offset] ?? 0) ^ (1 << (offset % 8));
      const euicc = SoftEuicc.create(bench.personalised);
      const answer = sendCommands(euicc, [wrong, ...segments]);
      expect(euicc.installedIccids).toEqual([]);
      if (answer.length === 2) expect(['6a80', '6985']).toContain(toHex(answer));
      else expect(readResult(answer, bench.personalised.euiccCert)).toMatchObject({ command: 0 });
    }
  });

  it('cut off anywhere installs nothing', () => {
    const bench = new Bench();
    const transactionId = randomBytes(16);
    const bpp = bench.bpp(transactionId);
    for (let length = 1; length < bpp.length; length += 3) {
      const euicc = SoftEuicc.create(bench.personalised);
      const loadPackage = encodeLoadPackage({ transactionId, keyId: bench.key().keyId, chain: bench.chain });
      const answer = sendCommands(euicc, [loadPackage, ...segmentBpp(bpp.subarray(0, length))]);
      if (answer.length > 0) expect(readResult(answer, bench.personalised.euiccCert)).not.toBe('installed');
      expect(euicc.installedIccids).toEqual([]);
    }
  });
});
