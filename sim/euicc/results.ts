import type { Bytes } from '../../shared/codec/bytes.ts';
import { encodeIccid, encodeInteger, encodeOid } from '../coding.ts';
import { type EcKey, sign } from '../curve.ts';
import { bitString } from '../euicc-info2.ts';
import { tlv } from '../tlv.ts';
import {
  BPP_COMMAND,
  type BppCommand,
  ERROR_REASON,
  type ErrorReason,
  PE_STATUS,
  type PeFault,
} from './fault.ts';
import { NOTIFICATION_EVENT, type NotificationEvent } from './metadata.ts';

export interface Notification {
  readonly seqNumber: number;
  readonly event: NotificationEvent;
  /** FQDN; empty where the eUICC has learnt none. */
  readonly address: string;
  readonly iccid?: string | undefined;
}

export type FinalResult =
  | { readonly isdpAid: Bytes }
  | { readonly command: BppCommand; readonly reason: ErrorReason; readonly pe?: PeFault | undefined };

export interface InstallationResult {
  readonly transactionId: Bytes;
  readonly notification: Notification;
  /** OID of CERT.DPpb, dotted. */
  readonly smdpOid: string;
  readonly finalResult: FinalResult;
}

/** NotificationMetadata (BF2F, SGP.22 §5.7.9). */
function encodeNotificationMetadata({ seqNumber, event, address, iccid }: Notification): Bytes {
  return tlv(
    0xbf2f,
    tlv(0x80, encodeInteger(seqNumber)),
    tlv(0x81, bitString([NOTIFICATION_EVENT[event]])),
    tlv(0x0c, Buffer.from(address, 'utf8')),
    ...(iccid === undefined ? [] : [tlv(0x5a, encodeIccid(iccid))]),
  );
}

/** EUICCResponse of the TCA profile package: one PEStatus, and the abort mark where it failed. */
function encodeEuiccResponse({ status, identification }: PeFault): Bytes {
  const peStatus = tlv(
    0x30,
    tlv(0x80, encodeInteger(PE_STATUS[status])),
    ...(identification === undefined ? [] : [tlv(0x81, encodeInteger(identification))]),
  );
  return tlv(0x30, tlv(0xa0, peStatus), ...(status === 'ok' ? [] : [tlv(0x81)]));
}

function encodeFinalResult(result: FinalResult): Bytes {
  if ('isdpAid' in result) {
    return tlv(0xa0, tlv(0x4f, result.isdpAid), tlv(0x04, encodeEuiccResponse({ status: 'ok' })));
  }
  return tlv(
    0xa1,
    tlv(0x80, encodeInteger(BPP_COMMAND[result.command])),
    tlv(0x81, encodeInteger(ERROR_REASON[result.reason])),
    ...(result.pe === undefined ? [] : [tlv(0x82, encodeEuiccResponse(result.pe))]),
  );
}

/** ProfileInstallationResult (BF37, SGP.22 §2.5.6): SK.EUICC signs the whole BF27. */
export function signInstallationResult(result: InstallationResult, key: EcKey): Bytes {
  const data = tlv(
    0xbf27,
    tlv(0x80, result.transactionId),
    encodeNotificationMetadata(result.notification),
    tlv(0x06, encodeOid(result.smdpOid)),
    tlv(0xa2, encodeFinalResult(result.finalResult)),
  );
  return tlv(0xbf37, data, tlv(0x5f37, sign(key, data)));
}

/** OtherSignedNotification (SGP.22 §5.7.9): SK.EUICC signs the whole BF2F; both certificates follow. */
export function signOtherNotification(
  notification: Notification,
  key: EcKey,
  euiccCert: Bytes,
  eumCert: Bytes,
): Bytes {
  const metadata = encodeNotificationMetadata(notification);
  return tlv(0x30, metadata, tlv(0x5f37, sign(key, metadata)), euiccCert, eumCert);
}
