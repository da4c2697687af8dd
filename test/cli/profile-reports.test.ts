import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../shared/codec/bytes.ts';
import { tlv } from '../../shared/codec/tlv.ts';
import { create, fill, gfm, instead, withAfter, withFile } from '../profile/package/support/build.ts';
import * as good from '../profile/package/support/good-packages.ts';
import { Folder } from './support/binding-bench.ts';
import { runCli } from './support/cli.ts';

/** Cases of public reports, whose sources test/profile/package/reported/README.md names, and others of their kinds. */
const folder = new Folder();
afterAll(() => folder.remove());
const reported = (name: string) =>
  fileURLToPath(new URL(`../profile/package/reported/${name}`, import.meta.url));
const out = folder.write('out.der', '');
const template = folder.write('own.der', good.own);

interface Check {
  readonly errors: number;
  readonly findings: readonly {
    severity: string;
    code: string;
    pe?: string;
    message: string;
    wayOut: string;
  }[];
}
async function check(
  file: string | Uint8Array,
  ...more: readonly string[]
): Promise<Check & { exit: number | null }> {
  const path = typeof file === 'string' ? file : folder.write('checked.der', file);
  const { code, json } = await runCli('profile', 'check', path, ...more, '--json');
  return { ...json<Check>(), exit: code };
}
const codes = ({ findings }: Check) => findings.map(({ severity, code }) => `${severity} ${code}`);

async function personalise(upp: string | Uint8Array, rows: string, ...more: readonly string[]) {
  const path = typeof upp === 'string' ? upp : folder.write('template.der', upp);
  return await runCli(
    ...['profile', 'personalise', '--template', path, '--rows', rows, '--out', out],
    ...['--profile-class', 'test', '--json', ...more],
  );
}
async function shown(file: string) {
  const { json } = await runCli('profile', 'show', file, '--json');
  return json<{
    parameters: Record<string, string[]>;
    files: { path: string }[];
    mandatoryServices: string[];
  }>();
}
const csv = (values: Record<string, string>) =>
  folder.write('rows.csv', `${Object.keys(values).join(',')}\n${Object.values(values).join(',')}\n`);
const ROW = { iccid: '8988211000000530009', imsi: '262011234567891' };

describe('1: what genericFileManagement makes is as good as what a file PE makes', () => {
  it('the reported package has no error, shows its IMSI and takes another', async () => {
    expect(await check(reported('usim-by-gfm.der'))).toMatchObject({ exit: 0, errors: 0, findings: [] });
    expect((await shown(reported('usim-by-gfm.der'))).parameters).toMatchObject({ acc: ['0001'] });
    expect((await personalise(reported('usim-by-gfm.der'), reported('usim-by-gfm.csv'))).code).toBe(0);
    expect((await shown(out)).parameters).toMatchObject({ imsi: [ROW.imsi], acc: ['0002'] });
  });
  it('DF.5GS with its files', async () => {
    const upp = instead(
      good.own,
      'df-5gs',
      0,
      gfm(9, [
        tlv(0x80, fromHex('7fd0')),
        create({ descriptor: '7821', fileId: '5fc0', arr: '01', pins: '01810a' }),
        create({ descriptor: '4121', fileId: '4f07', arr: '01', size: '40' }),
        fill('a0020000'),
        create({ descriptor: '4121', fileId: '4f0a', arr: '01', size: '04' }),
      ]),
    );
    expect((await check(upp)).findings).toEqual([]);
    expect((await personalise(upp, csv({ ...ROW, routingIndicator: '17', suci: 'a0020000' }))).code).toBe(0);
    expect((await shown(out)).parameters).toMatchObject({ routingIndicator: ['17'], suci: ['a0020000'] });
  });
  it('an ISIM', async () => {
    const upp = instead(
      good.own,
      'isim',
      0,
      gfm(11, [
        create({ descriptor: '7821', fileId: '7fb0', dfName: good.ISIM_AID, arr: '01', pins: '01810a' }),
        create({ descriptor: '4121', fileId: '6f02', arr: '01', size: '50' }),
        create({ descriptor: '42210050', fileId: '6f04', arr: '01', size: '50' }),
        create({ descriptor: '4121', fileId: '6f03', arr: '01', size: '50' }),
      ]),
    );
    expect((await check(upp)).findings).toEqual([]);
    expect((await personalise(upp, csv(ROW), '--derive-isim')).code).toBe(0);
    expect((await shown(out)).parameters.domain).toEqual(['ims.mnc001.mcc262.3gppnetwork.org']);
  });
  it('the MF with EF.ICCID', async () => {
    expect((await check(good.createdMf)).findings).toEqual([]);
    expect((await personalise(good.createdMf, csv(ROW))).code).toBe(0);
    expect((await shown(out)).parameters.iccid).toEqual([ROW.iccid, ROW.iccid]);
  });
  it('opt-usim and PINs behind an ADF that it makes', async () => {
    const upp = withAfter(
      good.createdUsim,
      'genericFileManagement',
      0,
      good.filePe('opt-usim', 61, ['ef-msisdn', { size: '18' }]),
    );
    expect((await check(upp)).findings).toEqual([]);
    expect((await personalise(upp, csv({ ...ROW, msisdn: '+4917279119183', pin2: '4711' }))).code).toBe(0);
    expect((await shown(out)).parameters.msisdn).toEqual(['+4917279119183']);
  });
});

describe('2: the current directory', () => {
  it.each(['gfm-implicit.der', 'gfm-path.der'])('%s', async (name) => {
    expect((await shown(reported(name))).files.map(({ path }) => path)).toContain('7F66/6F01');
    expect((await personalise(reported(name), reported('gfm-row.csv'))).code).toBe(0);
    const wrong = await personalise(reported(name), csv({ ...ROW, 'ef:6F01': 'aabbccdd' }));
    expect(wrong.code).toBe(1);
  });
  it('a path that leads nowhere is an error', async () => {
    const upp = good.withGfm([tlv(0x80, fromHex('7f67')), create({ ...good.AD, fileId: '6f01' })]);
    expect(codes(await check(upp))).toEqual(['error gfm-path-exists']);
  });
});

describe('9: what check must see', () => {
  it.each([
    ['mapping-source-unknown.der', 'error mapping-source-known', 1],
    ['two-usims-one-file-id.der', 'error adf-file-id-unique', 1],
    ['profile-type-latin1.der', 'error profile-type-utf8', 1],
    ['version-4.0.der', 'warning major-version-known', 0],
  ])('%s: %s', async (name, code, exit) => {
    const checked = await check(reported(name));
    expect(codes(checked)).toContain(code);
    expect(checked.exit).toBe(exit);
  });
  it('an NAA that comes later is no source of a mapping', async () => {
    const upp = instead(good.own, 'akaParameter', 0, good.mapping(8, good.ISIM_AID));
    expect(codes(await check(upp))).toContain('error mapping-source-known');
    const right = instead(good.own, 'akaParameter', 1, good.mapping(13, good.USIM_AID));
    expect((await check(right)).findings).toEqual([]);
  });
  it('a DF that has the file identifier of an ADF', async () => {
    const upp = good.withGfm([create({ ...good.DF, fileId: '7fd0' })]);
    expect(codes(await check(upp))).toEqual(['error adf-file-id-unique']);
  });
  it('other bad texts and versions', async () => {
    expect(codes(await check(good.withHeader(good.own, 0x82, fromHex('c328'))))).toEqual([
      'error profile-type-utf8',
    ]);
    expect(codes(await check(good.withHeader(good.own, 0x80, Buffer.of(0))))).toEqual([
      'warning major-version-known',
    ]);
  });
});

describe('10: the length of the MNC', () => {
  const metadata = reported('mnc-length-metadata.json');
  it('nothing is derived with a length that is not sure', async () => {
    const { code, json } = await personalise(template, reported('mnc-length.csv'), '--derive-isim');
    expect(code).toBe(1);
    expect(json<{ error: object }>().error).toMatchObject({ subjectIdentifier: 'row:1:mncLength' });
  });
  it('--mnc-length says it, and all agrees with the owner', async () => {
    const done = await personalise(
      template,
      reported('mnc-length.csv'),
      '--derive-isim',
      '--mnc-length',
      '3',
      '--metadata',
      metadata,
    );
    expect(done.code).toBe(0);
    expect((await shown(out)).parameters.domain).toEqual(['ims.mnc260.mcc310.3gppnetwork.org']);
    expect((await check(out, '--metadata', metadata)).findings).toEqual([]);
  });
  it('an owner that says something else is an error', async () => {
    expect((await personalise(template, reported('mnc-length.csv'))).code).toBe(0);
    const checked = await check(out, '--metadata', metadata);
    expect(checked.exit).toBe(1);
    expect(codes(checked)).toContain('error metadata-mnc-length');
    const refused = await personalise(
      template,
      reported('mnc-length.csv'),
      '--derive-isim',
      '--mnc-length',
      '2',
      '--metadata',
      metadata,
    );
    expect(refused.code).toBe(1);
  });
  it('an identity with another length is told', async () => {
    const domain = toHex(tlv(0x80, Buffer.from('ims.mnc026.mcc310.3gppnetwork.org')));
    const upp = withFile(
      withFile(
        withFile(good.own, 'usim', 'ef-imsi', undefined, '083901621032547698'),
        'usim',
        'ef-ad',
        { size: '04' },
        '00000003',
      ),
      'isim',
      'ef-domain',
      { size: '40' },
      domain,
    );
    expect(codes(await check(upp))).toEqual(['warning isim-identity-of-imsi']);
  });
});

describe('11: what is written holds the rules of check', () => {
  it('services follow the algorithm', async () => {
    expect((await personalise(template, reported('tuak.csv'))).code).toBe(0);
    expect((await shown(out)).mandatoryServices).toEqual(['usim', 'isim', 'tuak256']);
    expect((await check(out)).findings).toEqual([]);
  });
  it.each([
    ['TUAK with K of 16 octets', { algorithm: 'tuak', k: '00'.repeat(16), opc: '11'.repeat(32) }, 'tuak128'],
    ['TUAK with K of 32 octets', { algorithm: 'tuak', k: '00'.repeat(32), opc: '11'.repeat(32) }, 'tuak256'],
    [
      'the USIM test algorithm',
      { algorithm: 'usim-test-algorithm', k: '00'.repeat(16), opc: '11'.repeat(16) },
      'usim-test-algorithm',
    ],
  ])('%s', async (_, algorithm, service) => {
    expect((await personalise(template, csv({ ...ROW, ...algorithm }))).code).toBe(0);
    expect((await shown(out)).mandatoryServices.filter((name) => !/sim$/.test(name))).toEqual([service]);
    expect((await check(out)).findings).toEqual([]);
  });
  it.each<readonly [string, Record<string, string>, string]>([
    [
      'no IMSI in EF.IMSI',
      { iccid: ROW.iccid, acc: '0001', 'ef:usim/ef-imsi': 'ff'.repeat(9) },
      'imsi-coded',
    ],
    ['another ICCID in EF.ICCID of GFM', { iccid: ROW.iccid }, 'iccid-of-header-and-file'],
  ])('%s is refused, and written by force', async (_, row, rule) => {
    const second = create({ descriptor: '4121', fileId: '2fe2', arr: '01', size: '0a' });
    const upp = rule === 'imsi-coded' ? good.own : withAfter(good.own, 'telecom', 0, gfm(60, [second]));
    const { code, json } = await personalise(upp, csv(row));
    expect(code).toBe(1);
    expect(json<{ error: { subjectIdentifier: string } }>().error.subjectIdentifier).toBe(
      rule === 'imsi-coded' ? rule : 'file-created-once',
    );
    expect((await personalise(upp, csv(row), '--force')).code).toBe(0);
  });
});

describe('12: the ICCID of the header', () => {
  it('swapped nibbles are told as such', async () => {
    const { findings, exit } = await check(reported('header-iccid-swapped.der'));
    expect(exit).toBe(1);
    expect(findings[0]).toMatchObject({ code: 'header-iccid-swapped', pe: 'header' });
    expect(findings[0]?.message).toMatch(/iccid.*nibbles are swapped; only EF\.ICCID swaps them/);
  });
  it('also of 20 digits, and EF.ICCID that is not swapped', async () => {
    const twenty = (header: string, file: string) =>
      withFile(good.withHeader(good.own, 0x83, fromHex(header)), 'mf', 'ef-iccid', undefined, file);
    expect((await check(twenty('89001010000000000026', '98000101000000000062'))).findings).toEqual([]);
    expect(codes(await check(twenty('98000101000000000062', '98000101000000000062')))).toContain(
      'error header-iccid-swapped',
    );
    const { findings } = await check(twenty('89001010000000000026', '89001010000000000026'));
    expect(findings[0]).toMatchObject({
      code: 'iccid-of-header-and-file',
      message: expect.stringMatching(/must swap/),
    });
  });
  it('18 digits with their padding are an ICCID', async () => {
    const upp = withFile(
      good.withHeader(good.own, 0x83, fromHex('890010100000000000ff')),
      'mf',
      'ef-iccid',
      undefined,
      '980001010000000000ff',
    );
    expect((await check(upp)).findings).toEqual([]);
  });
  it('letters are refused with PE and offset', async () => {
    const { findings } = await check(good.withHeader(good.own, 0x83, fromHex('89001010000000000a1f')));
    expect(findings[0]).toMatchObject({ code: 'malformed', pe: 'header' });
  });
  it('metadata with 18 digits are not promised a Luhn digit', async () => {
    const metadata = JSON.parse(readFileSync(reported('mnc-length-metadata.json'), 'utf8')) as object;
    const short = folder.write('short.json', JSON.stringify({ ...metadata, iccid: '898821100000053000' }));
    const { code, json } = await runCli('profile', 'check', template, '--metadata', short, '--json');
    expect(code).toBe(1);
    expect(JSON.stringify(json())).toMatch(
      /Rows may give 18 digits, which get theirs; metadata and all else give it whole/,
    );
  });
});

describe('13: a member that stands twice', () => {
  it('in JSON lines is refused with row and member', async () => {
    const { code, json } = await personalise(template, reported('member-twice.jsonl'));
    expect(code).toBe(1);
    expect(json<{ error: object }>().error).toMatchObject({ subjectIdentifier: 'row:1:iccid' });
  });
  it.each([
    [
      'in the third row',
      '{"iccid":"8988211000000530009"}\n{"iccid":"8988211000000530017"}\n{"iccid":"8988211000000530025","\\u0069ccid":"8988211000000530033"}',
      'row:3:iccid',
    ],
    [
      'in an object of a value',
      '{"iccid":"8988211000000530009","suci":{"schemes":[{"id":0,"id":1,"keyIndex":0}],"keys":[]}}',
      'row:1:id',
    ],
  ])('%s', async (_, lines, where) => {
    const { code, json } = await personalise(template, folder.write('twice.jsonl', lines));
    expect(code).toBe(1);
    expect(json<{ error: object }>().error).toMatchObject({ subjectIdentifier: where });
  });
  it('in metadata is refused with line and member', async () => {
    const twice = folder.write(
      'twice.json',
      '{"iccid":"8900101000000000001",\n"profileName":"A","profileName":"B"}',
    );
    const { code, json } = await runCli('profile', 'check', template, '--metadata', twice, '--json');
    expect(code).not.toBe(0);
    expect(JSON.stringify(json())).toMatch(/profileName twice.*line 2/);
  });
});

it('check --rules lists every rule, and check counts those that held', async () => {
  const { json, code } = await runCli('profile', 'check', '--rules', '--json');
  expect(code).toBe(0);
  const { rules } = json<{ rules: { id: string; clause: string; level: string; wayOut: string }[] }>();
  expect(rules.length).toBeGreaterThan(160);
  expect(rules).toContainEqual(
    expect.objectContaining({ id: 'puk-placement', clause: '8.5.2', level: 'error' }),
  );
  const { stdout } = await runCli('profile', 'check', template);
  expect(stdout).toMatch(/nothing is wrong\n\n\d+ rules held, \d+ not applicable/);
});
