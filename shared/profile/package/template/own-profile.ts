import { type Bytes, fromHex } from '../../../codec/bytes.ts';
import { type AkaParameter, DEFAULT_ROTATION_CONSTANTS, DEFAULT_XORING_CONSTANTS } from '../aka-parameter.ts';
import type { KeyObject } from '../security-domain.ts';
import { buildPackage, directoryEntry, type ProfileDescription, serviceTable } from './description.ts';

/**
 * The project's own template: a USIM and ISIM subscription with MILENAGE, 5G, SUCI and over-the-air keys, so that
 * a machine without any other package can make profiles. Its keys and codes are zeros: `compileTemplate` refuses
 * to leave them in a profile for a real network.
 */
const USIM_AID = 'A0000000871002FF34FF0789312E30FF';
const ISIM_AID = 'A0000000871004FF34FF0789312E30FF';
/** Test network 001-01 (3GPP TS 23.122 Annex A). */
const TEST_IMSI_FILE = '08 09 10 10 10 00 00 00 00';

const READ = '80 01 01';
const PIN = 'A4 06 83 01 01 95 01 08';
const PIN2 = 'A4 06 83 01 81 95 01 08';
const ADM = 'A4 06 83 01 0A 95 01 08';
const ALWAYS = '90 00';
const NEVER = '97 00';

/**
 * The access rules that files of the templates refer to by record number (TCA eUICC Profile Package section 9.9;
 * ETSI TS 102 221 section 9.2.4): access mode bits, then the condition.
 */
const ACCESS_RULES = [
  `${READ} ${ALWAYS} 80 01 02 ${PIN} 80 01 58 ${ADM}`,
  `${READ} ${PIN} 80 01 5A ${ADM}`,
  `80 01 5B ${ADM}`,
  `${READ} ${ALWAYS} 80 01 1A ${NEVER} 80 01 40 ${ADM}`,
  `80 01 03 ${PIN} 80 01 58 ${ADM}`,
  `80 01 11 ${PIN} 80 01 4A ${ADM}`,
  `80 01 03 ${PIN} 80 01 58 ${ADM} 84 01 32 ${PIN}`,
  `${READ} ${PIN} 80 01 02 ${PIN2} 80 01 58 ${ADM}`,
  `${READ} ${ALWAYS} 80 01 1A ${PIN} 80 01 40 ${ADM}`,
  `${READ} ${ALWAYS} 80 01 5A ${ADM}`,
  `${READ} ${ALWAYS} 80 01 18 ${ADM} 80 01 42 ${NEVER}`,
  `${READ} ${PIN} 80 01 5A ${NEVER}`,
  `80 01 13 ${PIN} 80 01 48 ${ADM}`,
  `80 01 5E ${ADM}`,
];
const ACCESS_RULE_FILE = { records: { length: 33, count: ACCESS_RULES.length, content: ACCESS_RULES } };

/** 3GPP TS 31.102 section 4.2.8: SMS, its parameters, group identifiers, name, PLMN selectors, MSISDN, OTA, EPS … */
const USIM_SERVICES = [10, 12, 17, 18, 19, 20, 21, 28, 33, 42, 43, 71, 85, 122, 123, 124, 126];
const UST_LENGTH = 17;

const ZERO_KEY = Buffer.alloc(16);
const aka: AkaParameter = {
  algorithm: 'milenage',
  algorithmOptions: Buffer.of(0x01),
  key: ZERO_KEY,
  opc: ZERO_KEY,
  rotationConstants: DEFAULT_ROTATION_CONSTANTS,
  xoringConstants: DEFAULT_XORING_CONSTANTS,
  authCounterMax: undefined,
  numberOfKeccak: 1,
  sqnOptions: Buffer.of(0x02),
  sqnDelta: fromHex('000010000000'),
  sqnAgeLimit: fromHex('000010000000'),
  sqnInit: undefined,
};

/** AES keys of SCP80, version 01: encryption, authentication, key encryption. */
function scp80Key(keyIdentifier: number, usage: number): KeyObject {
  return {
    keyUsageQualifier: Buffer.of(usage),
    keyAccess: Buffer.of(0x00),
    keyIdentifier,
    keyVersionNumber: 0x01,
    keyCounterValue: undefined,
    keyComponents: [{ keyType: Buffer.of(0x88), keyData: ZERO_KEY, macLength: 8 }],
  };
}

/** The null scheme only (3GPP TS 31.102 section 4.4.11.8). */
const NO_SUCI = 'A0 02 00 00';
const SUCI_FILE_LENGTH = 160;

const SECOND_PIN = [{ reference: 0x81, digits: '0000', puk: 0x81 }] as const;

export const OWN_PROFILE: ProfileDescription = {
  profileType: 'SM-DPf generic USIM and ISIM profile',
  version: '2.3',
  iccid: '8900101000000000001',
  mandatoryServices: ['usim', 'isim', 'milenage'],
  elements: [
    {
      pe: 'mf',
      files: {
        mf: { pinStatus: '01 0A' },
        'ef-pl': { content: '65 6E' },
        'ef-iccid': { content: '98 00 01 01 00 00 00 00 00 F1' },
        'ef-dir': {
          records: {
            length: 38,
            count: 4,
            content: [directoryEntry(USIM_AID, 'USIM'), directoryEntry(ISIM_AID, 'ISIM')],
          },
        },
        'ef-arr': ACCESS_RULE_FILE,
        'ef-umpc': { content: '3C 3C 00 00 00' },
      },
    },
    {
      pe: 'pukCodes',
      puks: [
        { reference: 0x01, digits: '00000000' },
        { reference: 0x81, digits: '00000000' },
      ],
    },
    {
      pe: 'pinCodes',
      pins: [
        { reference: 0x01, digits: '0000', puk: 0x01, attributes: 6 },
        { reference: 0x0a, digits: '00000000', attributes: 3, attempts: 0xaa },
      ],
    },
    {
      pe: 'telecom',
      files: {
        'df-telecom': { pinStatus: '01 0A' },
        'ef-arr': ACCESS_RULE_FILE,
        'ef-sume': { content: '85 0B 4F 70 65 72 61 74 6F 72 53 49 4D FF FF FF FF FF FF FF FF FF' },
      },
    },
    {
      pe: 'usim',
      files: {
        'adf-usim': { fileId: '7FD0', dfName: USIM_AID, pinStatus: '01 81 0A' },
        'ef-imsi': { content: TEST_IMSI_FILE },
        'ef-arr': ACCESS_RULE_FILE,
        'ef-ust': { size: UST_LENGTH, content: serviceTable(USIM_SERVICES, UST_LENGTH) },
        'ef-sms': {},
        'ef-smsp': { content: 'FF' },
        'ef-spn': { content: `01 ${'FF '.repeat(16)}` },
        'ef-est': { content: '00' },
        'ef-acc': { content: '00 01' },
        'ef-fplmn': {},
        'ef-ad': { content: '00 00 00 02' },
        'ef-ecc': { content: '11 F2 FF 00' },
      },
    },
    {
      pe: 'opt-usim',
      files: {
        'ef-li': { content: '65 6E' },
        'ef-gid1': { content: 'FF '.repeat(8) },
        'ef-gid2': { content: 'FF '.repeat(8) },
        'ef-msisdn': {},
        'ef-plmnwact': {},
        'ef-oplmnwact': {},
        'ef-hplmnwact': {},
        'ef-ehplmn': {},
      },
    },
    { pe: 'pinCodes', pins: SECOND_PIN },
    { pe: 'akaParameter', aka },
    {
      pe: 'df-5gs',
      files: {
        'df-df-5gs': { pinStatus: '01 81 0A' },
        'ef-5gs3gpploci': {},
        'ef-5gsn3gpploci': {},
        'ef-5gs3gppnsc': {},
        'ef-5gsn3gppnsc': {},
        'ef-5gauthkeys': { content: 'FF '.repeat(110) },
        'ef-uac-aic': { content: '00 00 00 00' },
        'ef-suci-calc-info': { size: SUCI_FILE_LENGTH, content: NO_SUCI },
        'ef-routing-indicator': { content: 'F0 FF FF FF' },
      },
    },
    {
      pe: 'df-saip',
      optional: true,
      files: {
        'df-df-saip': { pinStatus: '01 81 0A' },
        'ef-suci-calc-info-usim': { size: SUCI_FILE_LENGTH, content: NO_SUCI },
      },
    },
    {
      pe: 'isim',
      files: {
        'adf-isim': { fileId: '7FB0', dfName: ISIM_AID, pinStatus: '01 81 0A' },
        'ef-impi': { size: 80, content: `80 00 ${'FF '.repeat(78)}` },
        'ef-impu': { records: { length: 80, count: 3, content: [] } },
        'ef-domain': { size: 64, content: `80 00 ${'FF '.repeat(62)}` },
        'ef-ist': { content: serviceTable([], 14) },
        'ef-ad': { content: '00 00 00' },
        'ef-arr': ACCESS_RULE_FILE,
      },
    },
    { pe: 'pinCodes', pins: SECOND_PIN },
    { pe: 'akaParameter', aka },
    {
      pe: 'securityDomain',
      domain: {
        loadPackageAid: 'A0000001515350',
        classAid: 'A000000151535041',
        instanceAid: 'A000000151000000',
        privileges: '82 DC 00',
        lifeCycleState: '0F',
        // 81: SCP80 i=00; 82, 83 and 87 as GSMA TS.48 has them
        parametersC9: '81 02 80 00 82 01 F0 83 01 F0 87 01 F0',
        // toolkit parameters of an MNO-SD with TAR B20100, as GSMA TS.48 has them
        toolkitParameters: '01 00 00 00 00 02 01 06 06 B2 01 00 00 00 00 00',
        keys: [scp80Key(1, 0x18), scp80Key(2, 0x14), scp80Key(3, 0x48)],
        // card recognition data (GlobalPlatform Card Specification section H.2), SCP80
        persoData: [
          '00 70 32 66 30 73 2E 06 07 2A 86 48 86 FC 6B 01 60 0B 06 09 2A 86 48 86 FC 6B 02 02 02 63 09 06 07 2A 86 48 86 FC 6B 03 64 0B 06 09 2A 86 48 86 FC 6B 04 80 00',
        ],
      },
    },
    {
      pe: 'rfm',
      rfm: {
        instanceAid: 'A00000055910100002',
        tars: ['B00120'],
        minimumSecurityLevel: '02',
        adfAid: USIM_AID,
        accessDomain: '00',
      },
    },
  ],
};

/** The package of the description above, in DER. */
export function ownTemplate(): Bytes {
  return buildPackage(OWN_PROFILE);
}

/** The same with the published K of GSMA TS.48, which is all that an eUICC takes in a profile of class test. */
export function ownTestTemplate(): Bytes {
  const key = fromHex('000102030405060708090a0b0c0d0e0f');
  return buildPackage({
    ...OWN_PROFILE,
    elements: OWN_PROFILE.elements.map((element) =>
      element.pe === 'akaParameter' ? { ...element, aka: { ...element.aka, key } } : element,
    ),
  });
}
