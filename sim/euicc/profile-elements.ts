import { type Bytes, toHex } from '../../shared/codec/bytes.ts';
import { decodeIccid, decodeInteger, swapNibbles } from '../coding.ts';
import type { EuiccFeatures, UiccCapability } from '../euicc-info2.ts';
import { Fields, readAll, readTlv, SimError, type Tlv } from '../tlv.ts';
import { InstallationFault, type PeStatus } from './fault.ts';
import type { ProfileMetadata } from './metadata.ts';

/** Tags of the ProfileElement CHOICE (TCA Profile Package 3.3.1) that an eUICC of this simulator installs. */
const PE = {
  header: 0xa0,
  akaParameter: 0xa4,
  end: 0xaa,
  mf: 0xb0,
  cd: 0xb1,
  telecom: 0xb2,
  usim: 0xb3,
} as const;
const KNOWN_PE = new Set([
  ...[0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8, 0xa9, 0xaa],
  ...[0xb0, 0xb1, 0xb2, 0xb3, 0xb4, 0xb5, 0xb6, 0xb7, 0xb8, 0xb9, 0xba, 0xbb, 0xbc, 0xbd, 0xbe],
  ...[0xbf1f, 0xbf20, 0xbf21],
]);
const AT_MOST_ONCE: readonly number[] = [PE.header, PE.mf, PE.cd, PE.telecom, PE.end];

/** Components of ServicesList by their tag number, under the names of UICCCapability. */
const SERVICES: readonly UiccCapability[] = [
  'contactless',
  'usim',
  'isim',
  'csim',
  'milenage',
  'tuak128',
  'cave',
  'gba-usim',
  'gba-isim',
  'mbms',
  'eap',
  'javacard',
  'multos',
  'multiple-usim',
  'multiple-isim',
  'multiple-csim',
  'tuak256',
  'usim-test-algorithm',
  'ber-tlv',
  'dfLink',
  'cat-tp',
  'get-identity',
  'profile-a-x25519',
  'profile-b-p256',
  'suciCalculatorApi',
  'dns-resolution',
  'scp11ac',
  'scp11c',
  's16mode',
  'eaka',
];

/** The K of GSMA TS.48, in the lengths that Milenage and TUAK take: all a Test Profile may carry. */
const TEST_KEYS = [
  '000102030405060708090a0b0c0d0e0f',
  '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f',
];

function fail(message: string, status: PeStatus, identification?: number): never {
  const pe = identification === undefined ? { status } : { status, identification };
  throw new InstallationFault('installFailedDueToPEProcessingError', message, pe);
}

/**
 * Walks an Unprotected Profile Package as the eUICC does: header first, end last, each element known and
 * numbered once, mandatory services there, ICCID and owner as in the metadata, test key rule.
 */
export function installProfileElements(upp: Bytes, metadata: ProfileMetadata, features: EuiccFeatures): void {
  const elements = split(upp);
  const [header] = elements;
  if (header?.tag !== PE.header) fail('a profile package starts with its header', 'badValues');
  if (elements.at(-1)?.tag !== PE.end) fail('a profile package ends with PE-End', 'badValues');
  for (const tag of AT_MOST_ONCE) {
    if (elements.filter((element) => element.tag === tag).length > 1)
      fail('an element is there twice', 'badValues');
  }
  guarded(undefined, () => checkHeader(header, metadata, features));
  const seen = new Set<number>();
  let imsi: string | undefined;
  for (const element of elements.slice(1)) {
    const identification = guarded(undefined, () => identificationOf(element));
    if (seen.has(identification)) fail(`identification ${identification} twice`, 'badValues', identification);
    seen.add(identification);
    if (!KNOWN_PE.has(element.tag)) fail('unknown element', 'peNotSupported', identification);
    guarded(identification, () => {
      if (element.tag === PE.mf) checkEfIccid(element, metadata);
      if (element.tag === PE.usim) imsi ??= imsiOf(element);
      if (element.tag === PE.akaParameter) checkTestKey(element, metadata);
    });
  }
  if (metadata.owner !== undefined && !isOwnerOf(metadata.owner.mccMnc, imsi)) {
    throw new InstallationFault('installFailedDueToDataMismatch', 'profileOwner is not that of EF.IMSI');
  }
}

function split(upp: Bytes): Tlv[] {
  return guarded(undefined, () => readAll(upp));
}

/** Octets that do not parse become bad values of the element being processed. */
function guarded<T>(identification: number | undefined, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof InstallationFault || !(error instanceof SimError)) throw error;
    return fail(error.message, 'badValues', identification);
  }
}

/** PEHeader, the first component of every element but the header: [0] { [0] mandated, [1] identification }. */
function identificationOf(element: Tlv): number {
  const header = readTlv(element.value);
  if (header.tag !== 0xa0) throw new SimError('an element starts with its PEHeader');
  const fields = new Fields(header.value);
  fields.maybe(0x80);
  return decodeInteger(fields.take(0x81).value);
}

function checkHeader(header: Tlv, metadata: ProfileMetadata, features: EuiccFeatures): void {
  const fields = new Fields(header.value);
  const major = decodeInteger(fields.take(0x80).value);
  fields.take(0x81);
  fields.maybe(0x82);
  const iccid = decodeIccid(swapNibbles(fields.take(0x83).value));
  if (major > Number(features.profileVersion.split('.')[0])) {
    fail(`profile package version ${major}`, 'unsupportedProfileVersion');
  }
  if (iccid !== metadata.iccid) {
    throw new InstallationFault('installFailedDueToDataMismatch', 'the header has another ICCID');
  }
  fields.maybe(0x84);
  for (const service of readAll(fields.take(0xa5).value)) {
    const name = SERVICES[serviceNumber(service.tag)];
    if (name === undefined || !features.uiccCapability.includes(name)) {
      fail('a mandatory service is missing', 'featureNotSupported');
    }
  }
}

function serviceNumber(tag: number): number {
  return tag > 0xff ? tag & 0x7f : tag & 0x1f;
}

/** fillFileContent octets of a File at `tag` inside the element, offsets applied. */
function fileContent(element: Tlv, tag: number): Bytes | undefined {
  const file = readAll(element.value).find((component) => component.tag === tag);
  if (file === undefined) return undefined;
  const octets: number[] = [];
  let written = false;
  for (const step of readAll(file.value)) {
    if (step.tag === 0x82)
      for (let gap = decodeInteger(step.value); gap > 0 && gap < 4096; gap--) octets.push(0xff);
    if (step.tag === 0x83) {
      octets.push(...step.value);
      written = true;
    }
  }
  return written ? Uint8Array.from(octets) : undefined;
}

/** EF.ICCID is component 4 of PE-MF. */
function checkEfIccid(mf: Tlv, metadata: ProfileMetadata): void {
  const content = fileContent(mf, 0xa4);
  if (content === undefined || decodeIccid(content) !== metadata.iccid) {
    throw new InstallationFault('installFailedDueToDataMismatch', 'EF.ICCID has another ICCID');
  }
}

/** EF.IMSI is component 3 of PE-USIM: length octet, then swapped digits after the parity nibble. */
function imsiOf(usim: Tlv): string | undefined {
  const content = fileContent(usim, 0xa3);
  return content === undefined
    ? undefined
    : toHex(swapNibbles(content.subarray(1)))
        .slice(1)
        .replace(/f+$/, '');
}

/** mccMnc in the coding of TS 24.008 against the first digits of the IMSI. */
function isOwnerOf(mccMnc: Bytes, imsi: string | undefined): boolean {
  const [mcc12, mcc3mnc3, mnc12] = toHex(swapNibbles(mccMnc)).match(/../g) ?? [];
  if (mcc12 === undefined || mcc3mnc3 === undefined || mnc12 === undefined) return false;
  const digits = `${mcc12}${mcc3mnc3[0]}${mnc12}${mcc3mnc3[1]}`.replace(/f$/, '');
  return imsi?.startsWith(digits) ?? false;
}

/** A Test Profile may carry the test algorithm or a published test key, nothing that a network would accept. */
function checkTestKey(aka: Tlv, metadata: ProfileMetadata): void {
  if (metadata.profileClass !== 0) return;
  const configuration = readAll(aka.value).find(({ tag }) => tag === 0xa1);
  if (configuration === undefined) return;
  const algorithm = readTlv(configuration.value);
  if (algorithm.tag !== 0xa1) return;
  const parameters = readAll(algorithm.value);
  const algorithmId = parameters.find(({ tag }) => tag === 0x80)?.value[0];
  const key = parameters.find(({ tag }) => tag === 0x82)?.value;
  if (algorithmId !== 3 && (key === undefined || !TEST_KEYS.includes(toHex(key)))) {
    throw new InstallationFault('testProfileInstallFailedDueToInvalidNaaKey', 'not a test key');
  }
}
