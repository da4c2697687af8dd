import { encodeOid } from '../../../../shared/codec/oid.ts';
import { tlv } from '../../../../shared/codec/tlv.ts';
import { fileTag } from '../../../../shared/profile/package/file-pes.ts';
import {
  create,
  fill,
  instead,
  rebuilt,
  select,
  skip,
  withAfter,
  withComponent,
  withFile,
  without,
} from '../support/build.ts';
import * as good from '../support/good-packages.ts';
import { ADF, type Case, dfFile, EF, ef, mfPins, NOT_LISTED, usimFile, usimPins } from './cases.ts';

const { AD, DF, own, iot, raw, pins, puks, withGfm, PIN } = good;

const PINS: readonly Case[] = [
  ['pin-codes-after-directory', () => withAfter(iot, 'header', 0, pins(80, [0x82, PIN])), ['puk-placement']],
  ['pin-puk-defined', () => mfPins([1, PIN, 2], [0x0a, PIN])],
  ['pin-reference-unique', () => mfPins([1, PIN, 1], [1, PIN, 1], [0x0a, PIN])],
  ['pin-scope-unmixed', () => mfPins([1, PIN, 1], [0x81, PIN], [0x0a, PIN])],
  [
    'pin-global-in-mf',
    () => instead(withAfter(own, 'telecom', 0, pins(80, [0x81, PIN])), 'pinCodes', 0, pins(3, [0x81, PIN])),
    ['pin-status-global-defined'],
  ],
  ['pin-local-in-df', () => usimPins([0x02, PIN])],
  ['pin-codes-per-context', () => withAfter(own, 'pinCodes', 1, pins(80, [0x82, PIN]))],
  ['retry-within-max', () => mfPins([1, PIN, 1, 0x34], [0x0a, PIN])],
  ['retry-within-max', () => instead(own, 'pukCodes', 0, puks(2, [1, 0xab], [0x81]))],
  ['pin-digits', () => mfPins([1, '3030ffffffffffff', 1], [0x0a, PIN])],
  ['pin-status-global-defined', () => mfPins([1, PIN, 1])],
  ['pin-status-defined', () => dfFile({ pins: '01 82' })],
  ['pin-status-bare', () => dfFile({ pins: 'c60301810a' })],
  ['puk-reference-unique', () => instead(own, 'pukCodes', 0, puks(2, [1], [1], [0x81]))],
  [
    'puk-placement',
    () =>
      rebuilt(own, ({ name, identification, raw: octets }) =>
        name === 'pukCodes' ? undefined : identification === 3 ? [octets, raw('pukCodes')] : octets,
      ),
  ],
  [
    'puk-placement',
    () =>
      rebuilt(iot, ({ name, raw: octets }) =>
        name === 'pukCodes' ? undefined : name === 'iot' ? [octets, puks(1, [0x81])] : octets,
      ),
  ],
];

const FCP: readonly Case[] = [
  ['ef-no-pin-status', () => usimFile('ef-acc', { pins: '01' }, '0001')],
  ['ef-no-df-name', () => usimFile('ef-acc', { dfName: 'A000000087' }, '0001')],
  ['df-no-short-efid', () => dfFile({ pins: '01', sfi: '08' })],
  ['df-no-file-size', () => dfFile({ pins: '01', size: '08' })],
  ['df-no-ef-info', () => dfFile({ pins: '01', info: 'c00140' })],
  ['df-no-df-name', () => dfFile({ pins: '01', dfName: 'A000000087' })],
  [
    'adf-no-short-efid',
    () => usimFile('adf-usim', { fileId: '7fd0', dfName: good.USIM_AID, pins: '01', sfi: '08' }),
  ],
  [
    'adf-no-file-size',
    () => usimFile('adf-usim', { fileId: '7fd0', dfName: good.USIM_AID, pins: '01', size: '08' }),
  ],
  [
    'adf-no-ef-info',
    () => usimFile('adf-usim', { fileId: '7fd0', dfName: good.USIM_AID, pins: '01', info: 'c00140' }),
  ],
  ['adf-needs-file-id', () => usimFile('adf-usim', { dfName: good.USIM_AID, pins: '01' })],
  ['adf-needs-aid', () => without(usimFile('adf-usim', { fileId: '7fd0', pins: '01' }), 'rfm')],
  ['adf-needs-pin-status', () => usimFile('adf-usim', { fileId: '7fd0', dfName: good.USIM_AID })],
  ['df-needs-pin-status', () => dfFile({ lcsi: '05' })],
  ['df-needs-pin-status', () => withFile(own, 'mf', 'mf', { lcsi: '05' })],
  ['df-needs-pin-status', () => withGfm([create({ descriptor: '7821', fileId: '7f66', arr: '01' })])],
  ['template-pin-status', () => dfFile(undefined)],
  ['adf-aid-unique', () => withGfm([create({ ...ADF, dfName: good.USIM_AID })])],
  ['adf-file-id-unique', () => withGfm([create({ ...ADF, fileId: '7fd0' })]), NOT_LISTED],
  ['fcp-empty', () => usimFile('ef-fplmn', {})],
];

const DESCRIPTORS: readonly Case[] = [
  ['descriptor-coding', () => ef({ ...EF, descriptor: '4321' })],
  ['descriptor-coding', () => ef({ ...EF, descriptor: '4021' })],
  ['descriptor-data-coding', () => ef({ ...EF, descriptor: '4100' })],
  ['record-length-matches', () => ef({ ...EF, descriptor: '4221' })],
  ['record-length-matches', () => ef({ ...EF, descriptor: '41210004' })],
  ['short-efid-low-bits', () => ef({ ...EF, sfi: '09' })],
  ['special-info-reserved', () => ef({ ...EF, info: 'c00141' })],
  ['arr-reference-length', () => ef({ ...EF, arr: '0601' })],
  ['life-cycle-defined', () => ef({ ...EF, lcsi: '08' })],
  ['ber-tlv-no-offset', () => ef({ ...EF, descriptor: '7921' }, skip(1), fill('0a'))],
  ['ber-tlv-no-pattern', () => ef({ ...EF, descriptor: '7921', info: 'c101ff' })],
];

const GFM: readonly Case[] = [
  ['gfm-needs-file-id', () => ef({ ...AD })],
  ['gfm-needs-security', () => ef({ descriptor: '4121', size: '04', fileId: '6f01' })],
  ['gfm-needs-descriptor', () => ef({ arr: '01', size: '04', fileId: '6f01' })],
  ['gfm-needs-descriptor', () => ef({ arr: '01', link: '7fd06f07', fileId: '6f01' })],
  ['gfm-needs-file-size', () => ef({ descriptor: '4121', arr: '01', fileId: '6f01' })],
  [
    'gfm-adf-pin-status',
    () => withGfm([create({ descriptor: '7821', fileId: '7fe0', dfName: ADF.dfName, arr: '01' })]),
    NOT_LISTED,
  ],
  ['gfm-adf-forbidden', () => withGfm([create({ ...ADF, sfi: '08' })]), NOT_LISTED],
  ['gfm-link-forbidden', () => ef({ ...EF, link: '7fd06f07' })],
  ['gfm-ef-forbidden', () => ef({ ...EF, pins: '01' })],
  [
    'gfm-df-link-short-efid',
    () => withGfm([create({ descriptor: '7821', arr: '01', fileId: '7f66', link: '7f10', sfi: '08' })]),
  ],
  ['gfm-df-forbidden', () => withGfm([create({ ...DF, fileId: '7f66', sfi: '08' })])],
  ['gfm-path-exists', () => withGfm([select('7f67'), create(EF)])],
  ['gfm-content-has-file', () => withGfm([fill('00')])],
  [
    'template-oid-assigned',
    () => withComponent(own, 'telecom', 0x81, tlv(0x81, encodeOid('2.23.143.1.2.3.9'))),
    ['template-listed'],
  ],
  ['template-fits-pe', () => withComponent(own, 'df-saip', 0x81, tlv(0x81, encodeOid('2.23.143.1.2.15')))],
];

const FILES: readonly Case[] = [
  ['file-mandatory', () => withComponent(own, 'usim', fileTag('usim', 'ef-est')!, undefined)],
  ['file-overflow', () => usimFile('ef-acc', undefined, '000100')],
  [
    'file-whole-records',
    () => withFile(own, 'opt-usim', 'ef-msisdn', { descriptor: '42210018', size: '19' }),
  ],
  ['file-max-records', () => withFile(own, 'opt-usim', 'ef-msisdn', { descriptor: '42210001', size: 'ff' })],
  ['directory-without-content', () => dfFile({ pins: '01' }, '00')],
  ['adf-in-ef-dir', () => withGfm([create(ADF)])],
  ['file-service', () => usimFile('ef-ust', { size: '11' }, '00'.repeat(17))],
  ['imsi-coded', () => usimFile('ef-imsi', undefined, 'ff'.repeat(9))],
  ['acc-one-class', () => usimFile('ef-acc', undefined, '8000')],
  ['acc-one-class', () => usimFile('ef-acc', undefined, '0003')],
  ['ad-mnc-length', () => usimFile('ef-ad', undefined, '00000000')],
  ['mnc-length-of-mcc', () => usimFile('ef-imsi', undefined, '083901622143658709')],
  [
    'isim-identity-of-imsi',
    () =>
      withFile(
        own,
        'isim',
        'ef-domain',
        { size: '40' },
        Buffer.from(tlv(0x80, Buffer.from('ims.mnc010.mcc001.3gppnetwork.org'))).toString('hex'),
      ),
  ],
];

export const CONTENT_CASES: readonly Case[] = [...PINS, ...FCP, ...DESCRIPTORS, ...GFM, ...FILES];
