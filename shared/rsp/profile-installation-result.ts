import type { Bytes } from '../codec/bytes.ts';
import { decodeOid, encodeOid } from '../codec/oid.ts';
import { integerValue, readSingle, readTlv, type Tlv, type TlvReader, tlv } from '../codec/tlv.ts';
import type { PublicKey } from '../crypto/curves.ts';
import { readRawSignature } from '../crypto/raw-signature.ts';
import { refuse } from '../errors.ts';
import { present } from '../present.ts';
import { ExtensibleReader } from './extensibility.ts';
import { type BppCommandId, bppCommandName, bppCommandNumber } from './installation-error.ts';
import {
  encodeNotificationMetadata,
  NOTIFICATION_METADATA,
  type NotificationMetadata,
  readNotificationMetadata,
} from './notification-metadata.ts';

/**
 * ProfileInstallationResult (SGP.22 section 2.5.6 and annex H):
 * `BF37 { BF27 { 80 transactionId, BF2F …, [06 smdpOid], A2 finalResult }, 5F37 euiccSignPIR }`.
 * It names no certificate: the verifier knows from the transactionId whose key it must hold under.
 */
export interface ProfileInstallationResult extends ProfileInstallationResultData {
  /** The whole BF37 as received. */
  readonly raw: Bytes;
  /** The whole BF27 as received: what is signed. */
  readonly signedPart: Bytes;
  /** Raw r‖s. */
  readonly euiccSignPIR: Bytes;
  /** Fields of later versions, at any depth (extensibility.ts). */
  readonly unknown: readonly Tlv[];
}

/** What has to be read of a result to know whether it is signed. */
export type SignedResult = Pick<ProfileInstallationResult, 'raw' | 'signedPart' | 'euiccSignPIR' | 'unknown'>;

export interface ProfileInstallationResultData {
  /** 1 to 16 octets. */
  readonly transactionId: Bytes;
  readonly notificationMetadata: NotificationMetadata;
  /** As in CERT.DPpb, dotted; the v2.1 module leaves it out. */
  readonly smdpOid?: string;
  readonly finalResult: FinalResult;
}

export type FinalResult = { readonly successResult: SuccessResult } | { readonly errorResult: ErrorResult };

export interface SuccessResult {
  /** AID of the ISD-P, 5 to 16 octets. */
  readonly aid: Bytes;
  /** Concatenated EUICCResponse; see euicc-response.ts. Not parsed here: odd ones do not undo an installation. */
  readonly simaResponse: Bytes;
}

export interface ErrorResult {
  readonly bppCommandId: BppCommandId;
  /** See installation-error.ts; numbers without a name are possible. */
  readonly errorReason: number;
  readonly simaResponse?: Bytes;
}

export const PROFILE_INSTALLATION_RESULT = 0xbf37;
const PROFILE_INSTALLATION_RESULT_DATA = 0xbf27;
const EUICC_SIGN_PIR = 0x5f37;
const SIMA_RESPONSE_LIMIT = 0xffff;

const OUTER_TAGS = new Set([PROFILE_INSTALLATION_RESULT_DATA, EUICC_SIGN_PIR]);
const DATA_TAGS = new Set([0x80, NOTIFICATION_METADATA, 0x06, 0xa2]);
const SUCCESS_TAGS = new Set([0x4f, 0x04]);
const ERROR_TAGS = new Set([0x80, 0x81, 0x82]);

/** The frame of a result: enough to verify the signature, whatever the signed part says. */
export function decodeSignedResult(octets: Bytes): SignedResult {
  const element = readSingle(octets, PROFILE_INSTALLATION_RESULT, 'ProfileInstallationResult');
  const unknown: Tlv[] = [];
  const reader = new ExtensibleReader(element, '', OUTER_TAGS, unknown);
  const signed = reader.expect(PROFILE_INSTALLATION_RESULT_DATA, 'profileInstallationResultData');
  const euiccSignPIR = readRawSignature(reader, EUICC_SIGN_PIR, 'euiccSignPIR');
  reader.end();
  return { raw: element.raw, signedPart: signed.raw, euiccSignPIR, unknown };
}

export function decodeProfileInstallationResult(octets: Bytes): ProfileInstallationResult {
  const frame = decodeSignedResult(octets);
  const unknown = [...frame.unknown];
  const offset = frame.signedPart.byteOffset - octets.byteOffset;
  const signed = readTlv(frame.signedPart, 0, 'BF37', offset);
  const data = new ExtensibleReader(signed, 'BF37', DATA_TAGS, unknown);
  const transactionId = data.octets(0x80, 'transactionId', 1, 16);
  const notificationMetadata = readNotificationMetadata(
    data.expect(NOTIFICATION_METADATA, 'notificationMetadata'),
    data.path,
    unknown,
  );
  const oid = data.optional(0x06);
  const smdpOid = oid && decodeOid(oid.value);
  const finalResult = readFinalResult(data.enter(0xa2, 'finalResult'), unknown);
  data.end();
  return { ...frame, transactionId, notificationMetadata, ...present({ smdpOid }), finalResult, unknown };
}

function readFinalResult(reader: TlvReader, unknown: Tlv[]): FinalResult {
  const simaResponse = (from: TlvReader, tag: number): Bytes =>
    from.octets(tag, 'simaResponse', 0, SIMA_RESPONSE_LIMIT);
  const choice = reader.next('finalResult');
  reader.end();
  if (choice.tag === 0xa0) {
    const result = new ExtensibleReader(choice, reader.path, SUCCESS_TAGS, unknown);
    const aid = result.octets(0x4f, 'aid', 5, 16);
    const successResult = { aid, simaResponse: simaResponse(result, 0x04) };
    result.end();
    return { successResult };
  }
  if (choice.tag !== 0xa1) reader.refuse(choice, 'is neither successResult nor errorResult');
  const result = new ExtensibleReader(choice, reader.path, ERROR_TAGS, unknown);
  const bppCommandId = bppCommandName(result.integer(0x80, 'bppCommandId'));
  const errorReason = result.integer(0x81, 'errorReason');
  const response = result.done ? undefined : simaResponse(result, 0x82);
  result.end();
  return { errorResult: { bppCommandId, errorReason, ...(response && { simaResponse: response }) } };
}

/** The BF27 that an eUICC signs. */
export function encodeProfileInstallationResultData(data: ProfileInstallationResultData): Bytes {
  const { finalResult } = data;
  const result =
    'successResult' in finalResult
      ? tlv(0xa0, tlv(0x4f, finalResult.successResult.aid), tlv(0x04, finalResult.successResult.simaResponse))
      : tlv(
          0xa1,
          tlv(0x80, integerValue(bppCommandNumber(finalResult.errorResult.bppCommandId))),
          tlv(0x81, integerValue(finalResult.errorResult.errorReason)),
          finalResult.errorResult.simaResponse && tlv(0x82, finalResult.errorResult.simaResponse),
        );
  return tlv(
    PROFILE_INSTALLATION_RESULT_DATA,
    tlv(0x80, data.transactionId),
    encodeNotificationMetadata(data.notificationMetadata),
    data.smdpOid === undefined ? undefined : tlv(0x06, encodeOid(data.smdpOid)),
    tlv(0xa2, result),
  );
}

export function encodeProfileInstallationResult(signedPart: Bytes, euiccSignPIR: Bytes): Bytes {
  return tlv(PROFILE_INSTALLATION_RESULT, signedPart, tlv(EUICC_SIGN_PIR, euiccSignPIR));
}

/** Refuses a result that SK.EUICC did not sign; the octets received are verified, never a re-encoding. */
export function verifyProfileInstallationResult(
  result: Pick<ProfileInstallationResult, 'signedPart' | 'euiccSignPIR'>,
  euiccPublicKey: PublicKey,
): void {
  const { signedPart, euiccSignPIR } = result;
  // the certificate is read for each result anew
  if (!euiccPublicKey.curve.signatureHolds(euiccPublicKey, signedPart, euiccSignPIR, 'once'))
    refuse('euiccSignatureInvalid', 'euiccSignPIR does not hold over the result');
}
