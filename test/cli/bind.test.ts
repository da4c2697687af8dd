import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { equal, fromHex, toHex } from '../../shared/codec/bytes.ts';
import { encodeIccid } from '../../shared/codec/iccid.ts';
import { tlv } from '../../shared/codec/tlv.ts';
import { ownTemplate } from '../../shared/profile/package/template/own-profile.ts';
import { decodeBoundProfilePackage } from '../../shared/rsp/bound-profile-package.ts';
import { type CurveName, generateKey, SimCi } from '../../sim/index.ts';
import { hasTestdata, testdata, testdataFiles, testdataSkipReason } from '../support/testdata.ts';
import mode51 from '../vectors/bsp-sequence-mode51.json' with { type: 'json' };
import eckaVectors from '../vectors/ecka.json' with { type: 'json' };
import { type BindingFiles, Card, Folder, iccidOf, makeBindingFiles } from './support/binding-bench.ts';
import { type ErrorDocument, runCli, spawnCli } from './support/cli.ts';

const EID = '89049032123451234512345678901235';
const CURVES: readonly CurveName[] = ['p256', 'brainpoolP256r1', 'frp256v1'];
const MODES = ['ppk', 'session'] as const;

const folder = new Folder();
afterAll(() => folder.remove());

const ci = SimCi.create();
const ours = makeBindingFiles(folder, ci);
const otpk = toHex(generateKey('p256').point);
const template = ownTemplate();
const metadataFile = folder.write(
  'metadata.json',
  JSON.stringify({ iccid: iccidOf(template), serviceProviderName: 'SP', profileName: 'P' }),
);
const templateFile = folder.write('template.der', template);

interface BindAnswer {
  readonly transactionId: string;
  readonly hostId: string;
  readonly smdpOtpk: string;
  readonly length: number;
  readonly segments: { readonly count: number; readonly longest: number };
  readonly warnings?: readonly string[];
}

function bindArguments(
  change: Record<string, string | undefined> = {},
  out = folder.file('out.bpp'),
): string[] {
  const options: Record<string, string | undefined> = {
    '--upp': templateFile,
    '--metadata': metadataFile,
    '--eid': EID,
    '--otpk': otpk,
    '--dppb-cert': ours.certificate,
    '--dppb-key': ours.key,
    '--out': out,
    ...change,
  };
  const given = Object.entries(options).flatMap(([name, value]) =>
    value === undefined ? [] : [name, value],
  );
  return ['bind', ...given, '--json'];
}

/** Binds with these files and hands the package to a soft eUICC that has never heard of this code. */
async function bindAndInstall(
  upp: Uint8Array,
  curve: CurveName,
  mode: (typeof MODES)[number],
  files: BindingFiles,
  ciCertificate: Uint8Array,
  profileClass: 'test' | 'operational' = 'operational',
) {
  const card = new Card(curve, [ciCertificate]);
  const iccid = iccidOf(upp);
  const out = folder.file(`${mode}-${curve}.bpp`);
  const bound = await runCli(
    ...bindArguments(
      {
        '--upp': folder.write('profile.der', upp),
        '--metadata': folder.write(
          'profile.json',
          JSON.stringify({ iccid, serviceProviderName: 'SP', profileName: 'P', profileClass }),
        ),
        '--eid': card.euicc.eid,
        '--otpk': card.otPk,
        '--dppb-cert': files.certificate,
        '--dppb-key': files.key,
        '--mode': mode,
      },
      out,
    ),
  );
  expect(bound.code, bound.stdout).toBe(0);
  const answer = bound.json<BindAnswer>();
  expect(answer.segments.longest).toBeLessThanOrEqual(1020);
  const bpp = readFileSync(out);
  const { outcome } = card.load(bpp, fromHex(answer.transactionId), readFileSync(files.certificate));
  expect(outcome).toBe('installed');
  expect(equal(card.euicc.installedProfile(iccid)!, upp)).toBe(true);
  expect(decodeBoundProfilePackage(bpp).secondSequenceOf87 === undefined).toBe(mode === 'session');
}

describe('smdpf bind', () => {
  it.each(CURVES.flatMap((curve) => MODES.map((mode) => ({ curve, mode }))))(
    'makes a package that a soft eUICC installs octet for octet: $curve, $mode',
    async ({ curve, mode }) => {
      const issuer = SimCi.create({ curve });
      const files = makeBindingFiles(folder, issuer);
      await bindAndInstall(template, curve, mode, files, issuer.certificate);
    },
  );

  it('gives one JSON document, exit code 0 and all that the other side needs, as a process', async () => {
    const result = await spawnCli(bindArguments({ '--transaction-id': '0a0b', '--host-id': 'beef' }));
    expect(result).toMatchObject({ code: 0, stderr: '' });
    const bpp = readFileSync(folder.file('out.bpp'));
    const request = decodeBoundProfilePackage(bpp).initialiseSecureChannelRequest;
    expect(result.json()).toMatchObject({
      transactionId: '0a0b',
      hostId: 'beef',
      smdpOtpk: toHex(request.smdpOtpk),
      length: bpp.length,
      smdpOid: '2.999.10',
    });
    expect(toHex(request.transactionId)).toBe('0a0b');
    expect(toHex(request.hostId)).toBe('beef');
  });

  it('draws 16 octets of transactionId and takes the hostId of the server by default', async () => {
    const [first, second] = [await runCli(...bindArguments()), await runCli(...bindArguments())];
    const { transactionId, hostId } = first.json<BindAnswer>();
    expect(transactionId).toMatch(/^[0-9a-f]{32}$/);
    expect(second.json<BindAnswer>().transactionId).not.toBe(transactionId);
    expect(hostId).toBe(toHex(Buffer.from('smdpf')));
  });

  it('takes a StoreMetadataRequest in DER, a key URI, and certificates in PEM', async () => {
    const result = await runCli(
      ...bindArguments({
        '--metadata': folder.write('metadata.der', fromHex(mode51.steps[1]!.plaintext)),
        '--upp': folder.write('any', randomBytes(10)),
        '--dppb-key': `pem:${ours.key}`,
        '--dppb-cert': folder.write(
          'cert.pem',
          `-----BEGIN CERTIFICATE-----\n${Buffer.from(ours.der).toString('base64')}\n-----END CERTIFICATE-----\n`,
        ),
      }),
    );
    expect(result.code, result.stdout).toBe(0);
    const { sequenceOf88 } = decodeBoundProfilePackage(readFileSync(folder.file('out.bpp')));
    expect(toHex(sequenceOf88[0]!.value.subarray(0, -8))).toBe(mode51.steps[1]!.plaintext);
  });

  it('binds octets that are no profile package, with a warning, and never over 1020 octets a segment', async () => {
    for (const length of [1, 2, 15, 16, 17, 1006, 1007, 1008, 2014, 2015, 4999, 5000]) {
      for (const mode of MODES) {
        // octets that happen to be text would be read as hexadecimal
        const octets = Buffer.concat([Buffer.of(0xff), randomBytes(length - 1)]);
        const upp = folder.write('upp', octets);
        const result = await runCli(...bindArguments({ '--upp': upp, '--mode': mode }));
        expect(result.code, `${length} ${mode} ${result.stdout}`).toBe(0);
        const { segments, warnings } = result.json<BindAnswer>();
        expect(segments.longest).toBeLessThanOrEqual(1020);
        expect(warnings?.join()).toContain('bound as it is');
      }
    }
  });
});

describe('published vectors through smdpf bind', () => {
  const ecka = eckaVectors.vectors[0]!;
  const { initialMacChainingValue, ppkEnc, ppkCmac } = mode51.ppk;
  const vectorOptions = {
    '--upp': folder.write(
      'mode51.upp',
      fromHex(
        mode51.steps
          .slice(3)
          .map(({ plaintext }) => plaintext)
          .join(''),
      ),
    ),
    '--metadata': folder.write('mode51.der', fromHex(mode51.steps[1]!.plaintext)),
    '--otpk': ecka.euiccOtpk,
    '--otsk': ecka.smdpOtsk,
    '--host-id': '8080808080808080',
  };

  it('--otsk and --ppk reproduce the traced package (mode51) to the octet', async () => {
    const fixed = { ...vectorOptions, '--ppk': initialMacChainingValue + ppkEnc + ppkCmac };
    const result = await runCli(...bindArguments(fixed));
    expect(result.code, result.stdout).toBe(0);
    const bpp = decodeBoundProfilePackage(readFileSync(folder.file('out.bpp')));
    const elements = [
      ...bpp.firstSequenceOf87,
      ...bpp.sequenceOf88,
      ...bpp.secondSequenceOf87!,
      ...bpp.sequenceOf86,
    ];
    expect(elements.map(({ raw }) => toHex(raw))).toEqual(mode51.steps.map((step) => step.protected));
    expect(elements).toHaveLength(5);
    expect(result.json<BindAnswer>().smdpOtpk).toBe(ecka.smdpOtpk);
  });

  it('--otsk alone reproduces what the session keys protect, and --otsk and --ppk each warn', async () => {
    const result = await runCli(...bindArguments(vectorOptions));
    const bpp = decodeBoundProfilePackage(readFileSync(folder.file('out.bpp')));
    const elements = [...bpp.firstSequenceOf87, ...bpp.sequenceOf88];
    expect(elements.map(({ raw }) => toHex(raw))).toEqual(
      mode51.steps.slice(0, 2).map((step) => step.protected),
    );
    expect(result.json<BindAnswer>().warnings?.join()).toContain('for published vectors only');
  });

  it('a wrong --otsk or --ppk is not shown with its stack either', async () => {
    const args = bindArguments({ '--otsk': `${ecka.smdpOtsk}00` });
    const { stderr } = await spawnCli(args, { env: { SMDPF_DEBUG: '1' } });
    expect(stderr).toContain('    at ');
    expect(stderr).not.toContain(ecka.smdpOtsk);
  });

  it('no answer repeats the fixed keys, whether they are right or wrong', async () => {
    const ppk = initialMacChainingValue + ppkEnc + ppkCmac;
    for (const options of [
      { '--otsk': ecka.smdpOtsk, '--ppk': ppk },
      { '--otsk': `${ecka.smdpOtsk}00` },
      { '--otsk': 'ff'.repeat(32) },
      { '--ppk': ppk.slice(2) },
    ]) {
      const { stdout, stderr } = await runCli(...bindArguments({ ...vectorOptions, ...options }));
      for (const secret of Object.values(options)) expect(stdout + stderr).not.toContain(secret);
    }
  });
});

describe('smdpf bind refuses', () => {
  const brainpool = makeBindingFiles(folder, SimCi.create({ curve: 'brainpoolP256r1' }));
  const key = generateKey('p256');
  const dpAuth = folder.write('CERT_DPauth.der', ci.issueDpPb(key, { oid: '2.999.10', role: '4' }));
  const json = (value: unknown): string =>
    folder.write(`${randomBytes(4).toString('hex')}.json`, JSON.stringify(value));
  const good = { iccid: iccidOf(template), serviceProviderName: 'SP', profileName: 'P' };

  const longMetadata = tlv(
    0xbf25,
    tlv(0x5a, encodeIccid(good.iccid)),
    tlv(0x91, Buffer.from('SP')),
    tlv(0x92, Buffer.from('P')),
    tlv(0x9f1f, Buffer.alloc(2000)),
  );

  const cases: [string, Record<string, string | undefined>, { code: string; exitCode: number }][] = [
    [
      'a key that is not the certificate’s',
      { '--dppb-key': brainpool.key },
      { code: 'dpCertificateInvalid', exitCode: 1 },
    ],
    [
      'a certificate of another role',
      { '--dppb-cert': dpAuth },
      { code: 'dpCertificateInvalid', exitCode: 1 },
    ],
    [
      'a one-time key on another curve',
      { '--dppb-cert': brainpool.certificate, '--dppb-key': brainpool.key },
      { code: 'oneTimeKeyInvalid', exitCode: 1 },
    ],
    [
      'a point that is on no curve',
      { '--otpk': `04${'11'.repeat(64)}` },
      { code: 'oneTimeKeyInvalid', exitCode: 1 },
    ],
    [
      'wrong check digits of the EID',
      { '--eid': EID.replace(/5$/, '6') },
      { code: 'eidMalformed', exitCode: 1 },
    ],
    ['an empty package', { '--upp': folder.write('empty', '') }, { code: 'usage', exitCode: 2 }],
    [
      'metadata with another ICCID than the package',
      { '--metadata': json({ ...good, iccid: '8988211000000530082' }) },
      { code: 'metadataInvalid', exitCode: 1 },
    ],
    [
      'a misspelt member of the metadata',
      { '--metadata': json({ ...good, profileclass: 'test' }) },
      { code: 'metadataInvalid', exitCode: 1 },
    ],
    [
      'policy rules without an owner',
      { '--metadata': json({ ...good, profilePolicyRules: ['ppr1'] }) },
      { code: 'metadataInvalid', exitCode: 1 },
    ],
    [
      'metadata with a member twice',
      { '--metadata': folder.write('twice.json', `{"iccid":"1",${JSON.stringify(good).slice(1)}`) },
      { code: 'usage', exitCode: 2 },
    ],
    ['metadata that are a list', { '--metadata': json([good]) }, { code: 'metadataInvalid', exitCode: 1 }],
    [
      'metadata of more than two segments',
      { '--metadata': json({ ...good, serviceDescription: '00'.repeat(2000) }) },
      { code: 'metadataInvalid', exitCode: 1 },
    ],
    [
      'metadata of more than two segments in DER',
      { '--metadata': folder.write('long.der', longMetadata) },
      { code: 'metadataInvalid', exitCode: 1 },
    ],
    [
      'metadata that are no JSON',
      { '--metadata': folder.write('not.json', '{"iccid":') },
      { code: 'usage', exitCode: 2 },
    ],
    ['a file that is not there', { '--upp': folder.file('nowhere') }, { code: 'usage', exitCode: 2 }],
    [
      'a key file that is not there',
      { '--dppb-key': folder.file('nowhere') },
      { code: 'usage', exitCode: 2 },
    ],
    [
      'a key file that holds none',
      { '--dppb-key': ours.certificate },
      { code: 'configuration', exitCode: 2 },
    ],
    ['a missing option', { '--eid': undefined }, { code: 'usage', exitCode: 2 }],
    ['an option value of the wrong length', { '--host-id': '00'.repeat(17) }, { code: 'usage', exitCode: 2 }],
    [
      'a malformed key URI',
      { '--dppb-key': 'pkcs11:pin-value=1234' },
      { code: 'configuration', exitCode: 2 },
    ],
    ['a certificate that is none', { '--dppb-cert': templateFile }, { code: 'protocolFormat', exitCode: 1 }],
    ['a key on the curve’s end', { '--otsk': '00'.repeat(32) }, { code: 'usage', exitCode: 2 }],
    [
      '--ppk in session mode',
      { '--ppk': '00'.repeat(48), '--mode': 'session' },
      { code: 'usage', exitCode: 2 },
    ],
  ];

  it.each(cases)('%s', async (_, change, expected) => {
    const result = await runCli(...bindArguments(change));
    const { error } = result.json<ErrorDocument>();
    expect(error).toMatchObject(expected);
    expect(result.code).toBe(expected.exitCode);
    expect(error.message.length).toBeGreaterThan(10);
    expect(error.hint.length).toBeGreaterThan(10);
    expect(error.message).not.toContain('1234');
  });

  it('metadata of another ICCID, unless --force is given', async () => {
    const metadata = json({ ...good, iccid: '8988211000000530082' });
    const result = await runCli(...bindArguments({ '--metadata': metadata }), '--force');
    expect(result.code).toBe(0);
    expect(result.json<BindAnswer>().warnings?.join()).toContain('metadata-iccid');
  });
});

describe(`the SGP.26 binding certificates${testdataSkipReason}`, () => {
  const families: readonly (readonly [string, CurveName])[] = [
    ['NIST', 'p256'],
    ['BRP', 'brainpoolP256r1'],
  ];
  const sgp26 = (family: string) => ({
    certificate: folder.write(`S_${family}.der`, testdata(`sgp26/CERT_S_SM_DPpb_ECDSA_${family}.der`)),
    key: folder.write(`S_${family}.pem`, testdata(`sgp26/SK_S_SM_DPpb_ECDSA_${family}.pem`)),
  });

  it.skipIf(!hasTestdata)('bind our own profile on both curves in both modes', async () => {
    for (const [family, curve] of families)
      for (const mode of MODES) {
        const ciCertificate = testdata(`sgp26/CERT_CI_ECDSA_${family}.der`);
        await bindAndInstall(template, curve, mode, sgp26(family), ciCertificate);
      }
  });

  it.skipIf(!hasTestdata)('bind each TS.48 profile, which comes back octet for octet', async () => {
    const profiles = testdataFiles('ts48');
    expect(profiles).toHaveLength(4);
    for (const name of profiles)
      for (const [family, curve] of families)
        for (const mode of MODES) {
          const ciCertificate = testdata(`sgp26/CERT_CI_ECDSA_${family}.der`);
          await bindAndInstall(testdata(`ts48/${name}`), curve, mode, sgp26(family), ciCertificate, 'test');
        }
  });

  it.skipIf(!hasTestdata)('refuse to stand for the authentication role', async () => {
    const certificate = folder.write('auth.der', testdata('sgp26/CERT_S_SM_DPauth_ECDSA_NIST.der'));
    const result = await runCli(...bindArguments({ '--dppb-cert': certificate }));
    expect(result.json<ErrorDocument>().error).toMatchObject({
      code: 'dpCertificateInvalid',
      subjectCode: '8.8.4',
    });
  });
});
