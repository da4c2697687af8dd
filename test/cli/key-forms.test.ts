import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { toHex } from '../../shared/codec/bytes.ts';
import { CURVES, P256 } from '../../shared/crypto/curves.ts';
import { decodeCertificate } from '../../shared/pki/certificate.ts';
import { ownTemplate } from '../../shared/profile/package/template/own-profile.ts';
import { encodePrivateKeyPem, generateKey, SimCi } from '../../sim/index.ts';
import {
  explicitOf,
  pemOf,
  type WrittenKey,
  writeExplicit,
  writeNamed,
  writePkcs8,
  writePoint,
  writeSec1,
  writeSpki,
} from '../support/ec-key-forms.ts';
import { Folder, iccidOf } from './support/binding-bench.ts';
import { type ErrorDocument, runCli } from './support/cli.ts';

const folder = new Folder();
afterAll(() => folder.remove());
const template = ownTemplate();
const metadata = { iccid: iccidOf(template), serviceProviderName: 'SP', profileName: 'P' };
const files = {
  '--upp': folder.write('template.der', template),
  '--metadata': folder.write('metadata.json', JSON.stringify(metadata)),
  '--eid': '89049032123451234512345678901235',
  '--out': folder.file('out.bpp'),
};

describe.each(CURVES)('keys on $name as other tools write them', (curve) => {
  const ci = SimCi.create({ curve: curve.name });
  const { scalar, point } = generateKey(curve.name);
  const certificate = folder.write(
    `${curve.name}.der`,
    ci.issueDpPb({ curve: curve.name, point }, { oid: '2.999.10' }),
  );
  const explicit = writeExplicit(explicitOf(curve));
  const options = { ...files, '--dppb-cert': certificate, '--otpk': toHex(generateKey(curve.name).point) };
  const bind = (key: string) =>
    runCli('bind', ...Object.entries(options).flat(), '--dppb-key', key, '--json');
  const file = (label: string, der: Uint8Array) => folder.write(`${curve.name}.pem`, pemOf(label, der));

  it.each([
    ['a compressed point', { point: writePoint(point, 'compressed') }],
    ['explicit parameters', { parameters: explicit }],
    ['no public key', { point: undefined }],
  ] as const)('bind with %s', async (_, change: Partial<WrittenKey>) => {
    const key = { parameters: writeNamed(curve), scalar, point, ...change };
    for (const [label, der] of [
      ['EC PRIVATE KEY', writeSec1(key)],
      ['PRIVATE KEY', writePkcs8(key)],
    ] as const)
      expect(await bind(file(label, der))).toMatchObject({ code: 0 });
  });

  it('are told from another key by the key identifiers of both, and a form that is not taken by its name', async () => {
    const other = folder.write('other.pem', encodePrivateKeyPem(generateKey(curve.name)));
    expect((await bind(other)).json<ErrorDocument>().error.message).toMatch(
      /key of --dppb-key \(SKI [0-9a-f]{40}\) is not the key of --dppb-cert \(SKI [0-9a-f]{40}\)/,
    );
    const hybrid = writeSec1({ parameters: writeNamed(curve), scalar, point: writePoint(point, 'hybrid') });
    expect((await bind(file('EC PRIVATE KEY', hybrid))).json<ErrorDocument>().error).toMatchObject({
      code: 'configuration',
      message: expect.stringContaining('hybrid point'),
    });
  });

  it('are certified by their value', async () => {
    const spki = file('PUBLIC KEY', writeSpki(explicit, writePoint(point, 'compressed')));
    ci.save(folder.file(curve.name));
    folder.write(`${curve.name}/CERT_CI.der`, ci.certificate);
    const out = folder.file('issued.der');
    const issue = ['sim', 'ci', 'issue-dppb', '--ci', folder.file(curve.name), '--spki', spki, '--out', out];
    expect(await runCli(...issue)).toMatchObject({ code: 0 });
    const issued = decodeCertificate(readFileSync(out));
    expect(toHex(issued.spki)).toBe(toHex(writeSpki(writeNamed(curve), point)));
  });

  it('are shown for what they are', async () => {
    const inspect = async (path: string) => (await runCli('inspect', path, '--json')).stdout;
    const spki = writeSpki(explicit, writePoint(point, 'compressed'));
    expect(await inspect(file('PUBLIC KEY', spki))).toContain(`a point of ${curve.name}`);
    const hybrid = writeSec1({ parameters: writeNamed(curve), scalar, point: writePoint(point, 'hybrid') });
    expect(await inspect(file('EC PRIVATE KEY', hybrid))).toContain('hybrid point');
  });
});

it('a public key on a curve that was tampered with is certified by nobody', async () => {
  const ci = SimCi.create();
  ci.save(folder.file('pki'));
  folder.write('pki/CERT_CI.der', ci.certificate);
  const { point } = generateKey('p256');
  const spoofed = writeSpki(writeExplicit({ ...explicitOf(P256), base: point }), point);
  const spki = folder.write('spoofed.der', spoofed);
  const issue = ['sim', 'ci', 'issue-dppb', '--ci', folder.file('pki'), '--spki', spki];
  const refused = await runCli(...issue, '--out', folder.file('x.der'), '--json');
  expect(refused.json<ErrorDocument>().error.message).toMatch(/but for their generator/);
});
