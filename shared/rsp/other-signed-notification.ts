import type { Bytes } from '../codec/bytes.ts';
import { readSingle, type Tlv, tlv } from '../codec/tlv.ts';
import type { PublicKey } from '../crypto/curves.ts';
import { readRawSignature } from '../crypto/raw-signature.ts';
import { refuse } from '../errors.ts';
import { ExtensibleReader } from './extensibility.ts';
import {
  NOTIFICATION_METADATA,
  type NotificationMetadata,
  readNotificationMetadata,
} from './notification-metadata.ts';

/**
 * OtherSignedNotification (SGP.22 section 2.4a.1.3 and annex H), such as a deletion:
 * `30 { BF2F tbsOtherNotification, 5F37 euiccNotificationSignature, 30 euiccCertificate, 30 eumCertificate }`.
 */
export interface OtherSignedNotification {
  /** The whole element as received. */
  readonly raw: Bytes;
  readonly notificationMetadata: NotificationMetadata;
  /** The whole BF2F as received: what is signed. */
  readonly tbsOtherNotification: Bytes;
  /** Raw r‖s. */
  readonly euiccNotificationSignature: Bytes;
  /** DER as received; chain and EID are checked by the caller. */
  readonly euiccCertificate: Bytes;
  readonly eumCertificate: Bytes;
  /** Fields of later versions in what is signed (extensibility.ts). */
  readonly unknown: readonly Tlv[];
}

const SEQUENCE = 0x30;
const SIGNATURE = 0x5f37;
const TAGS = new Set([NOTIFICATION_METADATA, SIGNATURE, SEQUENCE]);

export function decodeOtherSignedNotification(octets: Bytes): OtherSignedNotification {
  const element = readSingle(octets, SEQUENCE, 'OtherSignedNotification');
  const unknown: Tlv[] = [];
  const reader = new ExtensibleReader(element, '', TAGS, unknown);
  const tbs = reader.expect(NOTIFICATION_METADATA, 'tbsOtherNotification');
  const euiccNotificationSignature = readRawSignature(reader, SIGNATURE, 'euiccNotificationSignature');
  const euiccCertificate = reader.expect(SEQUENCE, 'euiccCertificate').raw;
  const eumCertificate = reader.expect(SEQUENCE, 'eumCertificate').raw;
  reader.end();
  return {
    raw: element.raw,
    notificationMetadata: readNotificationMetadata(tbs, reader.path, unknown),
    tbsOtherNotification: tbs.raw,
    euiccNotificationSignature,
    euiccCertificate,
    eumCertificate,
    unknown,
  };
}

export function encodeOtherSignedNotification(
  notification: Omit<OtherSignedNotification, 'raw' | 'notificationMetadata' | 'unknown'>,
): Bytes {
  return tlv(
    SEQUENCE,
    notification.tbsOtherNotification,
    tlv(SIGNATURE, notification.euiccNotificationSignature),
    notification.euiccCertificate,
    notification.eumCertificate,
  );
}

/** Refuses a notification that SK.EUICC did not sign; the key is that of the checked euiccCertificate. */
export function verifyOtherSignedNotification(
  notification: OtherSignedNotification,
  euiccPublicKey: PublicKey,
): void {
  const { tbsOtherNotification, euiccNotificationSignature } = notification;
  const { curve } = euiccPublicKey;
  // the certificate comes with each notification anew
  if (!curve.signatureHolds(euiccPublicKey, tbsOtherNotification, euiccNotificationSignature, 'once'))
    refuse('euiccSignatureInvalid', 'euiccNotificationSignature does not hold over the notification');
}
