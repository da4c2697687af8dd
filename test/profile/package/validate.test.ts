import { describe, expect, it } from 'vitest';
import { fromHex } from '../../../shared/codec/bytes.ts';
import { tlv } from '../../../shared/codec/tlv.ts';
import type { PackageMetadata } from '../../../shared/profile/package/checks/package-metadata.ts';
import { encodeFields, withField } from '../../../shared/profile/package/element.ts';
import { encodeFile } from '../../../shared/profile/package/file.ts';
import { fileTag } from '../../../shared/profile/package/file-pes.ts';
import { encodeHeader } from '../../../shared/profile/package/header.ts';
import { compileTemplate, personalise } from '../../../shared/profile/package/personalise.ts';
import {
  decodePackage,
  type PeName,
  type ProfileElement,
} from '../../../shared/profile/package/profile-element.ts';
import { checkProfile, validatePackage } from '../../../shared/profile/package/validate.ts';
import { tagOfPe } from './support/build.ts';
import { ownTemplate, TS48, TS48_ABSENT, TS48_PRESENT, ts48 } from './support/packages.ts';

const elements = decodePackage(ownTemplate()).elements;
const join = (list: readonly { readonly raw: Uint8Array }[]) => Buffer.concat(list.map(({ raw }) => raw));
const errorsOf = (upp: Uint8Array, metadata?: PackageMetadata) =>
  validatePackage(upp, metadata)
    .filter(({ severity }) => severity === 'error')
    .map(({ code }) => code);
const without = (name: PeName) => join(elements.filter((element) => element.name !== name));
const changed = (name: PeName, change: (element: ProfileElement) => Uint8Array) =>
  Buffer.concat(elements.map((element) => (element.name === name ? change(element) : element.raw)));
const withFile = (pe: PeName, file: string, content: Uint8Array) =>
  changed(pe, ({ tag, fields }) => {
    const component = fileTag(pe, file)!;
    return encodeFields(
      tag,
      withField(fields, component, encodeFile(component, [{ kind: 'fillFileContent', content }])),
    );
  });
const header = (change: Partial<Parameters<typeof encodeHeader>[0]>) =>
  changed('header', () =>
    encodeHeader({
      majorVersion: 2,
      minorVersion: 3,
      profileType: 'changed',
      iccid: '8900101000000000001',
      mandatoryServices: ['usim', 'isim', 'milenage'],
      mandatoryTemplates: [],
      ...change,
    }),
  );

describe('well-made packages have no errors', () => {
  it('our own template has not even a warning', () => expect(validatePackage(ownTemplate())).toEqual([]));
  for (const name of TS48) {
    it.skipIf(!TS48_PRESENT)(`${name}${TS48_PRESENT ? '' : ` (${TS48_ABSENT})`}`, () => {
      expect(validatePackage(ts48(name))).toEqual([]);
      expect(() => checkProfile(ts48(name))).not.toThrow();
    });
  }
});

describe('what is wrong with a package is found', () => {
  const [first, mf, puk, ...rest] = elements;
  const pe = (name: PeName) => elements.find((element) => element.name === name)!;
  const cases: readonly (readonly [string, () => Uint8Array, string])[] = [
    ['cut off', () => ownTemplate().subarray(0, -3), 'malformed'],
    ['header not first', () => join([mf!, first!, puk!, ...rest]), 'profile-header-first'],
    ['mf not second', () => join([first!, puk!, mf!, ...rest]), 'puk-placement'],
    ['end not last', () => join([...elements, pe('rfm')]), 'end-last'],
    ['no end', () => without('end'), 'end-once'],
    ['two mf', () => join([first!, mf!, mf!, puk!, ...rest]), 'mf-once'],
    ['an identification twice', () => join([first!, mf!, puk!, puk!, ...rest]), 'pe-identification-unique'],
    ['opt-usim before usim', () => join([first!, mf!, pe('opt-usim')]), 'opt-usim-after-usim'],
    ['akaParameter without NAA', () => join([first!, mf!, pe('akaParameter')]), 'aka-after-naa'],
    ['a USIM without akaParameter', () => without('akaParameter'), 'aka-present'],
    ['a service without its PE', () => header({ mandatoryServices: ['csim'] }), 'service-has-subject'],
    [
      'a service without its algorithm',
      () => header({ mandatoryServices: ['tuak128'] }),
      'algorithm-service-used',
    ],
    ['the service isim without an ISIM', () => without('isim'), 'service-has-subject'],
    [
      'no EF.UST',
      () =>
        changed('usim', ({ tag, fields }) =>
          encodeFields(tag, withField(fields, fileTag('usim', 'ef-ust')!, undefined)),
        ),
      'file-mandatory',
    ],
    ['content longer than its file', () => withFile('usim', 'ef-imsi', Buffer.alloc(10)), 'file-overflow'],
    [
      'another ICCID in the EF',
      () => withFile('mf', 'ef-iccid', fromHex('988812010000500380f2')),
      'iccid-of-header-and-file',
    ],
    ['an EF.IMSI without IMSI', () => withFile('usim', 'ef-imsi', Buffer.alloc(9, 0xff)), 'imsi-coded'],
    ['no PUK that a PIN refers to', () => without('pukCodes'), 'pin-puk-defined'],
    [
      'OPc of 15 octets',
      () =>
        changed('akaParameter', ({ tag, fields }) =>
          encodeFields(tag, [
            fields[0]!,
            {
              ...fields[1]!,
              raw: tlv(
                0xa1,
                tlv(
                  0xa1,
                  tlv(0x80, Buffer.of(1)),
                  tlv(0x81, Buffer.of(1)),
                  tlv(0x82, Buffer.alloc(16)),
                  tlv(0x83, Buffer.alloc(15)),
                ),
              ),
            },
          ]),
        ),
      'milenage-opc-length',
    ],
    [
      'a key twice',
      () =>
        changed('securityDomain', ({ tag, fields }) =>
          encodeFields(
            tag,
            fields.map((field) =>
              field.tag === 0xa2 ? { ...field, raw: tlv(0xa2, field.value, field.value) } : field,
            ),
          ),
        ),
      'sd-key-unique',
    ],
    [
      'records that do not fill the file',
      () =>
        changed('mf', ({ tag, fields }) =>
          encodeFields(
            tag,
            fields.map((field) =>
              field.tag === 0xa5
                ? {
                    ...field,
                    raw: tlv(0xa5, tlv(0xa1, tlv(0x82, fromHex('42210026')), tlv(0x80, Buffer.of(0x4d)))),
                  }
                : field,
            ),
          ),
        ),
      'file-whole-records',
    ],
  ];
  it.each(cases)('%s', (_, upp, code) => {
    expect(errorsOf(upp())).toContain(code);
    expect(() => checkProfile(upp())).toThrowError(expect.objectContaining({ code: 'profileInvalid' }));
  });

  it('warnings do not refuse a package', () => {
    const upp = withFile('usim', 'ef-acc', fromHex('8000'));
    expect(validatePackage(upp).map(({ code }) => code)).toEqual(['acc-one-class']);
    expect(() => checkProfile(upp)).not.toThrow();
  });

  it('a finding names the PE as an eUICC would', () => {
    const finding = validatePackage(withFile('usim', 'ef-imsi', Buffer.alloc(10))).find(
      ({ code }) => code === 'file-overflow',
    );
    expect(finding).toMatchObject({ pe: 'usim', identification: 5 });
  });
});

describe('what cannot be decoded is told with its PE', () => {
  const cases: readonly (readonly [PeName, Uint8Array])[] = [
    ['pinCodes', tlv(0xa1, tlv(0xa0, tlv(0x30, tlv(0x80, Buffer.of(1)))))],
    ['pukCodes', tlv(0xa1, tlv(0x30, tlv(0x80, Buffer.of(1))))],
    ['akaParameter', tlv(0xa1, tlv(0xa1, tlv(0x80, Buffer.of(9)), tlv(0x81, Buffer.of(1))))],
    ['securityDomain', tlv(0xa2, tlv(0x30, tlv(0x95, Buffer.of(1))))],
    ['genericFileManagement', tlv(0x82)],
  ];
  it.each(cases)('the PE %s', (name, component) => {
    const upp = Buffer.concat([
      ...elements.slice(0, -1).map(({ raw }) => raw),
      tlv(tagOfPe(name), tlv(0xa0, tlv(0x81, Buffer.of(99))), component),
      elements.at(-1)!.raw,
    ]);
    const finding = validatePackage(upp).find(({ malformed }) => malformed);
    expect(finding).toMatchObject({ severity: 'error', pe: name, identification: 99 });
  });
  it('the header', () => {
    const upp = changed('header', ({ tag, fields }) =>
      encodeFields(
        tag,
        fields.filter((field) => field.tag !== 0xa6),
      ),
    );
    expect(validatePackage(upp)[0]).toMatchObject({ malformed: true, pe: 'header', offset: 0 });
  });
});

describe('metadata agrees with the files of the package', { tags: ['ES8-METADATA'] }, () => {
  const row = { iccid: '8988211000000530082', imsi: '262011234567891', gid1: 'AB' };
  const upp = personalise(
    compileTemplate(ownTemplate(), { profileClass: 'test', parameters: Object.keys(row) }),
    row,
  );
  const good: PackageMetadata = {
    iccid: row.iccid,
    serviceProviderName: 'Operator',
    profileName: 'Profile',
    profileOwner: { mccMnc: '26201', gid1: fromHex('ab') },
    profilePolicyRules: ['ppr1'],
  };
  it('that of the own template does', () => expect(errorsOf(upp, good)).toEqual([]));
  const { profileOwner: _, ...unowned } = good;
  const cases: readonly (readonly [string, PackageMetadata, string])[] = [
    ['another ICCID', { ...good, iccid: '8988211000000530090' }, 'metadata-iccid'],
    ['another network', { ...good, profileOwner: { mccMnc: '26202' } }, 'metadata-owner'],
    ['another GID1', { ...good, profileOwner: { mccMnc: '26201', gid1: fromHex('ac') } }, 'metadata-owner'],
    [
      'a GID2 that is not in the EF',
      { ...good, profileOwner: { mccMnc: '26201', gid2: fromHex('01') } },
      'metadata-owner',
    ],
    ['policy rules without an owner', unowned, 'metadata-policy-rules'],
    ['an empty profile name', { ...good, profileName: '' }, 'metadata-name'],
    ['an empty provider name', { ...good, serviceProviderName: '' }, 'metadata-name'],
  ];
  it.each(cases)('metadata of %s is found', (_name, metadata, code) => {
    expect(errorsOf(upp, metadata)).toEqual([code]);
    expect(() => checkProfile(upp, metadata)).toThrowError(
      expect.objectContaining({ code: 'metadataInvalid' }),
    );
  });
  it('an owner without an EF.IMSI is found', () => {
    const iccid = '8900101000000000001';
    const unknown = withFile('usim', 'ef-imsi', Buffer.alloc(9, 0xff));
    expect(errorsOf(unknown, { iccid, profileOwner: { mccMnc: '26201' } })).toContain('metadata-owner-imsi');
  });
  it('policy rules in a test profile are worth a warning', () => {
    const codes = validatePackage(upp, { ...good, profileClass: 'test' }).map(({ severity, code }) => [
      severity,
      code,
    ]);
    expect(codes).toContainEqual(['warning', 'metadata-policy-rules']);
  });
});
