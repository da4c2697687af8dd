import { decodeNamedBits, encodeNamedBits } from '../codec/bit-string.ts';
import type { Bytes } from '../codec/bytes.ts';
import { decodeIccid, encodeIccid } from '../codec/iccid.ts';
import {
  integerValue,
  readSingle,
  readTlv,
  readTlvHeader,
  splitElements,
  type Tlv,
  type TlvReader,
  tagName,
  tlv,
} from '../codec/tlv.ts';
import { MAC_ONLY_DATA_LIMIT } from '../crypto/bsp.ts';
import { refuse } from '../errors.ts';
import { present } from '../present.ts';
import {
  type EnterpriseConfiguration,
  encodeEnterpriseConfiguration,
  readEnterpriseConfiguration,
} from './enterprise-configuration.ts';
import { additionalFieldsOf, checkAdditionalFields, ExtensibleReader } from './extensibility.ts';
import { NOTIFICATION_EVENTS, type NotificationEvent } from './notification-event.ts';
import { encodeOperatorId, type OperatorId, readOperatorId } from './operator-id.ts';
import { PROFILE_POLICY_RULES, type ProfilePolicyRule } from './profile-policy-rules.ts';
import { utf8Within } from './text.ts';

/**
 * ES8+.StoreMetadata (SGP.22 section 5.5.3), BF25. Fields of v2.4 and v3 are in the order of the v3 module; send them
 * only to an eUICC that announces them, since one that does not may answer unknownTlvInMetadata (26).
 * Where the layout of a v3 field is not published to us it is kept as its content octets, whole TLVs inside.
 */
export interface StoreMetadataRequest {
  /** 19 or 20 digits. */
  readonly iccid: string;
  /** At most 32 octets of UTF-8. */
  readonly serviceProviderName: string;
  /** At most 64 octets of UTF-8. */
  readonly profileName: string;
  readonly iconType?: IconType;
  /** JPEG or PNG of 64 × 64 pixels, at most 1024 octets. */
  readonly icon?: Bytes;
  /** Default: operational, which is then left out of the encoding. */
  readonly profileClass?: ProfileClass;
  readonly notificationConfigurationInfo?: readonly NotificationConfigurationInformation[];
  readonly profileOwner?: OperatorId;
  readonly profilePolicyRules?: readonly ProfilePolicyRule[];
  /** v2.4, VendorSpecificExtension. */
  readonly serviceSpecificDataStoredInEuicc?: Bytes;
  /** v2.4, VendorSpecificExtension. */
  readonly serviceSpecificDataNotStoredInEuicc?: Bytes;
  /** v3 from here on. */
  readonly rpmConfiguration?: Bytes;
  readonly hriServerAddress?: string;
  readonly lprConfiguration?: Bytes;
  readonly enterpriseConfiguration?: EnterpriseConfiguration;
  /** Its tag BE is unconfirmed. */
  readonly serviceProviderMessage?: Bytes;
  readonly serviceDescription?: Bytes;
  readonly deviceChangeConfiguration?: Bytes;
  /**
   * Not of SGP.22: the content of BF76, the carrier privilege rules that Android reads from metadata (UICC carrier
   * privileges): `E2 { E1 { C1 certificate hash, [CA package] }, E3 { DB permissions } } …`.
   */
  readonly carrierPrivilegeRules?: Bytes;
  /** Other fields that this version does not know: whole TLVs, one after the other (extensibility.ts). */
  readonly additionalFields?: Bytes;
}

export const ICON_TYPES = ['jpg', 'png'] as const;
export type IconType = (typeof ICON_TYPES)[number];

export const PROFILE_CLASSES = ['test', 'provisioning', 'operational'] as const;
export type ProfileClass = (typeof PROFILE_CLASSES)[number];

export interface NotificationConfigurationInformation {
  readonly profileManagementOperation: readonly NotificationEvent[];
  /** FQDN of the notification receiver. */
  readonly notificationAddress: string;
  /** As in `StoreMetadataRequest`. */
  readonly additionalFields?: Bytes;
}

export const STORE_METADATA = 0xbf25;
/** Octets of the whole TLV: two 88. SGP.22 has error codes for a second one (storeMetadata2) and for none after it. */
const STORE_METADATA_LIMIT = 2 * MAC_ONLY_DATA_LIMIT;
const ICON_LIMIT = 1024;
const NOTIFICATIONS_LIMIT = 64;
const ADDRESS_LIMIT = 255;
const OPAQUE_LIMIT = 4096;

/** Fields kept as content octets. */
const OPAQUE_TAGS = {
  serviceSpecificDataStoredInEuicc: 0xbf22,
  serviceSpecificDataNotStoredInEuicc: 0xbf23,
  rpmConfiguration: 0xba,
  lprConfiguration: 0xbc,
  serviceProviderMessage: 0xbe,
  serviceDescription: 0x9f1f,
  deviceChangeConfiguration: 0xbf20,
  carrierPrivilegeRules: 0xbf76,
} as const;

/** Tags that have a field. */
const TAGS: ReadonlySet<number> = new Set([
  0x5a,
  0x91,
  0x92,
  0x93,
  0x94,
  0x95,
  0xb6,
  0xb7,
  0x99,
  0x9b,
  0xbd,
  ...Object.values(OPAQUE_TAGS),
]);
const NOTIFICATION_TAGS = new Set([0x80, 0x81]);

type OpaqueField = keyof typeof OPAQUE_TAGS;

/** Fields that only an eUICC of SGP.22 v3 knows. */
const V3_FIELDS = [
  'rpmConfiguration',
  'hriServerAddress',
  'lprConfiguration',
  'enterpriseConfiguration',
  'serviceProviderMessage',
  'serviceDescription',
  'deviceChangeConfiguration',
] as const satisfies readonly (keyof StoreMetadataRequest)[];

export function v3FieldsOf(metadata: StoreMetadataRequest): string[] {
  return V3_FIELDS.filter((field) => metadata[field] !== undefined);
}

/** Fields that no version of SGP.22 has: an eUICC of v3 may answer unknownTlvInMetadata (26), others pass them over. */
export function fieldsBeyondSgp22(metadata: StoreMetadataRequest): string[] {
  const { carrierPrivilegeRules, notificationConfigurationInfo = [], profileOwner } = metadata;
  const { enterpriseConfiguration } = metadata;
  return [
    ...(carrierPrivilegeRules === undefined ? [] : ['carrierPrivilegeRules (BF76)']),
    ...tagsOf(metadata),
    ...notificationConfigurationInfo.flatMap((entry) => tagsOf(entry, 'notificationConfigurationInfo')),
    ...tagsOf(profileOwner, 'profileOwner'),
    ...tagsOf(enterpriseConfiguration, 'enterpriseConfiguration'),
    ...tagsOf(enterpriseConfiguration?.enterpriseRules, 'enterpriseRules'),
  ];
}

/** Tags of the additional fields, with where they stand. */
function tagsOf(value: { readonly additionalFields?: Bytes } | undefined, within?: string): string[] {
  const tags = splitElements(value?.additionalFields ?? Buffer.alloc(0)).map((field) =>
    tagName(readTlv(field).tag),
  );
  return within === undefined ? tags : tags.map((tag) => `${tag} in ${within}`);
}

/** What deserves to be known of metadata that are sent: fields that not every eUICC takes. */
export function fieldWarnings(metadata: StoreMetadataRequest): string[] {
  const v3 = v3FieldsOf(metadata);
  const beyond = fieldsBeyondSgp22(metadata);
  return [
    ...(v3.length === 0
      ? []
      : [
          `${v3.join(', ')}: only eUICCs that announce SGP.22 v3 take this; others answer unknownTlvInMetadata`,
        ]),
    ...(beyond.length === 0
      ? []
      : [
          `${beyond.join(', ')}: no version of SGP.22 has this; it is carried, and an eUICC may answer unknownTlvInMetadata (26)`,
        ]),
  ];
}

/** Rules of SGP.22 section 5.5.3 that are about several fields; the codec checks each field by itself. */
function checkStoreMetadata(metadata: StoreMetadataRequest): StoreMetadataRequest {
  if ((metadata.icon === undefined) !== (metadata.iconType === undefined))
    refuse('metadataInvalid', 'icon and iconType come together or not at all');
  if ((metadata.profilePolicyRules?.length ?? 0) > 0 && metadata.profileOwner === undefined)
    refuse('metadataInvalid', 'profilePolicyRules require a profileOwner');
  return metadata;
}

/** Refuses a StoreMetadataRequest, whole TLV, that no eUICC could take. */
export function checkStoreMetadataLength(der: Bytes): Bytes {
  if (der.length > STORE_METADATA_LIMIT)
    refuse(
      'metadataInvalid',
      `the metadata have ${der.length} octets, more than the ${STORE_METADATA_LIMIT} of two segments`,
    );
  return der;
}

/** At most STORE_METADATA_LIMIT octets. */
export function encodeStoreMetadata(metadata: StoreMetadataRequest): Bytes {
  checkStoreMetadata(metadata);
  const { iconType, icon, profileClass, notificationConfigurationInfo, profilePolicyRules } = metadata;
  if (icon !== undefined && (icon.length === 0 || icon.length > ICON_LIMIT))
    refuse('metadataInvalid', `the icon has ${icon.length} octets, not 1 to ${ICON_LIMIT}`);
  const der = tlv(
    STORE_METADATA,
    tlv(0x5a, encodeIccid(metadata.iccid)),
    tlv(0x91, utf8Within('serviceProviderName', metadata.serviceProviderName, 32)),
    tlv(0x92, utf8Within('profileName', metadata.profileName, 64)),
    iconType && tlv(0x93, integerValue(ICON_TYPES.indexOf(iconType))),
    icon && tlv(0x94, icon),
    profileClass !== undefined && profileClass !== 'operational'
      ? tlv(0x95, integerValue(PROFILE_CLASSES.indexOf(profileClass)))
      : undefined,
    notificationConfigurationInfo && encodeNotificationConfiguration(notificationConfigurationInfo),
    metadata.profileOwner && encodeOperatorId(0xb7, metadata.profileOwner),
    profilePolicyRules && tlv(0x99, encodeNamedBits(profilePolicyRules, PROFILE_POLICY_RULES)),
    opaque(metadata, 'serviceSpecificDataStoredInEuicc'),
    opaque(metadata, 'serviceSpecificDataNotStoredInEuicc'),
    opaque(metadata, 'rpmConfiguration'),
    metadata.hriServerAddress === undefined
      ? undefined
      : tlv(0x9b, utf8Within('hriServerAddress', metadata.hriServerAddress, ADDRESS_LIMIT)),
    opaque(metadata, 'lprConfiguration'),
    metadata.enterpriseConfiguration && encodeEnterpriseConfiguration(0xbd, metadata.enterpriseConfiguration),
    opaque(metadata, 'serviceProviderMessage'),
    opaque(metadata, 'serviceDescription'),
    opaque(metadata, 'deviceChangeConfiguration'),
    opaque(metadata, 'carrierPrivilegeRules'),
    checkAdditionalFields(metadata.additionalFields, TAGS),
  );
  return checkStoreMetadataLength(der);
}

/** Encodes metadata that differ in nothing but their ICCID: each is a copy of the first with its own put in. */
export function storeMetadataEncoder(
  metadata: Omit<StoreMetadataRequest, 'iccid'>,
): (iccid: string) => Bytes {
  let first: Bytes | undefined;
  let at = 0;
  return (iccid) => {
    if (first === undefined) {
      first = encodeStoreMetadata({ ...metadata, iccid });
      // the first field of the request: its tag and length are two octets
      at = readTlvHeader(first, 0).headerLength + 2;
    }
    const der = Buffer.from(first);
    der.set(encodeIccid(iccid), at);
    return der;
  };
}

function encodeNotificationConfiguration(entries: readonly NotificationConfigurationInformation[]): Bytes {
  if (entries.length > NOTIFICATIONS_LIMIT)
    refuse('metadataInvalid', `more than ${NOTIFICATIONS_LIMIT} notification addresses`);
  return tlv(
    0xb6,
    ...entries.map((entry) =>
      tlv(
        0x30,
        tlv(0x80, encodeNamedBits(entry.profileManagementOperation, NOTIFICATION_EVENTS)),
        tlv(0x81, utf8Within('notificationAddress', entry.notificationAddress, ADDRESS_LIMIT)),
        checkAdditionalFields(entry.additionalFields, NOTIFICATION_TAGS),
      ),
    ),
  );
}

function opaque(metadata: StoreMetadataRequest, field: OpaqueField): Bytes | undefined {
  const content = metadata[field];
  if (content === undefined) return undefined;
  if (content.length > OPAQUE_LIMIT)
    refuse('metadataInvalid', `${field} is longer than ${OPAQUE_LIMIT} octets`);
  return tlv(OPAQUE_TAGS[field], content);
}

export function decodeStoreMetadata(octets: Bytes): StoreMetadataRequest {
  const unknown: Tlv[] = [];
  const element = readSingle(octets, STORE_METADATA, 'StoreMetadataRequest');
  const reader = new ExtensibleReader(element, '', TAGS, unknown);
  const fields = { ...readFields(reader), ...readLaterFields(reader) };
  reader.end();
  return checkStoreMetadata({ ...fields, ...present({ additionalFields: additionalFieldsOf(unknown) }) });
}

/** The field if it is next; SEQUENCE order makes a misplaced one unexpected at the end. */
function optional<T>(reader: TlvReader, tag: number, read: () => T): T | undefined {
  return reader.peek()?.tag === tag ? read() : undefined;
}

/** Up to profilePolicyRules: what v2 began with. */
function readFields(reader: TlvReader): StoreMetadataRequest {
  const oneOf = <Name extends string>(tag: number, field: string, names: readonly Name[]): Name | undefined =>
    optional(reader, tag, () => {
      const value = reader.integer(tag, field);
      return names[value] ?? refuse('metadataInvalid', `${field} ${value} has no meaning`);
    });
  const iccid = decodeIccid(reader.octets(0x5a, 'iccid', 10));
  const serviceProviderName = reader.text(0x91, 'serviceProviderName', 32);
  const profileName = reader.text(0x92, 'profileName', 64);
  const iconType = oneOf(0x93, 'iconType', ICON_TYPES);
  const icon = optional(reader, 0x94, () => reader.octets(0x94, 'icon', 1, ICON_LIMIT));
  const profileClass = oneOf(0x95, 'profileClass', PROFILE_CLASSES) ?? 'operational';
  const notificationConfigurationInfo = optional(reader, 0xb6, () =>
    readNotificationConfiguration(reader.enter(0xb6, 'notificationConfigurationInfo')),
  );
  const profileOwner = optional(reader, 0xb7, () =>
    readOperatorId(reader.expect(0xb7, 'profileOwner'), reader.path),
  );
  const profilePolicyRules = optional(reader, 0x99, () =>
    decodeNamedBits(reader.next().value, PROFILE_POLICY_RULES, 'profilePolicyRules'),
  );
  return {
    iccid,
    serviceProviderName,
    profileName,
    profileClass,
    ...present({ iconType, icon, notificationConfigurationInfo, profileOwner, profilePolicyRules }),
  };
}

/** The fields of v2.4 and v3, and what is beyond SGP.22 and known. */
function readLaterFields(reader: TlvReader): Partial<StoreMetadataRequest> {
  const readOpaque = (field: OpaqueField): { [F in OpaqueField]?: Bytes } => {
    const tag = OPAQUE_TAGS[field];
    const content = optional(reader, tag, () => reader.octets(tag, field, 0, OPAQUE_LIMIT));
    return content === undefined ? {} : { [field]: content };
  };
  const beforeAddress = {
    ...readOpaque('serviceSpecificDataStoredInEuicc'),
    ...readOpaque('serviceSpecificDataNotStoredInEuicc'),
    ...readOpaque('rpmConfiguration'),
  };
  const hriServerAddress = optional(reader, 0x9b, () => reader.text(0x9b, 'hriServerAddress', ADDRESS_LIMIT));
  const lpr = readOpaque('lprConfiguration');
  const enterpriseConfiguration = optional(reader, 0xbd, () =>
    readEnterpriseConfiguration(reader.expect(0xbd, 'enterpriseConfiguration'), reader.path),
  );
  return {
    ...beforeAddress,
    ...present({ hriServerAddress, enterpriseConfiguration }),
    ...lpr,
    ...readOpaque('serviceProviderMessage'),
    ...readOpaque('serviceDescription'),
    ...readOpaque('deviceChangeConfiguration'),
    ...readOpaque('carrierPrivilegeRules'),
  };
}

function readNotificationConfiguration(reader: TlvReader): NotificationConfigurationInformation[] {
  const entries: NotificationConfigurationInformation[] = [];
  while (!reader.done) {
    if (entries.length === NOTIFICATIONS_LIMIT)
      refuse('metadataInvalid', `more than ${NOTIFICATIONS_LIMIT} notification addresses`);
    const unknown: Tlv[] = [];
    const element = reader.expect(0x30, 'NotificationConfigurationInformation');
    const entry = new ExtensibleReader(element, reader.path, NOTIFICATION_TAGS, unknown);
    const events = entry.expect(0x80, 'profileManagementOperation');
    const notificationAddress = entry.text(0x81, 'notificationAddress', ADDRESS_LIMIT);
    entry.end();
    entries.push({
      profileManagementOperation: decodeNamedBits(
        events.value,
        NOTIFICATION_EVENTS,
        'profileManagementOperation',
      ),
      notificationAddress,
      ...present({ additionalFields: additionalFieldsOf(unknown) }),
    });
  }
  return entries;
}
