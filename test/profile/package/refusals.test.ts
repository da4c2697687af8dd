import { describe, expect, it } from 'vitest';
import { fromHex } from '../../../shared/codec/bytes.ts';
import { tlv } from '../../../shared/codec/tlv.ts';
import { Refusal } from '../../../shared/errors.ts';
import { encodeFields } from '../../../shared/profile/package/element.ts';
import type { ProfileValues } from '../../../shared/profile/package/parameter.ts';
import {
  compileTemplate,
  personalise,
  type TemplateOptions,
} from '../../../shared/profile/package/personalise.ts';
import {
  decodePackage,
  type PeName,
  type ProfileElement,
} from '../../../shared/profile/package/profile-element.ts';
import { OPERATIONAL, ownTemplate, TS48_ABSENT, TS48_PRESENT, ts48, without } from './support/packages.ts';

function refusalOf(run: () => unknown): { code: string; parameter: string | undefined; message: string } {
  try {
    run();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { code: error.code, parameter: error.subjectIdentifier, message: error.message };
  }
  throw new Error('nothing was refused');
}

/** Our own template without PEs of these kinds. */
function templateWithout(...names: readonly PeName[]): Uint8Array {
  return rebuilt((element) => (names.includes(element.name) ? undefined : element.raw));
}

function rebuilt(change: (element: ProfileElement) => Uint8Array | undefined): Uint8Array {
  return Buffer.concat(decodePackage(ownTemplate()).elements.flatMap((element) => change(element) ?? []));
}

function templateWithUsim(change: (element: ProfileElement) => Uint8Array): Uint8Array {
  return rebuilt((element) => (element.name === 'usim' ? change(element) : element.raw));
}

describe('a bad row is refused with its column and never its value', () => {
  const rows: readonly (readonly [string, ProfileValues, string])[] = [
    ['iccid: 17 digits', { iccid: '89882110000005300' }, 'iccidInvalid'],
    ['iccid: a wrong Luhn digit', { iccid: '89882110000005300812' }, 'iccidInvalid'],
    ['iccid: letters', { iccid: '89882110000005300X' }, 'iccidInvalid'],
    ['imsi: 16 digits', { imsi: '2620112345678912' }, 'imsi'],
    ['imsi: 5 digits', { imsi: '26201' }, 'imsi'],
    ['imsi: not digits', { imsi: '26201123456789a' }, 'imsi'],
    ['acc: three octets', { acc: '010203' }, 'acc'],
    ['k: 15 octets', { k: '5b'.repeat(15) }, 'k'],
    ['k: an odd number of digits', { k: '5b5' }, 'k'],
    ['k: not hexadecimal', { k: 'zz'.repeat(16) }, 'k'],
    ['k: 32 octets for MILENAGE', { k: '5b'.repeat(32) }, 'k'],
    ['opc: 32 octets for MILENAGE', { opc: '5b'.repeat(32) }, 'opc'],
    ['opc: 16 octets for TUAK', { algorithm: 'tuak', opc: '5b'.repeat(16) }, 'opc'],
    ['op: 32 octets for MILENAGE', { op: '5b'.repeat(32) }, 'op'],
    ['op: with the USIM test algorithm', { algorithm: 'usim-test-algorithm', op: '5b'.repeat(16) }, 'op'],
    ['algorithm: an unknown name', { algorithm: 'comp128' }, 'algorithm'],
    ['algorithmOptions: two octets', { algorithmOptions: '0102' }, 'algorithmOptions'],
    ['rotationConstants: above 127', { rotationConstants: '8000204060' }, 'rotationConstants'],
    ['xoringConstants: 79 octets', { xoringConstants: '00'.repeat(79) }, 'xoringConstants'],
    ['numberOfKeccak: 0', { numberOfKeccak: '0' }, 'numberOfKeccak'],
    ['numberOfKeccak: 256', { numberOfKeccak: '256' }, 'numberOfKeccak'],
    ['sqnDelta: above 07FFFFFFFFFF', { sqnDelta: '080000000000' }, 'sqnDelta'],
    ['sqnInit: 31 values', { sqnInit: Array.from({ length: 31 }, () => '000000000001') }, 'sqnInit'],
    ['pin1: 3 digits', { pin1: '123' }, 'pin1'],
    ['pin1: 9 digits', { pin1: '123456789' }, 'pin1'],
    ['pin2: letters', { pin2: '12a4' }, 'pin2'],
    ['puk1: 7 digits', { puk1: '1234567' }, 'puk1'],
    ['adm1: empty', { adm1: '' }, 'adm1'],
    ['msisdn: 21 digits', { msisdn: '+491727911918312345678' }, 'msisdn'],
    ['msisdn: a sign inside', { msisdn: '49+17' }, 'msisdn'],
    ['smsc: not digits', { smsc: 'smsc' }, 'smsc'],
    ['spn: 17 octets', { spn: 'An Operator Name!' }, 'spn'],
    ['spn: UCS-2 that is too long', { spn: 'ЖЖЖЖЖЖЖЖ' }, 'spn'],
    ['gid1: nine octets', { gid1: '00'.repeat(9) }, 'gid1'],
    ['fplmn: five entries', { fplmn: '26201;26202;26203;26204;26205' }, 'fplmn'],
    ['fplmn: four digits', { fplmn: '2620' }, 'fplmn'],
    ['oplmnwact: three digits of technology', { oplmnwact: '26201:C08' }, 'oplmnwact'],
    ['routingIndicator: 5 digits', { routingIndicator: '12345' }, 'routingIndicator'],
    ['suci: no scheme', { suci: { schemes: [], keys: [] } }, 'suci'],
    ['suci: a key that is not there', { suci: { schemes: [{ id: 1, keyIndex: 1 }], keys: [] } }, 'suci'],
    [
      'suci: a key of the wrong length',
      { suci: { schemes: [{ id: 1, keyIndex: 1 }], keys: [{ id: 1, key: Buffer.alloc(31) }] } },
      'suci',
    ],
    ['suci: the null scheme with a key', { suci: { schemes: [{ id: 0, keyIndex: 1 }], keys: [] } }, 'suci'],
    ['suci: octets that are no list', { suci: 'a1020000' }, 'suci'],
    [
      'suciOnCard: more than the file holds',
      {
        suciOnCard: {
          schemes: [{ id: 0, keyIndex: 0 }],
          keys: [1, 2, 3].map((id) => ({ id, key: Buffer.alloc(65, id) })),
        },
      },
      'suciOnCard',
    ],
    ['impi: white space', { impi: 'a b@c' }, 'impi'],
    ['impi: more than the file holds', { impi: 'a'.repeat(100) }, 'impi'],
    ['impu: more than a record holds', { impu: `sip:${'a'.repeat(90)}` }, 'impu'],
    ['impu: more than there are records', { impu: 'sip:a;sip:b;sip:c;sip:d' }, 'impu'],
    ['scp80.01.enc: 15 octets', { 'scp80.01.enc': '5b'.repeat(15) }, 'scp80.01.enc'],
    ['scp80.05.enc:des: 32 octets', { 'scp80.05.enc:des': '5b'.repeat(32) }, 'scp80.05.enc:des'],
    ['ef: more than the file holds', { 'ef:usim/ef-loci': '00'.repeat(12) }, 'ef:usim/ef-loci'],
    ['ef: more than the record holds', { 'ef:mf/ef-arr#1': '00'.repeat(34) }, 'ef:mf/ef-arr#1'],
    ['ef: not hexadecimal', { 'ef:usim/ef-loci': '0' }, 'ef:usim/ef-loci'],
  ];
  it.each(rows)('%s', (_, values, expected) => {
    const template = compileTemplate(ownTemplate(), {
      profileClass: 'test',
      parameters: Object.keys(values),
    });
    const { code, parameter, message } = refusalOf(() => personalise(template, values));
    if (expected === 'iccidInvalid') expect(code).toBe('iccidInvalid');
    else {
      expect({ code, parameter }).toEqual({ code: 'personalisationInvalid', parameter: expected });
      const [value] = Object.values(values);
      if (typeof value === 'string' && value.length > 4) expect(message).not.toContain(value);
    }
  });
  it('the rows here are at least forty', () => expect(rows.length).toBeGreaterThanOrEqual(40));

  it('a row lacks a column, or has one too many', () => {
    const template = compileTemplate(ownTemplate(), { profileClass: 'test', parameters: ['iccid', 'imsi'] });
    const iccid = '8988211000000530082';
    expect(refusalOf(() => personalise(template, { iccid })).parameter).toBe('imsi');
    expect(
      refusalOf(() => personalise(template, { iccid, imsi: '262011234567891', spn: 'x' })).parameter,
    ).toBe('spn');
  });
});

describe('a bad template is refused before the first row', () => {
  const test = (...parameters: string[]): TemplateOptions => ({ profileClass: 'test', parameters });
  const cases: readonly (readonly [string, () => Uint8Array, TemplateOptions, string, string | undefined])[] =
    [
      ['empty', () => Buffer.alloc(0), test('iccid'), 'profileInvalid', undefined],
      ['cut off', () => ownTemplate().subarray(0, 2000), test('iccid'), 'profileInvalid', undefined],
      ['no header', () => templateWithout('header'), test('iccid'), 'profileInvalid', undefined],
      ['no mf', () => templateWithout('mf'), test('iccid'), 'personalisationInvalid', 'iccid'],
      ['no usim', () => templateWithout('usim'), test('imsi'), 'personalisationInvalid', 'imsi'],
      ['no akaParameter', () => templateWithout('akaParameter'), test('k'), 'personalisationInvalid', 'k'],
      ['no opt-usim', () => templateWithout('opt-usim'), test('msisdn'), 'personalisationInvalid', 'msisdn'],
      ['no df-5gs', () => templateWithout('df-5gs'), test('suci'), 'personalisationInvalid', 'suci'],
      ['no isim', () => templateWithout('isim'), test('impi'), 'personalisationInvalid', 'impi'],
      ['no pinCodes', () => templateWithout('pinCodes'), test('pin1'), 'personalisationInvalid', 'pin1'],
      ['no pukCodes', () => templateWithout('pukCodes'), test('puk1'), 'personalisationInvalid', 'puk1'],
      ['no second ADM', ownTemplate, test('adm2'), 'personalisationInvalid', 'adm2'],
      [
        'no security domain',
        () => templateWithout('securityDomain'),
        test('scp80.01.enc'),
        'personalisationInvalid',
        'scp80.01.enc',
      ],
      [
        'no such security domain',
        ownTemplate,
        test('scp80.01.enc@A000000151000001'),
        'personalisationInvalid',
        'scp80.01.enc@A000000151000001',
      ],
      [
        'two USIMs',
        () => templateWithUsim((usim) => Buffer.concat([usim.raw, usim.raw])),
        test('imsi'),
        'personalisationInvalid',
        'imsi',
      ],
      [
        'a file that is a link',
        () =>
          templateWithUsim((usim) =>
            encodeFields(
              usim.tag,
              usim.fields.map((field) =>
                field.tag === 0xb2
                  ? { ...field, raw: tlv(0xb2, tlv(0xa1, tlv(0xc7, fromHex('7fd06f7e')))) }
                  : field,
              ),
            ),
          ),
        test('acc'),
        'personalisationInvalid',
        'acc',
      ],
      [
        'a file that is not created',
        () =>
          templateWithUsim((usim) =>
            encodeFields(
              usim.tag,
              usim.fields.map((field) =>
                field.tag === 0xb3 ? { ...field, raw: tlv(0xb3, tlv(0x80)) } : field,
              ),
            ),
          ),
        test('fplmn'),
        'personalisationInvalid',
        'fplmn',
      ],
      ['a parameter that does not exist', ownTemplate, test('colour'), 'personalisationInvalid', 'colour'],
      ['a parameter given twice', ownTemplate, test('k', 'k'), 'personalisationInvalid', 'k'],
      ['OPc and OP', ownTemplate, test('opc', 'op'), 'personalisationInvalid', 'op'],
      [
        'a file and one of its records',
        ownTemplate,
        test('ef:mf/ef-arr', 'ef:mf/ef-arr#1'),
        'personalisationInvalid',
        'ef:mf/ef-arr#1',
      ],
      [
        'a file under two names',
        ownTemplate,
        test('ef:usim/ef-imsi', 'imsi'),
        'personalisationInvalid',
        'ef:usim/ef-imsi',
      ],
      [
        'a file that is not there',
        ownTemplate,
        test('ef:7FD0/6FFF'),
        'personalisationInvalid',
        'ef:7FD0/6FFF',
      ],
      ['a directory', ownTemplate, test('ef:usim/adf-usim'), 'personalisationInvalid', 'ef:usim/adf-usim'],
      [
        'a file that no PE has',
        ownTemplate,
        test('ef:usim/ef-foo'),
        'personalisationInvalid',
        'ef:usim/ef-foo',
      ],
      [
        'a record of a file without',
        ownTemplate,
        test('ef:usim/ef-loci#1'),
        'personalisationInvalid',
        'ef:usim/ef-loci#1',
      ],
      [
        'a record past the end',
        ownTemplate,
        test('ef:mf/ef-arr#15'),
        'personalisationInvalid',
        'ef:mf/ef-arr#15',
      ],
      [
        'a key version of another protocol',
        ownTemplate,
        test('scp80.30.enc'),
        'personalisationInvalid',
        'scp80.30.enc',
      ],
      [
        'a key that the protocol has not',
        ownTemplate,
        test('scp03.30.psk'),
        'personalisationInvalid',
        'scp03.30.psk',
      ],
      ['DES for SCP03', ownTemplate, test('scp03.30.enc:des'), 'personalisationInvalid', 'scp03.30.enc:des'],
    ];
  it.each(cases)('%s', (_, upp, options, code, parameter) => {
    const refusal = refusalOf(() => compileTemplate(upp(), options));
    expect(refusal.code).toBe(code);
    if (parameter !== undefined) expect(refusal.parameter).toBe(parameter);
  });
});

describe('a profile for a real network keeps no key of its template', { tags: ['INO6'] }, () => {
  const compile = (values: ProfileValues, upp = ownTemplate()) =>
    compileTemplate(upp, { profileClass: 'operational', parameters: Object.keys(values) });

  it('with every key set it is made', () => {
    expect(personalise(compile(OPERATIONAL), OPERATIONAL).length).toBeGreaterThan(3000);
  });
  it.each(Object.keys(OPERATIONAL))('%s is not left out', (name) => {
    const { code, parameter } = refusalOf(() => compile(without(OPERATIONAL, name)));
    expect(code).toBe('personalisationInvalid');
    expect(parameter).toBe(name.startsWith('scp') ? 'securityDomain' : name);
  });
  it.each([
    ['the key of the template', '00'.repeat(16)],
    ['the well-known key', '000102030405060708090a0b0c0d0e0f'],
    ['one octet over and over', 'ab'.repeat(16)],
  ])('K is not %s', (_, k) => {
    const refusal = refusalOf(() => personalise(compile(OPERATIONAL), { ...OPERATIONAL, k }));
    expect(refusal).toMatchObject({ code: 'personalisationInvalid', parameter: 'k' });
  });
  it('the USIM test algorithm is for test profiles', () => {
    const values = { ...OPERATIONAL, algorithm: 'usim-test-algorithm' };
    expect(refusalOf(() => personalise(compile(values), values))).toMatchObject({
      code: 'personalisationInvalid',
      parameter: 'algorithm',
    });
  });
  it.skipIf(!TS48_PRESENT)(
    `TS.48 with its CDMA key is a test profile${TS48_PRESENT ? '' : ` (${TS48_ABSENT})`}`,
    () => {
      const keys = ['enc', 'mac', 'dek'].map((key) => [
        `scp80.02.${key}`,
        'd0d1d2d3d4d5d6d7d8d9dadbdcdddedf',
      ]);
      const values = { ...OPERATIONAL, adm2: '27182818', ...Object.fromEntries(keys) };
      expect(refusalOf(() => compile(values, ts48('TS48v1_A.der'))).parameter).toBe('cdmaParameter');
    },
  );
});
