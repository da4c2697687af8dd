import { decodeNamedBits, encodeNamedBits } from '../codec/bit-string.ts';
import type { Bytes } from '../codec/bytes.ts';
import { decodeIccid, encodeIccid } from '../codec/iccid.ts';
import { integerValue, readSingle, type Tlv, tlv } from '../codec/tlv.ts';
import { refuse } from '../errors.ts';
import { present } from '../present.ts';
import { ExtensibleReader } from './extensibility.ts';
import { NOTIFICATION_EVENTS, type NotificationEvent } from './notification-event.ts';
import { utf8Within } from './text.ts';

/**
 * NotificationMetadata (SGP.22 section 2.4a.1.3 and annex H):
 * `BF2F { 80 seqNumber, 81 profileManagementOperation, 0C notificationAddress, [5A iccid] }`.
 */
export interface NotificationMetadata {
  /** One counter per eUICC, never reset. */
  readonly seqNumber: number;
  /** Exactly one event. */
  readonly profileManagementOperation: NotificationEvent;
  readonly notificationAddress: string;
  /** 19 or 20 digits. */
  readonly iccid?: string;
}

export const NOTIFICATION_METADATA = 0xbf2f;
const TAGS = new Set([0x80, 0x81, 0x0c, 0x5a]);
const ADDRESS_LIMIT = 255;

export function encodeNotificationMetadata(metadata: NotificationMetadata): Bytes {
  return tlv(
    NOTIFICATION_METADATA,
    tlv(0x80, integerValue(metadata.seqNumber)),
    tlv(0x81, encodeNamedBits([metadata.profileManagementOperation], NOTIFICATION_EVENTS)),
    tlv(0x0c, utf8Within('notificationAddress', metadata.notificationAddress, ADDRESS_LIMIT)),
    metadata.iccid === undefined ? undefined : tlv(0x5a, encodeIccid(metadata.iccid)),
  );
}

export function decodeNotificationMetadata(octets: Bytes): NotificationMetadata {
  return readNotificationMetadata(readSingle(octets, NOTIFICATION_METADATA, 'NotificationMetadata'));
}

/** Fields of later versions are added to `unknown`. */
export function readNotificationMetadata(
  element: Tlv,
  parentPath = '',
  unknown: Tlv[] = [],
): NotificationMetadata {
  const reader = new ExtensibleReader(element, parentPath, TAGS, unknown);
  const seqNumber = reader.integer(0x80, 'seqNumber');
  const events = decodeNamedBits(
    reader.expect(0x81, 'profileManagementOperation').value,
    NOTIFICATION_EVENTS,
    'profileManagementOperation',
  );
  const [profileManagementOperation] = events;
  if (profileManagementOperation === undefined || events.length !== 1)
    refuse('protocolFormat', `profileManagementOperation has ${events.length} bits set, not one`);
  const notificationAddress = reader.text(0x0c, 'notificationAddress', ADDRESS_LIMIT);
  const iccid = reader.peek()?.tag === 0x5a ? decodeIccid(reader.octets(0x5a, 'iccid', 10)) : undefined;
  reader.end();
  return {
    seqNumber,
    profileManagementOperation,
    notificationAddress,
    ...present({ iccid }),
  };
}
