import { type Bytes, concat } from '../codec/bytes.ts';
import { readSingle, type Tlv, TlvReader, tlv } from '../codec/tlv.ts';
import { KEY_LENGTH, KEY_TYPE_AES } from '../crypto/session-keys.ts';
import { type PublicKey, SIGNATURE_LENGTH } from '../crypto/suite.ts';
import { refuse } from '../errors.ts';

/**
 * ES8+.InitialiseSecureChannel (SGP.22 section 5.5.1):
 * `BF23 { 82 remoteOpId, 80 transactionId, A6 { 80 keyType, 81 keyLen, 84 hostId }, 5F49 smdpOtpk, 5F37 smdpSign }`.
 */
export interface InitialiseSecureChannelRequest extends UnsignedSecureChannel {
  /** Raw r‖s, 64 octets. */
  readonly smdpSign: Bytes;
  /** What precedes smdpSign, as received. */
  readonly unsignedPart: Bytes;
}

export interface UnsignedSecureChannel {
  /** 1 to 16 octets. */
  readonly transactionId: Bytes;
  /** 1 to 16 octets, chosen by the server; an input of the key derivation. */
  readonly hostId: Bytes;
  /** Uncompressed point, 65 octets. */
  readonly smdpOtpk: Bytes;
}

export const INITIALISE_SECURE_CHANNEL = 0xbf23;
export const SMDP_SIGN = 0x5f37;
/** Octets of the element: two of tag, one of length, the signature. */
export const SMDP_SIGN_ELEMENT_LENGTH = 3 + SIGNATURE_LENGTH;
const OTPK = 0x5f49;
const CONTROL_REF_TEMPLATE = 0xa6;
const INSTALL_BOUND_PROFILE_PACKAGE = 1;

/** Every component but smdpSign, in order. */
export function encodeUnsignedPart({ transactionId, hostId, smdpOtpk }: UnsignedSecureChannel): Bytes {
  if (transactionId.length < 1 || transactionId.length > 16)
    throw new RangeError('a transactionId has 1 to 16 octets');
  if (hostId.length < 1 || hostId.length > 16) throw new RangeError('a hostId has 1 to 16 octets');
  if (smdpOtpk.length !== 65) throw new RangeError('smdpOtpk has 65 octets');
  return concat(
    Buffer.of(0x82, 1, INSTALL_BOUND_PROFILE_PACKAGE, 0x80, transactionId.length),
    transactionId,
    Buffer.of(CONTROL_REF_TEMPLATE, 8 + hostId.length),
    Buffer.of(0x80, 1, KEY_TYPE_AES, 0x81, 1, KEY_LENGTH, 0x84, hostId.length),
    hostId,
    Buffer.of(OTPK >> 8, OTPK & 0xff, smdpOtpk.length),
    smdpOtpk,
  );
}

/**
 * The message that smdpSign signs with SHA-256: the unsigned part and then the eUICC's one-time key in a 5F49 of its
 * own, which is not sent.
 */
export function smdpSignInput(unsignedPart: Bytes, euiccOtpk: Bytes): Bytes {
  return concat(unsignedPart, Buffer.of(OTPK >> 8, OTPK & 0xff, euiccOtpk.length), euiccOtpk);
}

export function encodeInitialiseSecureChannel(unsignedPart: Bytes, smdpSign: Bytes): Bytes {
  return tlv(INITIALISE_SECURE_CHANNEL, unsignedPart, tlv(SMDP_SIGN, smdpSign));
}

export function decodeInitialiseSecureChannel(octets: Bytes): InitialiseSecureChannelRequest {
  return readInitialiseSecureChannel(
    readSingle(octets, INITIALISE_SECURE_CHANNEL, 'InitialiseSecureChannelRequest'),
  );
}

export function readInitialiseSecureChannel(element: Tlv, parentPath = ''): InitialiseSecureChannelRequest {
  const reader = TlvReader.of(element, parentPath);
  const remoteOpId = reader.integer(0x82, 'remoteOpId');
  if (remoteOpId !== INSTALL_BOUND_PROFILE_PACKAGE)
    refuse('profileInvalid', `remoteOpId ${remoteOpId} is not installBoundProfilePackage`);
  const transactionId = reader.octets(0x80, 'transactionId', 1, 16);
  const crt = reader.enter(CONTROL_REF_TEMPLATE, 'controlRefTemplate');
  const keyType = crt.octets(0x80, 'keyType', 1);
  const keyLength = crt.octets(0x81, 'keyLen', 1);
  if (keyType[0] !== KEY_TYPE_AES || keyLength[0] !== KEY_LENGTH)
    refuse('profileInvalid', 'the control reference template is not for AES-128');
  const hostId = crt.octets(0x84, 'hostId', 1, 16);
  crt.end();
  const smdpOtpk = reader.octets(OTPK, 'smdpOtpk', 65);
  const smdpSign = reader.octets(SMDP_SIGN, 'smdpSign', SIGNATURE_LENGTH);
  reader.end();
  return {
    transactionId,
    hostId,
    smdpOtpk,
    smdpSign,
    unsignedPart: element.value.subarray(0, element.value.length - SMDP_SIGN_ELEMENT_LENGTH),
  };
}

/** Refuses a request whose smdpSign does not hold under the key of CERT.DPpb for this one-time key. */
export function verifySmdpSign(
  request: InitialiseSecureChannelRequest,
  euiccOtpk: Bytes,
  dppb: PublicKey,
): void {
  const message = smdpSignInput(request.unsignedPart, euiccOtpk);
  if (!dppb.suite.signatureHolds(dppb, message, request.smdpSign))
    refuse('profileInvalid', 'smdpSign does not hold');
}
