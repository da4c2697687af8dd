import { type Bytes, fromHex, toHex } from '../codec/bytes.ts';
import { checkIccid } from '../codec/iccid.ts';
import { refuse } from '../errors.ts';
import { present } from '../present.ts';
import type { EnterpriseConfiguration } from './enterprise-configuration.ts';
import { checkIcon } from './icon.ts';
import { NOTIFICATION_EVENTS } from './notification-event.ts';
import type { OperatorId } from './operator-id.ts';
import { PROFILE_POLICY_RULES } from './profile-policy-rules.ts';
import {
  encodeStoreMetadata,
  ICON_TYPES,
  type NotificationConfigurationInformation,
  PROFILE_CLASSES,
  type StoreMetadataRequest,
} from './store-metadata.ts';

/**
 * StoreMetadataRequest in JSON, as Operators write it: the names of the specification; digits for ICCID and MCC/MNC;
 * base64 for the icon; hexadecimal for GIDs and for the fields kept as octets; names for enumerations and bits.
 * `additionalFields`, here and in the objects within, is hexadecimal too: whole TLVs that this version does not know, one
 * after the other.
 * `notifications` with `events` (or `operations`) and `address` is accepted for notificationConfigurationInfo.
 * A member that has no meaning is refused, so that a misspelt name cannot drop a rule.
 */
type Json = { readonly [name: string]: unknown };

const HEX_FIELDS = [
  'serviceSpecificDataStoredInEuicc',
  'serviceSpecificDataNotStoredInEuicc',
  'rpmConfiguration',
  'lprConfiguration',
  'serviceProviderMessage',
  'serviceDescription',
  'deviceChangeConfiguration',
  'carrierPrivilegeRules',
  'additionalFields',
] as const;

/** FQDN (SGP.22 section 2.4a.1.1): where an LPA will send the notification. */
const ADDRESS =
  /^(?=.{1,253}$)(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/;

/** Refuses whatever the DER encoding would refuse, lengths included. */
export function storeMetadataFromJson(value: unknown): StoreMetadataRequest {
  const members = new Members(value, 'metadata');
  const iconType = members.optional('iconType', (raw, path) => oneOf(raw, path, ICON_TYPES));
  const icon = members.optional('icon', base64);
  const profileClass = members.optional('profileClass', (raw, path) => oneOf(raw, path, PROFILE_CLASSES));
  const notifications = members.optional(['notificationConfigurationInfo', 'notifications'], (raw, path) =>
    list(raw, path).map((entry, index) => notification(entry, `${path}[${index}]`)),
  );
  const profileOwner = members.optional('profileOwner', operatorId);
  const rules = members.optional('profilePolicyRules', (raw, path) =>
    list(raw, path).map((rule) => oneOf(rule, path, PROFILE_POLICY_RULES)),
  );
  const hriServerAddress = members.optional('hriServerAddress', text);
  const enterprise = members.optional('enterpriseConfiguration', enterpriseConfiguration);
  const opaque: { [F in (typeof HEX_FIELDS)[number]]?: Bytes } = {};
  for (const field of HEX_FIELDS) {
    const octets = members.optional(field, hex);
    if (octets !== undefined) opaque[field] = octets;
  }
  const metadata: StoreMetadataRequest = {
    iccid: members.required('iccid', iccid),
    serviceProviderName: members.required('serviceProviderName', text),
    profileName: members.required('profileName', text),
    ...(iconType && { iconType }),
    ...(icon && { icon }),
    profileClass: profileClass ?? 'operational',
    ...(notifications && { notificationConfigurationInfo: notifications }),
    ...(profileOwner && { profileOwner }),
    ...(rules && { profilePolicyRules: rules }),
    ...opaque,
    ...present({ hriServerAddress }),
    ...(enterprise && { enterpriseConfiguration: enterprise }),
  };
  members.end();
  encodeStoreMetadata(metadata);
  if (icon !== undefined && iconType !== undefined) checkIcon(iconType, icon);
  return metadata;
}

/** The JSON form, ready for JSON.stringify. */
export function storeMetadataToJson(metadata: StoreMetadataRequest): Json {
  const { icon, profileOwner, notificationConfigurationInfo, enterpriseConfiguration, ...rest } = metadata;
  const json: { [name: string]: unknown } = { ...rest };
  if (icon !== undefined) json.icon = Buffer.from(icon).toString('base64');
  if (profileOwner !== undefined) json.profileOwner = inHex(profileOwner);
  if (notificationConfigurationInfo !== undefined)
    json.notificationConfigurationInfo = notificationConfigurationInfo.map(inHex);
  if (enterpriseConfiguration !== undefined) {
    const { enterpriseRules } = enterpriseConfiguration;
    json.enterpriseConfiguration = {
      ...inHex(enterpriseConfiguration),
      ...(enterpriseRules && { enterpriseRules: inHex(enterpriseRules) }),
    };
  }
  for (const field of HEX_FIELDS) {
    const octets = metadata[field];
    if (octets !== undefined) json[field] = toHex(octets);
  }
  return json;
}

/** Octets among the members as hexadecimal. */
const inHex = (value: object): Json =>
  Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      member instanceof Uint8Array ? toHex(member) : member,
    ]),
  );

function notification(value: unknown, path: string): NotificationConfigurationInformation {
  const members = new Members(value, path);
  const entry = {
    profileManagementOperation: members.required(
      ['profileManagementOperation', 'operations', 'events'],
      (raw, at) => list(raw, at).map((event) => oneOf(event, at, NOTIFICATION_EVENTS)),
    ),
    notificationAddress: members.required(['notificationAddress', 'address'], (raw, at) =>
      ADDRESS.test(text(raw, at)) ? text(raw, at) : invalid(at, 'a fully qualified domain name'),
    ),
    ...additional(members),
  };
  members.end();
  return entry;
}

function operatorId(value: unknown, path: string): OperatorId {
  const members = new Members(value, path);
  const gid1 = members.optional('gid1', hex);
  const gid2 = members.optional('gid2', hex);
  const owner = {
    mccMnc: members.required('mccMnc', text),
    ...present({ gid1, gid2 }),
    ...additional(members),
  };
  members.end();
  return owner;
}

function enterpriseConfiguration(value: unknown, path: string): EnterpriseConfiguration {
  const members = new Members(value, path);
  const enterpriseRules = members.optional('enterpriseRules', (raw, at) => {
    const rules = new Members(raw, at);
    const read = {
      enterpriseRuleBits: rules.required('enterpriseRuleBits', (bits, bitsAt) =>
        list(bits, bitsAt).map((bit) => whole(bit, bitsAt, 31)),
      ),
      numberOfNonEnterpriseProfiles: rules.required('numberOfNonEnterpriseProfiles', (number, numberAt) =>
        whole(number, numberAt, 255),
      ),
      ...additional(rules),
    };
    rules.end();
    return read;
  });
  const enterpriseOid = members.required('enterpriseOid', text);
  if (!/^[0-2](?:\.(?:0|[1-9][0-9]{0,14}))+$/.test(enterpriseOid))
    invalid(`${path}.enterpriseOid`, 'an object identifier');
  const enterpriseName = members.required('enterpriseName', text);
  const later = additional(members);
  members.end();
  return { enterpriseOid, enterpriseName, ...present({ enterpriseRules }), ...later };
}

/** Fields of later versions, within an object as within the metadata. */
const additional = (members: Members) =>
  present({ additionalFields: members.optional('additionalFields', hex) });

/** The members of a JSON object; `end` refuses those that nobody asked for. */
class Members {
  readonly #path: string;
  readonly #left: Map<string, unknown>;

  constructor(value: unknown, path: string) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) invalid(path, 'an object');
    this.#path = path;
    this.#left = new Map(Object.entries(value).filter(([, member]) => member !== undefined));
  }

  /** The member under the one of these names that is present. */
  optional<T>(names: string | readonly string[], read: (raw: unknown, path: string) => T): T | undefined {
    const name = [names].flat().find((candidate) => this.#left.has(candidate));
    if (name === undefined) return undefined;
    const raw = this.#left.get(name);
    this.#left.delete(name);
    return read(raw, `${this.#path}.${name}`);
  }

  required<T>(names: string | readonly string[], read: (raw: unknown, path: string) => T): T {
    let found = false;
    const value = this.optional(names, (raw, path) => {
      found = true;
      return read(raw, path);
    });
    if (!found) refuse('metadataInvalid', `${this.#path}.${[names].flat()[0]} is missing`);
    return value as T;
  }

  end(): void {
    for (const name of this.#left.keys()) refuse('metadataInvalid', `${this.#path}.${name} has no meaning`);
  }
}

function invalid(path: string, expected: string): never {
  refuse('metadataInvalid', `${path} is not ${expected}`, { subjectIdentifier: path });
}

function text(raw: unknown, path: string): string {
  return typeof raw === 'string' ? raw : invalid(path, 'a string');
}

/** 19 or 20 digits; 19 with or without the F that fills the last octet. */
function iccid(raw: unknown, path: string): string {
  return checkIccid(text(raw, path).replace(/^([0-9]{19})[Ff]$/, '$1'));
}

function whole(raw: unknown, path: string, max: number): number {
  return typeof raw === 'number' && Number.isInteger(raw) && raw >= 0 && raw <= max
    ? raw
    : invalid(path, `a number from 0 to ${max}`);
}

function list(raw: unknown, path: string): readonly unknown[] {
  return Array.isArray(raw) ? raw : invalid(path, 'a list');
}

function oneOf<Name extends string>(raw: unknown, path: string, names: readonly Name[]): Name {
  return names.find((name) => name === raw) ?? invalid(path, `one of ${names.join(', ')}`);
}

function hex(raw: unknown, path: string): Bytes {
  try {
    return fromHex(text(raw, path));
  } catch (cause) {
    if (cause instanceof RangeError) invalid(path, 'hexadecimal');
    throw cause;
  }
}

function base64(raw: unknown, path: string): Bytes {
  const encoded = text(raw, path);
  const octets = Buffer.from(encoded, 'base64');
  // Buffer skips what it does not know; encoding again shows it
  return octets.toString('base64') === encoded ? octets : invalid(path, 'base64');
}
