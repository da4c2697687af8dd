import { isUtf8 } from 'node:buffer';
import { type Bytes, toHex, utf8 } from '../../codec/bytes.ts';
import { packIccid, swapNibbles } from '../../codec/iccid.ts';
import { decodeOid, encodeOid } from '../../codec/oid.ts';
import { integerValue, type Tlv, tlv } from '../../codec/tlv.ts';
import { refuse } from '../../errors.ts';
import { ascending, child, children, contextTag, inProfile, integerOf } from './element.ts';
import type { ProfilePackage } from './profile-element.ts';
import { SERVICES, type ServiceName } from './services.ts';

/** ProfileHeader (TCA eUICC Profile Package 3.3.1). Its ICCID is packed high nibble first, unlike EF.ICCID. */
export interface ProfileHeader {
  readonly majorVersion: number;
  readonly minorVersion: number;
  /** 1 to 100 octets of UTF-8. */
  readonly profileType: string | undefined;
  /** 18 to 20 digits. */
  readonly iccid: string;
  /** What is wrong with how the ICCID is coded, which the digits do not show. */
  readonly iccidCoding: 'right' | 'padded-inside' | 'swapped';
  readonly mandatoryServices: readonly ServiceName[];
  /** Component numbers of services that the module version known here does not name. */
  readonly unknownServices: readonly number[];
  /** eUICC-Mandatory-GFSTEList: dotted template OIDs. */
  readonly mandatoryTemplates: readonly string[];
  readonly mandatoryAids: readonly { readonly aid: Bytes; readonly version: Bytes }[];
  /** profileType is UTF-8, where it is there. */
  readonly profileTypeIsText: boolean;
  /** iotOptions is present: an IoT minimal profile. */
  readonly iotMinimal: boolean;
  /** The PIX in iotOptions: with the RID of 3GPP, the AID of the USIM. */
  readonly iotPix: Bytes | undefined;
}

/** Tag of `iccid` in the profile header. */
export const HEADER_ICCID = 0x83;
/** Tag of `eUICC-Mandatory-services`. */
export const HEADER_SERVICES = 0xa5;
const TEMPLATES_TAG = 0xa6;

/** The header of a package; refuses (`profileInvalid`, `iccidInvalid`) when its first PE is none. */
export function headerOf(profile: ProfilePackage): ProfileHeader {
  const [first] = profile.elements;
  if (first?.name !== 'header') {
    return refuse('profileInvalid', 'the first PE of a profile package is its header', { offset: 0 });
  }
  return inProfile(() => decodeHeader(first.fields));
}

function decodeHeader(fields: readonly Tlv[]): ProfileHeader {
  ascending(fields, 'ProfileHeader');
  const required = (tag: number, name: string) =>
    child(fields, tag) ?? refuse('profileInvalid', `${name} is missing in the profile header`);
  const profileType = child(fields, 0x82);
  if (profileType !== undefined && (profileType.value.length < 1 || profileType.value.length > 100)) {
    refuse('profileInvalid', 'profileType has 1 to 100 octets', { offset: profileType.offset });
  }
  const services = children(required(HEADER_SERVICES, 'eUICC-Mandatory-services')).map(serviceNumber);
  const aids = child(fields, 0xa8);
  const iotOptions = child(fields, 0xa9);
  return {
    majorVersion: uint8(required(0x80, 'major-version'), 'major-version'),
    minorVersion: uint8(required(0x81, 'minor-version'), 'minor-version'),
    profileType: profileType === undefined ? undefined : Buffer.from(profileType.value).toString('utf8'),
    ...headerIccid(required(HEADER_ICCID, 'iccid')),
    mandatoryServices: services.flatMap((number) => SERVICES[number]?.name ?? []),
    unknownServices: services.filter((number) => SERVICES[number] === undefined),
    mandatoryTemplates: children(required(TEMPLATES_TAG, 'eUICC-Mandatory-GFSTEList')).map((oid) => {
      if (oid.tag !== 0x06) refuse('profileInvalid', 'eUICC-Mandatory-GFSTEList holds OIDs only');
      return decodeOid(oid.value);
    }),
    mandatoryAids: (aids === undefined ? [] : children(aids)).map((entry) => {
      const [aid, version] = children(entry);
      if (aid === undefined || version === undefined) {
        return refuse('profileInvalid', 'eUICC-Mandatory-AIDs lacks an AID or a version');
      }
      return { aid: aid.value, version: version.value };
    }),
    profileTypeIsText: profileType === undefined || isUtf8(profileType.value),
    iotMinimal: iotOptions !== undefined,
    iotPix: iotOptions && child(children(iotOptions), 0x80)?.value,
  };
}

/**
 * The ICCID, high nibble first and F padded. Digits with F inside are told, and so are swapped nibbles where a digit
 * stands behind an F; a full eUICC ignores the value, so that neither keeps the rest from being read.
 */
function headerIccid({ value, offset }: Tlv): Pick<ProfileHeader, 'iccid' | 'iccidCoding'> {
  const nibbles = toHex(value);
  if (value.length !== 10 || !/^[0-9f]{20}$/.test(nibbles))
    refuse('iccidInvalid', 'iccid of the profile header is not ten octets of decimal digits, F padded', {
      offset,
    });
  const digits = (text: string) => text.replace(/f{1,2}$/, '');
  if (/^[0-9]{18,20}$/.test(digits(nibbles))) return { iccid: digits(nibbles), iccidCoding: 'right' };
  const swapped = digits(toHex(swapNibbles(value)));
  return /^[0-9]{18,20}$/.test(swapped)
    ? { iccid: swapped, iccidCoding: 'swapped' }
    : { iccid: nibbles.replaceAll('f', ''), iccidCoding: 'padded-inside' };
}

function uint8(element: Tlv, name: string): number {
  const value = integerOf(element, name);
  if (value > 255) refuse('profileInvalid', `${name} exceeds 255`, { offset: element.offset });
  return value;
}

function serviceNumber(service: Tlv): number {
  if (service.value.length !== 0) refuse('profileInvalid', 'a service is NULL', { offset: service.offset });
  return service.tag <= 0xff ? service.tag & 0x1f : service.tag & 0x7f;
}

/** The header PE in DER; for packages that are built here. */
export function encodeHeader(header: {
  readonly majorVersion: number;
  readonly minorVersion: number;
  readonly profileType: string;
  readonly iccid: string;
  readonly mandatoryServices: readonly ServiceName[];
  readonly mandatoryTemplates: readonly string[];
}): Bytes {
  const services = SERVICES.flatMap(({ name }, number) =>
    header.mandatoryServices.includes(name) ? [tlv(contextTag(number, false))] : [],
  );
  return tlv(
    0xa0,
    tlv(0x80, integerValue(header.majorVersion)),
    tlv(0x81, integerValue(header.minorVersion)),
    tlv(0x82, utf8(header.profileType)),
    tlv(HEADER_ICCID, packIccid(header.iccid)),
    tlv(HEADER_SERVICES, ...services),
    tlv(TEMPLATES_TAG, ...header.mandatoryTemplates.map((oid) => tlv(0x06, encodeOid(oid)))),
  );
}
