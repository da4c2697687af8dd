import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { equal, fromHex, toHex } from '../../../shared/codec/bytes.ts';
import { integerValue, type Tlv, tlv } from '../../../shared/codec/tlv.ts';
import { packageContents } from '../../../shared/profile/package/contents.ts';
import { diffPackages } from '../../../shared/profile/package/diff.ts';
import { children } from '../../../shared/profile/package/element.ts';
import { compileTemplate, personalise } from '../../../shared/profile/package/personalise.ts';
import { decodePackage, encodePackage } from '../../../shared/profile/package/profile-element.ts';
import { keyList } from '../../../shared/profile/package/security-domain.ts';
import { uppSummary } from '../../../shared/profile/package/summary.ts';
import { validatePackage } from '../../../shared/profile/package/validate.ts';
import { withFile } from './support/build.ts';
import { OPERATIONAL, ownTemplate } from './support/packages.ts';

/** PEs that a package of another maker or a later version may hold and that we do not read. */
const FOREIGN: readonly (readonly [string, Uint8Array])[] = [
  ['a tag kept for later use', pe(0xac, 901, tlv(0x81, fromHex('010203')))],
  ['the last tag kept for later use', pe(0xaf, 902, tlv(0xa1, tlv(0x30, tlv(0x04))))],
  ['a tag beyond the last one published', pe(0xbf23, 903, tlv(0x81, fromHex('00')))],
  ['a tag of three octets', pe(0xbf8100, 904)],
  ['nonStandard', pe(0xa9, 905, tlv(0x81, fromHex('2b0601')), tlv(0x82, randomBytes(300)))],
  ['an application with a load block of 200 kB', pe(0xa8, 906, tlv(0xa1, tlv(0xc4, randomBytes(200_000))))],
  ['an akaParameter that maps another NAA', pe(0xa4, 907, tlv(0xa1, tlv(0xa0, tlv(0x80, Buffer.of(0)))))],
];

function pe(tag: number, identification: number, ...components: Uint8Array[]): Uint8Array {
  return tlv(tag, tlv(0xa0, tlv(0x81, integerValue(identification))), ...components);
}

/** Our own template with more PEs before its end. */
function templateWith(...more: readonly Uint8Array[]): Uint8Array {
  const raw = decodePackage(ownTemplate()).elements.map((element) => element.raw);
  return Buffer.concat([...raw.slice(0, -1), ...more, raw.at(-1)!]);
}

/** Our own template with the PE usim made of other components. */
function templateWithUsim(change: (fields: readonly Tlv[]) => readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(
    decodePackage(ownTemplate()).elements.map(({ name, tag, fields, raw }) =>
      name === 'usim' ? tlv(tag, ...change(fields)) : raw,
    ),
  );
}

const compile = (upp: Uint8Array) =>
  compileTemplate(upp, { profileClass: 'operational', parameters: Object.keys(OPERATIONAL) });
const codes = (upp: Uint8Array) => validatePackage(upp).map(({ code }) => code);
const errors = (upp: Uint8Array) =>
  validatePackage(upp)
    .filter(({ severity }) => severity === 'error')
    .map(({ code }) => code);

describe('what we do not read is carried as it came', () => {
  it.each(FOREIGN)('%s', (_, foreign) => {
    const upp = templateWith(foreign);
    expect(equal(encodePackage(decodePackage(upp)), upp)).toBe(true);
    // a second akaParameter leaves open which one the NAA uses; all else has nothing against the PE
    expect(errors(upp)).toEqual(foreign[0] === 0xa4 ? ['aka-once-per-naa'] : []);
    expect(uppSummary(upp).elements).toHaveLength(decodePackage(ownTemplate()).elements.length + 1);
    expect(packageContents(upp)).toEqual(packageContents(ownTemplate()));
    expect(diffPackages(ownTemplate(), upp).map(({ change }) => change)).toEqual(['added']);
    const made = decodePackage(personalise(compile(upp), OPERATIONAL)).elements.at(-2)!;
    expect(equal(made.raw, foreign)).toBe(true);
  });

  it('and told where no published version names its tag', () => {
    const upp = templateWith(...FOREIGN.map(([, foreign]) => foreign));
    expect(codes(upp).filter((code) => code === 'pe-known')).toHaveLength(4);
    expect(validatePackage(upp).map(({ message }) => message)).toContain(
      'no published version names a PE with the tag BF23',
    );
  });
});

describe('encodings that are not DER', () => {
  const long = (raw: Uint8Array, headerOctets: number, length: Uint8Array, tail = Buffer.alloc(0)) =>
    Buffer.concat([raw.subarray(0, 1), length, raw.subarray(headerOctets), tail]);
  const component = (change: (field: Tlv) => Uint8Array) =>
    templateWithUsim((fields) => fields.map((field) => (field.tag === 0xb2 ? change(field) : field.raw)));
  const header = (field: Tlv) => field.raw.length - field.value.length;

  it('are refused in PEs and their components: lengths that are longer than needed, or indefinite', () => {
    const cases = [
      component((field) => long(field.raw, header(field), fromHex(`8200${hexLength(field.value)}`))),
      component((field) => long(field.raw, header(field), fromHex('80'), Buffer.alloc(2))),
    ];
    for (const upp of cases) {
      expect(() => decodePackage(upp)).toThrowError(expect.objectContaining({ code: 'profileInvalid' }));
      expect(errors(upp)).toEqual(['malformed']);
    }
  });

  it('inside a file are found, and copied only where nothing reads the file', () => {
    const upp = component(() => tlv(0xb2, fromHex('8381020001')));
    expect(equal(encodePackage(decodePackage(upp)), upp)).toBe(true);
    expect(errors(upp)).toContain('malformed');
    expect(() => compile(upp)).toThrowError(expect.objectContaining({ code: 'profileInvalid' }));
  });
});

const hexLength = (value: Uint8Array) => value.length.toString(16).padStart(2, '0');

describe('efFileSize', () => {
  /** EF.ACC with a size of its own. */
  const sized = (size: string, descriptor?: string) =>
    templateWithUsim((fields) =>
      fields.map((field) =>
        field.tag === 0xb2
          ? tlv(
              0xb2,
              tlv(
                0xa1,
                descriptor === undefined ? undefined : tlv(0x82, fromHex(descriptor)),
                tlv(0x80, fromHex(size)),
              ),
            )
          : field.raw,
      ),
    );
  it.each(['02', '0002', '000002', '00000002'])('of %s is two octets', (size) => {
    const upp = sized(size);
    expect(errors(upp)).toEqual([]);
    expect(packageContents(upp).files.find(({ name }) => name === 'ef-acc')?.size).toBe(2);
    personalise(compile(upp), OPERATIONAL);
  });
  it.each(['', '0000000002', '01000000', 'ffffffff'])('of %s is refused', (size) => {
    const upp = sized(size);
    expect(errors(upp)).toContain('malformed');
    expect(() => compile(upp)).toThrowError(expect.objectContaining({ code: 'profileInvalid' }));
  });
  it('has no more records than a record number can name (ETSI TS 102 221)', () => {
    expect(errors(sized('00ff', '42210001'))).toContain('file-max-records');
    expect(errors(sized('00fe', '42210001'))).not.toContain('file-max-records');
  });
});

describe('several of a kind', () => {
  const elements = () => decodePackage(ownTemplate()).elements;
  const again = (name: string, identification: number) => {
    const { tag, fields } = elements().find((element) => element.name === name)!;
    return tlv(
      tag,
      tlv(0xa0, tlv(0x81, integerValue(identification))),
      ...fields.slice(1).map(({ raw }) => raw),
    );
  };
  it('two USIMs are shown and checked, and not personalised for one subscription', () => {
    const adf = { fileId: '7fd9', dfName: 'A0000000871002FF34FF0789312E3111', pins: '01 0a' };
    const second = withFile(again('usim', 910), 'usim', 'adf-usim', adf);
    const upp = templateWith(second, again('akaParameter', 911));
    expect(errors(upp)).toEqual([]);
    expect(packageContents(upp).parameters.imsi).toHaveLength(2);
    expect(() => compile(upp)).toThrowError(expect.objectContaining({ subjectIdentifier: 'imsi' }));
  });
  it('two security domains have AIDs and keys of their own', () => {
    expect(errors(templateWith(again('securityDomain', 912)))).toEqual(['sd-aid-unique']);
    const { tag, fields } = elements().find(({ name }) => name === 'securityDomain')!;
    const other = 'A00000015153504341';
    const supplementary = tlv(
      tag,
      tlv(0xa0, tlv(0x81, integerValue(912))),
      ...fields.slice(1).map((field) => (field.tag === 0xa1 ? withAid(field, other) : field.raw)),
    );
    const upp = templateWith(supplementary);
    expect(errors(upp)).toEqual([]);
    expect(() => compile(upp)).toThrowError(/key 1 of version 01 in A00000015153504341/);
    const keys = ['enc', 'mac', 'dek'].map((key, i) => [`scp80.01.${key}@${other}`, `${i}d`.repeat(16)]);
    const row = { ...OPERATIONAL, ...Object.fromEntries(keys) };
    const template = compileTemplate(upp, { profileClass: 'operational', parameters: Object.keys(row) });
    const [first, second] = decodePackage(personalise(template, row)).elements.filter(
      ({ name }) => name === 'securityDomain',
    );
    for (const [domain, enc] of [
      [first!, String(OPERATIONAL['scp80.01.enc'])],
      [second!, '0d'.repeat(16)],
    ] as const)
      expect(keyList(domain.fields).map(({ keyComponents }) => toHex(keyComponents[0]!.keyData))).toContain(
        enc,
      );
  });

  /** An ApplicationInstance whose instanceAID, the third of its AIDs, is another. */
  function withAid(field: Tlv, aid: string): Uint8Array {
    let nth = 0;
    return tlv(
      field.tag,
      ...children(field).map((part) =>
        part.tag === 0x4f && ++nth === 3 ? tlv(0x4f, fromHex(aid)) : part.raw,
      ),
    );
  }
});
