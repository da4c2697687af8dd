import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { toHex } from '../../../shared/codec/bytes.ts';
import { checkMetadata, metadataError } from '../../../shared/profile/package/checks/metadata.ts';
import { packageContents } from '../../../shared/profile/package/contents.ts';
import { diffPackages } from '../../../shared/profile/package/diff.ts';
import { fileSystemOf } from '../../../shared/profile/package/file-system.ts';
import { fileImage } from '../../../shared/profile/package/files.ts';
import type { ProfileValues } from '../../../shared/profile/package/parameter.ts';
import { compileTemplate, personalise } from '../../../shared/profile/package/personalise.ts';
import { decodePackage } from '../../../shared/profile/package/profile-element.ts';
import { validatePackage } from '../../../shared/profile/package/validate.ts';
import { create, fill, gfm, select, skip, withAfter, without } from './support/build.ts';
import { OPERATIONAL, ownTemplate } from './support/packages.ts';

const reported = (name: string) => readFileSync(new URL(`./reported/${name}`, import.meta.url));
const make = (upp: Uint8Array, values: ProfileValues) =>
  personalise(compileTemplate(upp, { profileClass: 'test', parameters: Object.keys(values) }), values);
/** What the installed file at this path holds. */
function contentAt(upp: Uint8Array, path: string): string {
  const found = fileSystemOf(decodePackage(upp)).files.filter((file) => file.path === path);
  expect(found).toHaveLength(1);
  return toHex(fileImage(found[0]!.view));
}
const gfmPaths = (upp: Uint8Array) =>
  packageContents(upp)
    .files.filter(({ pe }) => pe === 'genericFileManagement')
    .map(({ path }) => path);

const DF = { descriptor: '7821', arr: '01', pins: '01 81 0a' };
const EF = { descriptor: '4121', arr: '01', size: '04' };
const afterMf = (...lists: Uint8Array[][]) => withAfter(ownTemplate(), 'telecom', 0, gfm(60, ...lists));

describe('the current directory is that of a card (ETSI TS 102 222 section 6.3.2)', () => {
  it.each([
    ['createFCP of a DF enters it', [[create({ ...DF, fileId: '7f66' }), create({ ...EF, fileId: '6f01' })]]],
    [
      'and stays in it in the next list of commands',
      [[create({ ...DF, fileId: '7f66' })], [create({ ...EF, fileId: '6f01' })]],
    ],
    [
      'as a path does',
      [[create({ ...DF, fileId: '7f66' }), select('7f66'), create({ ...EF, fileId: '6f01' })]],
    ],
    [
      'a path may begin with the MF',
      [[create({ ...DF, fileId: '7f66' }), select('3f007f66'), create({ ...EF, fileId: '6f01' })]],
    ],
    [
      'a path to an EF leaves its directory current',
      [
        [
          create({ ...DF, fileId: '7f66' }),
          create({ ...EF, fileId: '6f02' }),
          select(''),
          select('7f666f02'),
          create({ ...EF, fileId: '6f01' }),
        ],
      ],
    ],
  ])('%s', (_, lists) => expect(gfmPaths(afterMf(...lists))).toContain('7F66/6F01'));

  it('an empty path is the MF, where every PE begins', () => {
    const both = [create({ ...DF, fileId: '7f66' }), select(''), create({ ...EF, fileId: '2f55' })];
    expect(gfmPaths(afterMf(both))).toEqual(['7F66', '2F55']);
    const again = withAfter(
      afterMf(both),
      'genericFileManagement',
      0,
      gfm(61, [create({ ...EF, fileId: '2f56' })]),
    );
    expect(gfmPaths(again)).toEqual(['7F66', '2F55', '2F56']);
  });

  it('a DF in a DF lies below it, and an ADF below the MF wherever it is made', () => {
    const upp = afterMf([
      create({ ...DF, fileId: '7f66' }),
      create({ ...DF, fileId: '5f01' }),
      create({ ...DF, fileId: '7fe0', dfName: 'A0000000871002FF49FF0589' }),
      create({ ...EF, fileId: '6f07' }),
      create({ ...DF, fileId: '5fc0' }),
      create({ ...EF, fileId: '4f0a' }),
      select('7fff'),
      create({ ...EF, fileId: '6f78' }),
    ]);
    expect(gfmPaths(upp)).toEqual([
      '7F66',
      '7F66/5F01',
      '7FE0',
      '7FE0/6F07',
      '7FE0/5FC0',
      '7FE0/5FC0/4F0A',
      '7FE0/6F78',
    ]);
  });
});

describe('content goes into the file that is current', () => {
  it('an EF of a file PE that a command selects is filled over what its PE gives', () => {
    const upp = withAfter(ownTemplate(), 'rfm', 0, gfm(60, [select('7fd06f07'), skip(2), fill('1011')]));
    expect(contentAt(upp, '7FD0/6F07')).toBe('080910111000000000');
    // who sets the IMSI sets all of it
    expect(contentAt(make(upp, { imsi: '262011234567891' }), '7FD0/6F07')).toBe('082926102143658719');
    expect(packageContents(make(upp, { imsi: '262011234567891' })).parameters.imsi).toEqual([
      '262011234567891',
    ]);
  });

  it('an EF that is selected again is filled from its beginning', () => {
    const upp = afterMf([
      create({ ...DF, fileId: '7f66' }),
      create({ ...EF, fileId: '6f01' }),
      fill('0102'),
      create({ ...EF, fileId: '6f02' }),
      fill('0a0b'),
      select('7f666f01'),
      fill('ff'),
      fill('ee'),
    ]);
    expect(contentAt(upp, '7F66/6F01')).toBe('ffeeffff');
    expect(contentAt(upp, '7F66/6F02')).toBe('0a0bffff');
    const made = make(upp, { 'ef:7F66/6F01': '04030201', 'ef:7F66/6F02': 'aa' });
    expect(contentAt(made, '7F66/6F01')).toBe('04030201');
    expect(contentAt(made, '7F66/6F02')).toBe('aaffffff');
  });

  it('records of one file are written one by one', () => {
    const upp = afterMf([
      create({ ...DF, fileId: '7f66' }),
      create({ descriptor: '42210004', arr: '01', size: '0c', fileId: '6f01' }),
      fill('000000000000000000000000'),
    ]);
    const made = make(upp, { 'ef:7F66/6F01#1': '01', 'ef:7F66/6F01#3': '03040506' });
    expect(contentAt(made, '7F66/6F01')).toBe('01ffffff0000000003040506');
  });

  it('a file without efFileSize gets the size of its content', () => {
    const upp = afterMf([create({ descriptor: '4121', arr: '01', fileId: '2f77' })]);
    const made = make(upp, { 'ef:2F77': '0102030405' });
    expect(packageContents(made).files.find(({ path }) => path === '2F77')?.size).toBe(5);
    expect(contentAt(made, '2F77')).toBe('0102030405');
  });
});

/** ADF and DF that genericFileManagement makes, with named parameters in them. */
const CREATED_USIM = [
  create({
    descriptor: '7821',
    fileId: '7fd0',
    dfName: 'A0000000871002FF34FF0789312E30FF',
    arr: '01',
    pins: '01810a',
  }),
  create({ descriptor: '4121', fileId: '6f07', arr: '01', size: '09' }),
  fill('080910101000000000'),
  create({ descriptor: '4121', fileId: '6f78', arr: '02', size: '02' }),
  fill('0001'),
  create({ descriptor: '4121', fileId: '6fad', arr: '04', size: '04' }),
  fill('00000002'),
  create({ descriptor: '4121', fileId: '6f46', arr: '04', size: '11' }),
  create({ descriptor: '42210028', fileId: '6f42', arr: '04', size: '28' }),
  create({ descriptor: '42210018', fileId: '6f40', arr: '04', size: '18' }),
  create({ descriptor: '7821', fileId: '5fc0', arr: '01', pins: '01810a' }),
  create({ descriptor: '4121', fileId: '4f07', arr: '01', size: '40' }),
  create({ descriptor: '4121', fileId: '4f0a', arr: '01', size: '04' }),
];

describe('what genericFileManagement makes is found by its place', () => {
  const upp = withAfter(
    without(ownTemplate(), 'usim', 'opt-usim', 'df-5gs', 'df-saip'),
    'telecom',
    0,
    gfm(60, CREATED_USIM),
  );
  const values = {
    imsi: '262011234567891',
    spn: 'Operator',
    smsc: '+491722270333',
    msisdn: '+4917279119183',
    suci: 'a0020000',
    routingIndicator: '17',
  };
  it('named parameters write and read it', () => {
    const { parameters } = packageContents(make(upp, values));
    for (const [name, value] of Object.entries(values)) expect(parameters[name]).toEqual([value]);
    expect(parameters.acc).toEqual(['0002']);
  });
  it('what is not there is refused with its place', () => {
    expect(() => make(upp, { gid1: '01' })).toThrowError(
      /genericFileManagement does not make ADF USIM\/6F3E/,
    );
  });
  it('a difference is told by the path of the file', () => {
    expect(diffPackages(upp, make(upp, { routingIndicator: '17' }))).toMatchObject([
      { pe: 'genericFileManagement', components: ['7FD0/5FC0/4F0A'] },
    ]);
  });
  it('an ADF of another application is no USIM', () => {
    const other = without(
      withAfter(
        ownTemplate(),
        'telecom',
        0,
        gfm(60, [
          create({ ...DF, fileId: '7fe0', dfName: 'A000000087100AFF49FF0589' }),
          create({ ...EF, size: '09', fileId: '6f07' }),
        ]),
      ),
      'usim',
      'opt-usim',
    );
    expect(() => make(other, { imsi: '262011234567891' })).toThrowError(/imsi/);
  });
});

it('an operational order of such a template is held against its metadata', () => {
  const template = compileTemplate(reported('usim-by-gfm.der'), {
    profileClass: 'operational',
    parameters: Object.keys(OPERATIONAL),
  });
  const upp = personalise(template, OPERATIONAL);
  const metadata = { iccid: String(OPERATIONAL.iccid), profileOwner: { mccMnc: '26201' } };
  expect(validatePackage(upp, metadata)).toEqual([]);
  const other = { ...metadata, profileOwner: { mccMnc: '26202' } };
  expect(validatePackage(upp, other).map(({ code }) => code)).toEqual(['metadata-owner']);
  // orders read the same by the places of the template
  const profile = decodePackage(upp);
  expect(checkMetadata(profile, metadata, template.places.in(profile))).toEqual([]);
  expect(checkMetadata(profile, other, template.places.in(profile))).toEqual(checkMetadata(profile, other));
  expect(metadataError(profile, metadata, template.places.in(profile))).toBeUndefined();
  expect(metadataError(profile, other, template.places.in(profile))).toEqual(
    checkMetadata(profile, other)[0],
  );
  // what is a warning is none, as a rule and as one breach of a rule
  const test = { ...metadata, profileClass: 'test' as const, profilePolicyRules: ['ppr1'] as const };
  expect(checkMetadata(profile, test).map(({ code, severity }) => [code, severity])).toEqual([
    ['metadata-policy-rules', 'warning'],
    ['metadata-test-key', 'warning'],
  ]);
  expect(metadataError(profile, test, template.places.in(profile))).toBeUndefined();
  const { imsi: _, ...withoutImsi } = OPERATIONAL;
  expect(() =>
    compileTemplate(reported('usim-by-gfm.der'), {
      profileClass: 'operational',
      parameters: Object.keys(withoutImsi),
    }),
  ).toThrowError(/imsi: the template leaves its IMSI/);
});

describe('packages of public reports', () => {
  it('a USIM by genericFileManagement takes its IMSI', () => {
    const { parameters } = packageContents(make(reported('usim-by-gfm.der'), { imsi: '262011234567891' }));
    expect(parameters).toMatchObject({ imsi: ['262011234567891'], acc: ['0002'] });
  });
  it.each(['gfm-implicit.der', 'gfm-path.der'])('%s: an EF in the DF made before', (name) => {
    expect(gfmPaths(reported(name))).toEqual(['7F66', '7F66/6F01']);
    const made = make(reported(name), { 'ef:7F66/6F01': 'a1a2a3a4' });
    expect(contentAt(made, '7F66/6F01')).toBe('a1a2a3a4');
    expect(() => make(reported(name), { 'ef:6F01': 'a1a2a3a4' })).toThrowError(/no file at this path/);
  });
});

/**
 * The SIMalliance sample profile, whose USIM is made by genericFileManagement, as far as a published trace holds it: its
 * first nine PEs (test/vectors/bsp-sequence-mode51.json), and an end.
 */
describe('the sample profile of the format itself', () => {
  const file = new URL('../../vectors/bsp-sequence-mode51.json', import.meta.url);
  const { steps } = JSON.parse(readFileSync(file, 'utf8')) as { steps: { tag: string; plaintext: string }[] };
  const trace = Buffer.from(
    steps.flatMap(({ tag, plaintext }) => (tag === '86' ? plaintext : [])).join(''),
    'hex',
  );
  const upp = Buffer.concat([trace.subarray(0, 1872), Buffer.from('aa07a005800081017f', 'hex')]);
  it('has no finding, and shows its subscriber', () => {
    expect(validatePackage(upp)).toEqual([]);
    expect(packageContents(upp).parameters).toMatchObject({
      imsi: ['234101943787656'],
      acc: ['0040'],
      spn: ['SIMalliance'],
    });
    expect(gfmPaths(upp)).toContain('7FF1/6F07');
  });
  it('takes a subscriber', () => {
    const made = make(upp, { imsi: '262011234567891', spn: 'Operator', smsc: '+491722270333' });
    expect(validatePackage(made)).toEqual([]);
    expect(packageContents(made).parameters).toMatchObject({ imsi: ['262011234567891'], spn: ['Operator'] });
  });
});
