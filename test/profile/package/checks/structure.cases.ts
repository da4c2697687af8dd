import { fromHex } from '../../../../shared/codec/bytes.ts';
import { tlv } from '../../../../shared/codec/tlv.ts';
import {
  create,
  gfm,
  instead,
  pe,
  rebuilt,
  select,
  tagOfPe,
  withAfter,
  withBefore,
  withFile,
  without,
} from '../support/build.ts';
import * as good from '../support/good-packages.ts';
import { beforeEnd, type Case, EF, mfPins, usimFile } from './cases.ts';

const { DF, own, csim, iot, again, raw, filePe, puks, aka, withGfm, withHeader, PIN } = good;

const ENCODING: readonly Case[] = [
  ['pe-identification-present', () => beforeEnd(tlv(tagOfPe('nonStandard'), tlv(0xa0, tlv(0x80))))],
  ['descriptor-length', () => usimFile('ef-acc', { descriptor: '412100' }, '0001')],
  ['one-fill-pattern', () => usimFile('ef-acc', { info: 'c101ff c201ff' }, '0001')],
];

const HEADER: readonly Case[] = [
  ['profile-header-once', () => withAfter(own, 'header', 0, raw('header')), []],
  // nothing that the header says is read then
  [
    'profile-header-first',
    () =>
      rebuilt(own, ({ name, raw: octets }) =>
        name === 'header' ? undefined : name === 'mf' ? [octets, raw('header')] : octets,
      ),
    ['malformed', 'puk-placement'],
  ],
  ['pe-identification-unique', () => beforeEnd(pe('nonStandard', 1))],
  ['major-version-known', () => withHeader(own, 0x80, Buffer.of(4))],
  ['profile-type-utf8', () => withHeader(own, 0x82, Buffer.from('Profil für Geräte', 'latin1'))],
  ['header-iccid-swapped', () => withHeader(own, 0x83, fromHex('980001010000000000f1'))],
  ['iot-iccid-padding', () => withHeader(iot, 0x83, fromHex('8900101000000000f001'))],
  ['full-iccid-padding', () => withHeader(own, 0x83, fromHex('8900101f000000000001'))],
  [
    'iccid-luhn',
    () =>
      withFile(
        withHeader(own, 0x83, fromHex('8900101000000000002f')),
        'mf',
        'ef-iccid',
        undefined,
        '980001010000000000f2',
      ),
  ],
  ['iccid-of-header-and-file', () => withFile(own, 'mf', 'ef-iccid', undefined, '988812010000500380f2')],
];

const ORDER: readonly Case[] = [
  ['end-once', () => beforeEnd(again('end', 80))],
  ['end-last', () => withAfter(own, 'end', 0, pe('nonStandard', 80))],
  ['mf-first', () => withBefore(own, 'mf', 0, filePe('cd', 80, ['df-cd', { pins: '01' }])), ['cd-after-mf']],
  [
    'mf-present',
    () => without(good.createdMf, 'genericFileManagement'),
    [
      'mf-first',
      'telecom-after-mf',
      'usim-after-mf',
      'isim-after-mf',
      'pin-codes-after-directory',
      'puk-placement',
      'pin-status-global-defined',
    ],
  ],
  ['cd-after-mf', () => withBefore(own, 'mf', 0, filePe('cd', 80, ['df-cd', { pins: '01' }])), ['mf-first']],
  ['telecom-after-mf', () => moved('telecom'), ['mf-first']],
  ['usim-after-mf', () => moved('usim'), ['mf-first']],
  ['isim-after-mf', () => moved('isim'), ['mf-first', 'aka-once-per-naa']],
  [
    'ssim-after-mf',
    () =>
      rebuilt(good.ssim, ({ name, raw: octets }) =>
        name === 'ssim' ? undefined : name === 'mf' ? [good.ssimPe, octets] : octets,
      ),
    ['mf-first', 'eap-tls-after-ssim', 'ssim-one-auth'],
  ],
  [
    'csim-after-mf',
    () =>
      rebuilt(csim, ({ name, raw: octets }) =>
        name === 'csim' ? undefined : name === 'mf' ? [good.csimPe, octets] : octets,
      ),
    ['mf-first', 'opt-csim-context', 'cdma-after-csim'],
  ],
  ...(['opt-usim', 'gsm-access', 'phonebook', 'df-5gs', 'df-saip', 'df-snpn', 'df-5gprose'] as const).map(
    (name): Case => [
      `${name}-after-usim`,
      () => withBefore(without(own, name), 'usim', 0, extension(name, 80)),
    ],
  ),
  [
    'opt-isim-after-isim',
    () =>
      withBefore(
        own,
        'isim',
        0,
        filePe('opt-isim', 80, ['ef-pcscf', { size: '10', descriptor: '42210010' }]),
      ),
  ],
  ['opt-csim-after-csim', () => beforeEnd(good.optCsimPe)],
  [
    'opt-iot-after-iot',
    () =>
      rebuilt(iot, ({ name, raw: octets }) =>
        name === 'opt-iot' ? undefined : name === 'iot' ? [good.optIotPe, octets] : octets,
      ),
    ['mf-first'],
  ],
  ...(['opt-usim', 'gsm-access', 'phonebook', 'df-5gs', 'df-saip', 'df-snpn', 'df-5gprose'] as const).map(
    (name): Case => [`${name}-context`, () => withAfter(without(own, name), 'isim', 0, extension(name, 80))],
  ),
  [
    'opt-isim-context',
    () =>
      withAfter(
        csim,
        'csim',
        0,
        filePe('opt-isim', 80, ['ef-pcscf', { size: '10', descriptor: '42210010' }]),
      ),
  ],
  [
    'opt-csim-context',
    () =>
      rebuilt(csim, ({ name, raw: octets }) =>
        name === 'csim' || name === 'opt-csim' || name === 'cdmaParameter'
          ? undefined
          : name === 'usim'
            ? [good.csimPe, good.cdma(72), octets, good.optCsimPe]
            : octets,
      ),
  ],
  ['pe-known', () => beforeEnd(tlv(0xbf23, tlv(0xa0, tlv(0x81, Buffer.of(80)))))],
  ['puk-codes-present', () => without(mfPins([1, PIN], [0x0a, PIN]), 'pukCodes'), ['pin-puk-defined']],
  ['pin-codes-present', () => without(own, 'pinCodes'), ['pin-status-global-defined', 'pin-status-defined']],
  ['security-domain-present', () => without(own, 'securityDomain', 'rfm')],
  ['aka-present', () => without(own, 'akaParameter'), ['algorithm-service-used']],
];

/** The PE before the MF. */
const moved = (pe: Parameters<typeof raw>[0]) =>
  rebuilt(own, ({ name, raw: octets }) =>
    name === pe ? undefined : name === 'mf' ? [raw(pe), octets] : octets,
  );
function extension(
  name: 'opt-usim' | 'gsm-access' | 'phonebook' | 'df-5gs' | 'df-saip' | 'df-snpn' | 'df-5gprose',
  id: number,
) {
  if (name === 'opt-usim') return filePe(name, id, ['ef-li', { size: '06' }]);
  const df = {
    'gsm-access': 'df-gsm-access',
    phonebook: 'df-phonebook',
    'df-5gs': 'df-df-5gs',
    'df-saip': 'df-df-saip',
    'df-snpn': 'df-df-snpn',
    'df-5gprose': 'df-df-5g-prose',
  }[name];
  return filePe(name, id, [df, { pins: '01' }]);
}

const CARDINALITY: readonly Case[] = [
  ['mf-once', () => withAfter(own, 'pinCodes', 0, again('mf', 80))],
  [
    'iot-once',
    () =>
      withAfter(
        iot,
        'opt-iot',
        0,
        filePe(
          'iot',
          80,
          ['adf-usim', { fileId: '7fd1', pins: '81' }],
          ['ef-imsi', undefined, '080910101000000000'],
          ['ef-acc', undefined, '0001'],
        ),
      ),
    [],
  ],
  ['puk-codes-once', () => withAfter(own, 'telecom', 0, puks(80, [2]))],
  [
    'cd-once',
    () => withAfter(own, 'telecom', 0, ...[80, 81].map((id) => filePe('cd', id, ['df-cd', { pins: '01' }]))),
  ],
  ['telecom-once', () => withAfter(own, 'telecom', 0, again('telecom', 80))],
  ['opt-iot-once', () => withAfter(iot, 'opt-iot', 0, filePe('opt-iot', 80, ['ef-est', undefined, '00']))],
  ...(['opt-usim', 'gsm-access', 'phonebook', 'df-5gs', 'df-saip', 'df-snpn', 'df-5gprose'] as const).map(
    (name): Case => [
      `${name}-per-usim`,
      () => withAfter(without(own, name), 'akaParameter', 0, extension(name, 80), extension(name, 81)),
    ],
  ),
  [
    'opt-isim-per-isim',
    () =>
      withAfter(
        own,
        'isim',
        0,
        ...[80, 81].map((id) => filePe('opt-isim', id, ['ef-pcscf', { size: '10', descriptor: '42210010' }])),
      ),
  ],
  [
    'opt-csim-per-csim',
    () => withAfter(csim, 'opt-csim', 0, filePe('opt-csim', 80, ['ef-mdn', { size: '0b' }])),
  ],
  ['cdma-per-csim', () => withAfter(csim, 'cdmaParameter', 0, good.cdma(80))],
  [
    'mf-one-method',
    () =>
      withAfter(
        own,
        'telecom',
        0,
        gfm(60, [create({ descriptor: '7821', fileId: '3f00', arr: '01', pins: '010a' })]),
      ),
  ],
  [
    'file-created-once',
    () => withGfm([create({ ...DF, fileId: '7f66' }), create(EF), select('7f66'), create(EF)]),
  ],
];

const IOT: readonly Case[] = [
  [
    'full-without-iot-pe',
    () => withHeader(iot, 0xa9, undefined),
    ['puk-placement', 'adf-needs-aid', 'template-pin-status'],
  ],
  [
    'iot-needs-iot-pe',
    () => withHeader(own, 0xa9, tlv(0x80, fromHex('1002ff34ff0789'))),
    ['iot-without-mf', 'puk-placement'],
  ],
  ['iot-without-mf', () => withAfter(iot, 'pinCodes', 0, again('mf', 80))],
];

const NAA: readonly Case[] = [
  ['aka-after-naa', () => withBefore(own, 'usim', 0, aka(80, 1, 16, 16))],
  ['aka-once-per-naa', () => withAfter(own, 'akaParameter', 0, aka(80, 1, 16, 16))],
  [
    'mapping-source-known',
    () => instead(own, 'akaParameter', 1, good.mapping(13, 'A0000000871002FF34FF0789312E30FE')),
  ],
  ['eap-tls-after-ssim', () => withAfter(own, 'akaParameter', 0, good.eapTls(80)), ['ssim-one-auth']],
  ['ssim-one-auth', () => good.withSsim(good.eapTls(74), good.eapTls(75))],
  ['ssim-one-auth', () => good.withSsim(aka(74, 1, 16, 16), good.eapTls(75))],
  ['ssim-one-auth', () => good.withSsim(good.eapTls(74), good.akaOfSsim(75))],
  ['ssim-parameters-context', () => instead(own, 'akaParameter', 0, good.akaOfSsim(8))],
  ['cdma-after-csim', () => withAfter(own, 'akaParameter', 0, good.cdma(80))],
  [
    'eap-after-adf',
    () =>
      withBefore(
        own,
        'usim',
        0,
        filePe(
          'eap',
          80,
          ['df-eap', { pins: '01', fileId: '5f99' }],
          ['ef-eapstatus', { size: '01', fileId: '4f01' }],
        ),
      ),
  ],
  ['aka-k-length', () => instead(own, 'akaParameter', 0, aka(8, 1, 32, 16))],
  ['tuak-k-length', () => instead(own, 'akaParameter', 0, aka(8, 2, 24, 32)), ['algorithm-service-listed']],
  ['milenage-opc-length', () => instead(own, 'akaParameter', 0, aka(8, 1, 16, 32))],
  [
    'tuak-topc-length',
    () => instead(own, 'akaParameter', 0, aka(8, 2, 32, 16)),
    ['algorithm-service-listed'],
  ],
];

export const STRUCTURE_CASES: readonly Case[] = [
  ...ENCODING,
  ...HEADER,
  ...ORDER,
  ...CARDINALITY,
  ...IOT,
  ...NAA,
];
