import { decodeBits } from '../codec/bit-string.ts';
import type { Bytes } from '../codec/bytes.ts';
import { readSingle, type Tlv, TlvReader, tagName } from '../codec/tlv.ts';
import { refuse } from '../errors.ts';
import { present } from '../present.ts';
import { ExtensibleReader } from './extensibility.ts';
import { PROFILE_POLICY_RULES, type ProfilePolicyRule } from './profile-policy-rules.ts';

/**
 * EUICCInfo2 (SGP.22 section 5.7.8 and annex H), BF22: what an eUICC can do. Only read, never written: the octets
 * received are what the eUICC's proof covers. TLV is strict and no field may come twice; fields of later versions are
 * kept in `unknown`. ppVersion and sasAcreditationNumber carry universal tags, because the type has written tags
 * already and automatic tagging stays off.
 */
export interface EuiccInfo2 {
  /** The whole BF22 as received. */
  readonly raw: Bytes;
  /** eUICC Profile Package version (TCA), "2.3.0". */
  readonly profileVersion: string;
  /** SGP.22 version; the lowest one in v3. */
  readonly svn: string;
  readonly euiccFirmwareVer: string;
  readonly extCardResource: ExtCardResource;
  /** Numbers of the bits that are set. */
  readonly uiccCapability: ReadonlySet<number>;
  readonly ts102241Version?: string;
  readonly globalplatformVersion?: string;
  /** Numbers of the bits that are set. */
  readonly rspCapability: ReadonlySet<number>;
  /** SubjectKeyIdentifiers of CI keys, most wanted first. */
  readonly euiccCiPKIdListForVerification: readonly Bytes[];
  readonly euiccCiPKIdListForSigning: readonly Bytes[];
  readonly euiccCategory?: number;
  /** Rules without a name here are left out. */
  readonly forbiddenProfilePolicyRules: readonly ProfilePolicyRule[];
  /** Protection Profile. */
  readonly ppVersion: string;
  readonly sasAcreditationNumber: string;
  readonly certificationDataObject?: { readonly platformLabel: string; readonly discoveryBaseUrl: string };
  readonly treProperties?: ReadonlySet<number>;
  readonly treProductReference?: string;
  readonly additionalProfilePackageVersions: readonly string[];
  /** lpaMode of SGP.22 v3, ipaMode of SGP.32. */
  readonly lpaMode?: number;
  readonly euiccCiPKIdListForSigningV3: readonly Bytes[];
  readonly additionalEuiccInfo?: Bytes;
  readonly highestSvn?: string;
  readonly unknown: readonly Tlv[];
}

/** ETSI TS 102 226 section 8.2.1.7.2. Octets of memory. */
export interface ExtCardResource {
  readonly numberOfInstalledApplications?: number;
  readonly freeNonVolatileMemory?: number;
  readonly freeVolatileMemory?: number;
}

/** Bits of rspCapability that this server asks about. */
export const RSP_CAPABILITY = {
  additionalProfile: 0,
  crlSupport: 1,
  rpmSupport: 2,
  testProfileSupport: 3,
  deviceInfoExtensibilitySupport: 4,
} as const;

const EUICC_INFO2 = 0xbf22;
const SIZE_LIMIT = 4096;
const LIST_LIMIT = 32;
const TEXT_LIMIT = 255;

export function decodeEuiccInfo2(octets: Bytes): EuiccInfo2 {
  if (octets.length > SIZE_LIMIT) refuse('tooLarge', `EuiccInfo2 is longer than ${SIZE_LIMIT} octets`);
  const element = readSingle(octets, EUICC_INFO2, 'EuiccInfo2');
  const fields = new Fields(element);
  const optional = <T>(tag: number, read: (field: TlvReader) => T): T | undefined => fields.take(tag, read);
  const required = <T>(tag: number, name: string, read: (field: TlvReader) => T): T =>
    fields.take(tag, read) ?? refuse('euiccInfoInvalid', `EuiccInfo2 has no ${name} (${tagName(tag)})`);

  const info = {
    raw: element.raw,
    profileVersion: required(0x81, 'profileVersion', version(0x81)),
    svn: required(0x82, 'svn', version(0x82)),
    euiccFirmwareVer: required(0x83, 'euiccFirmwareVer', version(0x83)),
    extCardResource: required(0x84, 'extCardResource', (field) =>
      readExtCardResource(new TlvReader(field.next().value, 'extCardResource')),
    ),
    uiccCapability: required(0x85, 'uiccCapability', bits('uiccCapability')),
    rspCapability: required(0x88, 'rspCapability', bits('rspCapability')),
    euiccCiPKIdListForVerification: required(0xa9, 'euiccCiPKIdListForVerification', keyIds(0xa9)),
    euiccCiPKIdListForSigning: required(0xaa, 'euiccCiPKIdListForSigning', keyIds(0xaa)),
    forbiddenProfilePolicyRules:
      optional(0x99, (field) =>
        decodeBits(field.next().value, 'forbiddenProfilePolicyRules')
          .map((bit) => PROFILE_POLICY_RULES[bit])
          .filter((rule) => rule !== undefined),
      ) ?? [],
    ppVersion: required(0x04, 'ppVersion', version(0x04)),
    sasAcreditationNumber: required(0x0c, 'sasAcreditationNumber', text(0x0c)),
    additionalProfilePackageVersions: optional(0xaf, versions(0xaf)) ?? [],
    euiccCiPKIdListForSigningV3: optional(0xb1, keyIds(0xb1)) ?? [],
  };
  const ts102241Version = optional(0x86, version(0x86));
  const globalplatformVersion = optional(0x87, version(0x87));
  const euiccCategory = optional(0x8b, (field) => field.integer(0x8b, 'euiccCategory'));
  const certificationDataObject = optional(0xac, (field) =>
    readCertificationDataObject(field.expect(0xac, 'certificationDataObject'), field.path),
  );
  const treProperties = optional(0x8d, bits('treProperties'));
  const treProductReference = optional(0x8e, text(0x8e));
  const lpaMode = optional(0x90, (field) => field.integer(0x90, 'lpaMode'));
  const additionalEuiccInfo = optional(0x92, (field) => field.octets(0x92, 'additionalEuiccInfo', 0, 32));
  const highestSvn = optional(0x93, version(0x93));
  return {
    ...info,
    ...present({ ts102241Version, globalplatformVersion, euiccCategory }),
    ...(certificationDataObject && { certificationDataObject }),
    ...(treProperties && { treProperties }),
    ...present({ treProductReference, lpaMode }),
    ...(additionalEuiccInfo && { additionalEuiccInfo }),
    ...present({ highestSvn }),
    unknown: fields.left(),
  };
}

/** The fields by tag, whatever their order: what is signed is the octets, and readers of v3 meet shuffled ones. */
class Fields {
  readonly #path: string;
  readonly #byTag = new Map<number, Tlv>();

  constructor(element: Tlv) {
    const reader = TlvReader.of(element);
    this.#path = reader.path;
    while (!reader.done) {
      const field = reader.next();
      if (this.#byTag.has(field.tag)) reader.refuse(field, 'occurs twice');
      this.#byTag.set(field.tag, field);
    }
  }

  take<T>(tag: number, read: (field: TlvReader) => T): T | undefined {
    const field = this.#byTag.get(tag);
    if (field === undefined) return undefined;
    this.#byTag.delete(tag);
    return read(new TlvReader(field.raw, this.#path, field.offset));
  }

  left(): Tlv[] {
    return [...this.#byTag.values()];
  }
}

function bits(name: string): (field: TlvReader) => ReadonlySet<number> {
  return (field) => new Set(decodeBits(field.next().value, name));
}

function text(tag: number): (field: TlvReader) => string {
  return (field) => field.text(tag, tagName(tag), TEXT_LIMIT);
}

function version(tag: number): (field: TlvReader) => string {
  return (field) => field.octets(tag, 'version', 3).join('.');
}

/** SEQUENCE OF VersionType. */
function versions(tag: number): (field: TlvReader) => string[] {
  return (field) =>
    listOf(field.enter(tag, 'versions'), (entry) => entry.octets(0x04, 'version', 3).join('.'));
}

/** SEQUENCE OF SubjectKeyIdentifier; 20 octets as SGP.14 makes them, but no rule says so. */
function keyIds(tag: number): (field: TlvReader) => Bytes[] {
  return (field) =>
    listOf(field.enter(tag, 'CI key identifiers'), (entry) => entry.octets(0x04, 'key identifier', 1, 32));
}

function listOf<T>(reader: TlvReader, read: (reader: TlvReader) => T): T[] {
  const entries: T[] = [];
  while (!reader.done) {
    if (entries.length === LIST_LIMIT)
      refuse('tooLarge', `${reader.path} has more than ${LIST_LIMIT} entries`);
    entries.push(read(reader));
  }
  return entries;
}

function readExtCardResource(reader: TlvReader): ExtCardResource {
  const names = new Map([
    [0x81, 'numberOfInstalledApplications'],
    [0x82, 'freeNonVolatileMemory'],
    [0x83, 'freeVolatileMemory'],
  ] as const);
  const resource: { [name: string]: number } = {};
  while (!reader.done) {
    const field = reader.next();
    const name = names.get(field.tag as 0x81);
    // a plain unsigned number, without the sign bit of an INTEGER
    if (name === undefined || field.value.length > 6) continue;
    resource[name] = field.value.reduce((number, octet) => number * 256 + octet, 0);
  }
  return resource;
}

function readCertificationDataObject(
  element: Tlv,
  path: string,
): { platformLabel: string; discoveryBaseUrl: string } {
  const reader = new ExtensibleReader(element, path, new Set([0x80, 0x81]), []);
  const object = {
    platformLabel: reader.text(0x80, 'platformLabel', TEXT_LIMIT),
    discoveryBaseUrl: reader.text(0x81, 'discoveryBaseURL', TEXT_LIMIT),
  };
  reader.end();
  return object;
}
