import { type Bytes, toHex } from '../../shared/codec/bytes.ts';
import { decodeIccid, decodeInteger, decodeUtf8 } from '../coding.ts';
import { hexTag, readAll, readOnly, readTlv, type Tlv } from '../tlv.ts';
import { InstallationFault } from './fault.ts';

/** Bits of NotificationEvent. */
export const NOTIFICATION_EVENT = { install: 0, enable: 1, disable: 2, delete: 3 } as const;
export type NotificationEvent = keyof typeof NOTIFICATION_EVENT;

export interface NotificationConfiguration {
  readonly events: readonly number[];
  readonly address: string;
}

export interface ProfileOwner {
  /** Three octets as in EF.IMSI order (3GPP TS 24.008). */
  readonly mccMnc: Bytes;
}

/** What the eUICC takes from a StoreMetadataRequest. */
export interface ProfileMetadata {
  readonly iccid: string;
  readonly serviceProviderName: string;
  readonly profileName: string;
  /** 0 test, 1 provisioning, 2 operational. */
  readonly profileClass: number;
  readonly notifications: readonly NotificationConfiguration[];
  readonly owner?: ProfileOwner;
  /** Bits: 0 updateControl, 1 PPR1, 2 PPR2. */
  readonly policyRules: readonly number[];
}

/** Order of the v2 fields in the SEQUENCE; 22 and 23 are BF22 and BF23, serviceSpecificData. */
const V2_TAGS = [0x5a, 0x91, 0x92, 0x93, 0x94, 0x95, 0xb6, 0xb7, 0x99, 0xbf22, 0xbf23];

const malformed = (message: string): never => {
  throw new InstallationFault('incorrectInputValues', message);
};

/**
 * Reads a whole StoreMetadataRequest (BF25, SGP.22 §5.5.3). A tag outside v2 and `furtherTags` is fault 26,
 * anything else that is wrong with the octets is fault 1.
 */
export function parseMetadata(der: Bytes, furtherTags: readonly number[] = []): ProfileMetadata {
  const fields = new Map<number, Tlv>();
  let last = -1;
  for (const field of readAll(readOnly(der, 0xbf25).value)) {
    const order = [...V2_TAGS, ...furtherTags].indexOf(field.tag);
    if (order < 0) throw new InstallationFault('unknownTlvInMetadata', `metadata tag ${hexTag(field.tag)}`);
    if (order <= last) malformed(`metadata tag ${hexTag(field.tag)} is repeated or out of order`);
    last = order;
    fields.set(field.tag, field);
  }
  const value = (tag: number): Bytes | undefined => fields.get(tag)?.value;
  const mandatory = (tag: number): Bytes => value(tag) ?? malformed(`metadata lack ${hexTag(tag)}`);
  const owner = value(0xb7);
  const policyRules = namedBits(value(0x99));
  if (policyRules.length > 0 && owner === undefined) malformed('policy rules without profileOwner');
  checkIcon(value(0x93), value(0x94));
  return {
    iccid: decodeIccid(mandatory(0x5a)),
    serviceProviderName: limitedText(mandatory(0x91), 32),
    profileName: limitedText(mandatory(0x92), 64),
    profileClass: profileClassOf(value(0x95)),
    notifications: readAll(value(0xb6) ?? new Uint8Array()).map(parseNotificationConfiguration),
    policyRules,
    ...(owner === undefined ? {} : { owner: parseOwner(owner) }),
  };
}

function profileClassOf(value: Bytes | undefined): number {
  if (value === undefined) return 2;
  const profileClass = decodeInteger(value);
  return profileClass > 2 ? malformed(`profileClass ${profileClass}`) : profileClass;
}

function limitedText(octets: Bytes, limit: number): string {
  const text = decodeUtf8(octets);
  return [...text].length > limit ? malformed(`a name has at most ${limit} characters`) : text;
}

function checkIcon(iconType: Bytes | undefined, icon: Bytes | undefined): void {
  if ((iconType === undefined) !== (icon === undefined)) malformed('iconType and icon come together');
  if (iconType === undefined || icon === undefined) return;
  const type = decodeInteger(iconType);
  if (icon.length > 1024) malformed('an icon has at most 1024 octets');
  const magic = toHex(icon.subarray(0, 4));
  if (type > 1 || (type === 0 ? !magic.startsWith('ffd8') : magic !== '89504e47')) {
    malformed('the icon is not of its iconType');
  }
}

function parseNotificationConfiguration(element: Tlv): NotificationConfiguration {
  if (element.tag !== 0x30) malformed('a notification configuration is a SEQUENCE');
  const [events, address, extra] = readAll(element.value);
  if (events?.tag !== 0x80 || address?.tag !== 0x81 || extra !== undefined) {
    return malformed('a notification configuration has events and an address');
  }
  return { events: namedBits(events.value), address: decodeUtf8(address.value) };
}

function parseOwner(value: Bytes): ProfileOwner {
  const [mccMnc, ...groups] = readAll(value);
  if (mccMnc?.tag !== 0x80 || mccMnc.value.length !== 3) malformed('profileOwner starts with mccMnc');
  const tags = groups.map(({ tag }) => tag).join();
  if (!['', '129', '130', '129,130'].includes(tags)) malformed('profileOwner has mccMnc, gid1, gid2');
  return { mccMnc: readTlv(value).value };
}

/** Set bits of a BIT STRING's content octets. */
export function namedBits(value: Bytes | undefined): number[] {
  if (value === undefined) return [];
  const [unused = 8, ...octets] = value;
  if (unused > 7 || (octets.length === 0 && unused > 0)) malformed('BIT STRING with wrong unused bits');
  return octets.flatMap((octet, index) =>
    [0, 1, 2, 3, 4, 5, 6, 7].filter((bit) => octet & (0x80 >> bit)).map((bit) => index * 8 + bit),
  );
}
