import { afterAll, describe, expect, it } from 'vitest';
import { DESCRIBERS, inspect, inspectArtefact } from '../../cli/inspect/inspect.ts';
import type { Field } from '../../cli/inspect/shape.ts';
import { type Bytes, toHex } from '../../shared/codec/bytes.ts';
import { readTlv, tlv } from '../../shared/codec/tlv.ts';
import { ownTemplate } from '../../shared/profile/package/template/own-profile.ts';
import { encodePem } from '../../sim/curve.ts';
import { expectRefusal } from '../support/refusal.ts';
import { hasTestdata, testdata, testdataFiles, testdataSkipReason } from '../support/testdata.ts';
import frp256v1 from '../vectors/frp256v1.json' with { type: 'json' };
import { oneOfEach } from './support/artefacts.ts';
import { Folder } from './support/binding-bench.ts';
import { type ErrorDocument, runCli, spawnCli } from './support/cli.ts';

const artefacts = await oneOfEach();
const octetsOf = (kind: string): Bytes => artefacts.get(kind)!;

const folder = new Folder();
afterAll(() => folder.remove());

function* everyField(fields: readonly Field[]): Generator<Field> {
  for (const field of fields) {
    yield field;
    yield* everyField(field.fields ?? []);
  }
}

/** The values under a name, wherever it stands. */
function valuesOf(kind: string, name: string): (string | number | undefined)[] {
  return [...everyField(inspectArtefact(octetsOf(kind)).fields)]
    .filter((field) => field.name === name)
    .map(({ value }) => value);
}

describe('smdpf inspect', () => {
  it('has a sample of each kind of artefact that it knows', () => {
    expect([...artefacts.keys()].sort()).toEqual(DESCRIBERS.map(({ kind }) => kind).sort());
  });

  it.each([...artefacts.keys()])('says what a %s is, and finds nothing wrong with it', (kind) => {
    const artefact = inspectArtefact(octetsOf(kind));
    expect(artefact.kind).toBe(kind);
    expect(artefact.length).toBe(octetsOf(kind).length);
    expect(artefact.fields.length).toBeGreaterThan(0);
    // the small package that the tests build has no PINs and no keys
    if (kind !== 'profilePackage')
      expect(artefact.findings.filter(({ severity }) => severity === 'error')).toEqual([]);
  });

  it.each([...artefacts.keys()].filter((kind) => kind !== 'softkey'))(
    'gives the offset and length of every element of a %s',
    (kind) => {
      const octets = octetsOf(kind);
      let seen = 0;
      for (const { name, tag, offset, length } of everyField(inspectArtefact(octets).fields)) {
        seen++;
        const at = toHex(octets.subarray(offset)).toUpperCase();
        expect(at.startsWith(tag), `${name} at ${offset}`).toBe(true);
        // metadata that go on in a second 88 are longer than their first part
        if (!['storeMetadataRequest', 'icon'].includes(name))
          expect(readTlv(octets, offset).raw.length, `${name} at ${offset}`).toBe(length);
      }
      expect(seen).toBeGreaterThan(0);
    },
  );

  // the rest of the metadata and the attributes of a request hold types that are kept as octets
  it.each(
    [...artefacts.keys()].filter(
      (kind) =>
        !['boundProfilePackage', 'bppBatch', 'storeMetadataRequest', 'certificationRequest'].includes(kind),
    ),
  )('leaves no element of a %s without a name', (kind) => {
    for (const { name, tag } of everyField(inspectArtefact(octetsOf(kind)).fields))
      expect(name).not.toBe(tag);
  });

  it('tells the metadata that a BPP carries in clear, over two elements', () => {
    expect(valuesOf('boundProfilePackage', 'iccid')).toEqual(['89000123456789012341']);
    expect(valuesOf('boundProfilePackage', 'icon')).toEqual(['1000 octets of image']);
    const { findings } = inspectArtefact(octetsOf('boundProfilePackage'));
    expect(findings.map(({ message }) => message).join()).toContain('ReplaceSessionKeys');
  });

  it('names roles, extensions, curves, events, results and causes', () => {
    expect(valuesOf('certificate', 'namedCurve')).toEqual(['p256']);
    expect(valuesOf('certificate', 'extension[3]')[0]).toContain('role euicc');
    expect(valuesOf('crl', 'userCertificate')).toHaveLength(2);
    expect(valuesOf('otherSignedNotification', 'profileManagementOperation')).toEqual(['delete']);
    expect(valuesOf('profileInstallationResult', 'simaResponse')).toEqual(['ok']);
    expect(valuesOf('profileLoadingReport', 'cause')).toEqual(['4 badStatusWord']);
    expect(valuesOf('bppBatch', 'subjectCode')).toEqual(['8.2.5']);
    expect(valuesOf('euiccInfo2', 'rspCapability')[0]).toContain('crlSupport');
    expect(valuesOf('softkey', 'role')).toEqual(['wrapping']);
  });

  it('reads PEM, base64 and hexadecimal, and each block of a chain', () => {
    const der = octetsOf('certificate');
    const pem = encodePem('CERTIFICATE', der);
    const forms: [string, Bytes | string][] = [
      ['binary', der],
      ['pem', pem],
      ['base64', `${Buffer.from(der).toString('base64')}\n`],
      ['hex', toHex(der).replace(/(..)/g, '$1 ')],
    ];
    for (const [encoding, file] of forms) {
      const inspection = inspect(Buffer.from(file));
      expect(inspection.encoding).toBe(encoding);
      expect(inspection.artefacts).toEqual([inspectArtefact(der)]);
    }
    const { artefacts: chain } = inspect(Buffer.from(`${pem}${pem}`));
    expect(chain.map(({ kind }) => kind)).toEqual(['certificate', 'certificate']);
  });

  it('shows the elements of a profile package, its header, and none of its contents', () => {
    const upp = ownTemplate();
    const artefact = inspectArtefact(upp);
    expect(artefact.fields[0]!.name).toBe('header');
    expect(artefact.fields.at(-1)!.name).toBe('end');
    expect(artefact.fields.reduce((sum, { length }) => sum + length, 0)).toBe(upp.length);
    expect(artefact.fields.slice(1).every(({ fields }) => fields === undefined)).toBe(true);
  });

  it('never shows a private key', () => {
    const key = octetsOf('privateKey');
    const scalar = toHex(key.subarray(36, 68));
    const { fields, findings } = inspectArtefact(key);
    expect(JSON.stringify({ fields, findings })).not.toContain(scalar);
    expect(fields[0]!.value).toContain('prime256v1');
  });

  it.each(frp256v1.keys)('knows a private key of FRP256V1, which OpenSSL does not: $point', async (key) => {
    for (const pem of [key.pkcs8Pem, key.sec1Pem]) {
      const result = await runCli('inspect', folder.write('frp.pem', pem), '--json');
      expect(result.code).toBe(0);
      expect(result.stdout).toContain('frp256v1; its octets are not shown');
      expect(result.stdout).not.toContain(key.scalar);
    }
  });
});

describe('smdpf inspect refuses', () => {
  it('what is cut off inside, with path and offset', () => {
    const pir = Buffer.from(octetsOf('profileInstallationResult'));
    const seqNumber = pir.indexOf(Buffer.from('bf2f', 'hex')) + 3;
    pir[seqNumber + 1] = 0x7f;
    const refusal = expectRefusal('protocolFormat', () => inspect(pir));
    expect(refusal.offset).toBe(seqNumber);
    expect(refusal.message).toContain('BF37/BF27/BF2F');
  });

  it('values that their type does not allow, with path and offset', () => {
    const metadata = Buffer.from(octetsOf('storeMetadataRequest'));
    const iccid = metadata.indexOf(0x5a);
    metadata[iccid + 2] = 0xab;
    const refusal = expectRefusal('iccidInvalid', () => inspect(metadata));
    expect(refusal).toMatchObject({ offset: iccid, subjectIdentifier: 'BF25/5A' });
  });

  it('elements nested beyond reason', () => {
    let nested: Bytes = Buffer.of(0x05, 0);
    for (let depth = 0; depth < 5000; depth++) nested = tlv(0x30, nested);
    expectRefusal('tooLarge', () => inspect(tlv(0xbf25, nested)));
  });

  it.each([
    ['an empty file', Buffer.alloc(0)],
    ['octets of no known kind', Buffer.from('0400', 'hex')],
    ['PEM without an end', Buffer.from('-----BEGIN CERTIFICATE-----\nMIIB\n')],
    ['PEM with other characters', Buffer.from('-----BEGIN X-----\nMI_B\n-----END X-----\n')],
  ])('%s', (_, file) => {
    expect(expectRefusal('protocolFormat', () => inspect(file)).offset).toBeDefined();
  });

  it('with exit code 1 and the place in --json, and without a stack trace', async () => {
    const file = folder.write('cut.der', octetsOf('bppBatch').subarray(0, 100));
    const json = await spawnCli(['inspect', file, '--json']);
    expect(json.code).toBe(1);
    expect(json.stderr).toBe('');
    expect(json.json<ErrorDocument>().error).toMatchObject({
      code: 'protocolFormat',
      offset: 0,
      exitCode: 1,
    });
    const text = await spawnCli(['inspect', file]);
    expect(text.code).toBe(1);
    expect(text.stdout).toBe('');
    expect(text.stderr).toMatch(/^error: protocolFormat \(1\.3\.1\/2\.1\): .*\n {2}way out: .*\n$/);
    const debug = await spawnCli(['inspect', file], { env: { SMDPF_DEBUG: '1' } });
    expect(debug.stderr).toContain('    at ');
  });
});

describe('the output of smdpf inspect', () => {
  it('shows an AuthorityKeyIdentifier of a serial number alone (RFC 5280 section 4.2.1.1)', () => {
    const certificate = Buffer.from(octetsOf('certificate'));
    const keyIdentifier = certificate.indexOf(Buffer.from('30168014', 'hex')) + 2;
    expect(keyIdentifier).toBeGreaterThan(2);
    // authorityCertSerialNumber in its place
    certificate[keyIdentifier] = 0x82;
    const values = [...everyField(inspectArtefact(certificate).fields)].map(({ value }) => value);
    expect(values).toContain('authorityKeyIdentifier: none');
  });

  it('is a document with --json and a list with offsets without', async () => {
    const file = folder.write('bpp.der', octetsOf('boundProfilePackage'));
    const json = await spawnCli(['inspect', '--json', file]);
    expect(json.code).toBe(0);
    expect(json.json()).toMatchObject({
      file,
      encoding: 'binary',
      artefacts: [
        { kind: 'boundProfilePackage', fields: [{ name: 'boundProfilePackage', tag: 'BF36', offset: 0 }] },
      ],
    });
    const text = await runCli('inspect', file);
    expect(text.stdout).toContain('Bound Profile Package (BF36)');
    expect(text.stdout).toMatch(/^ {6}5 +\d+ {2}BF23 +initialiseSecureChannelRequest$/m);
  });

  it('lets no text of an artefact play tricks on a terminal', async () => {
    const metadata = tlv(
      0xbf25,
      tlv(0x5a, Buffer.from('98001032547698103214', 'hex')),
      tlv(0x91, Buffer.from('\x1b[2J\u202e')),
      tlv(0x92, Buffer.from('P')),
    );
    const { stdout } = await runCli('inspect', folder.write('tricks.der', metadata));
    expect(stdout).not.toContain('\x1b');
    expect(stdout).not.toContain('\u202e');
  });
});

describe(`published artefacts${testdataSkipReason}`, () => {
  it.skipIf(!hasTestdata)('each file of SGP.26 and TS.48 is known', () => {
    const kinds = (dir: string) =>
      testdataFiles(dir).flatMap((name) =>
        inspect(testdata(`${dir}/${name}`)).artefacts.map(({ kind }) => kind),
      );
    expect(new Set(kinds('ts48'))).toEqual(new Set(['profilePackage']));
    expect(kinds('ts48')).toHaveLength(4);
    const sgp26 = kinds('sgp26');
    expect(sgp26.filter((kind) => kind === 'certificate')).toHaveLength(7);
    expect(sgp26.filter((kind) => kind === 'privateKey')).toHaveLength(4);
    expect(sgp26).toHaveLength(11);
  });
});
