import { type Bytes, concat } from '../codec/bytes.ts';
import { readSingle, type Tlv, TlvReader, tlv, tlvHeader } from '../codec/tlv.ts';
import { tlvLength } from '../codec/tlv-header.ts';
import type { PublicKey } from '../crypto/curves.ts';
import { readRawSignature } from '../crypto/raw-signature.ts';
import { type ChannelForm, channelOf } from '../crypto/suite.ts';
import { refuse } from '../errors.ts';

/**
 * ES8+.InitialiseSecureChannel (SGP.22 section 5.5.1):
 * `BF23 { 82 remoteOpId, 80 transactionId, A6 { 80 keyType, 81 keyLen, 84 hostId }, 5F49 smdpOtpk, 5F37 smdpSign }`.
 * A suite that encapsulates a key puts its ciphertext behind smdpOtpk, under a tag of its own.
 */
export interface InitialiseSecureChannelRequest extends UnsignedSecureChannel {
  /** Raw r‖s. */
  readonly smdpSign: Bytes;
  /** What precedes smdpSign, as received. */
  readonly unsignedPart: Bytes;
}

export interface UnsignedSecureChannel {
  /** 1 to 16 octets. */
  readonly transactionId: Bytes;
  /** 1 to 16 octets, chosen by the server; an input of the key derivation. */
  readonly hostId: Bytes;
  /** What the server brings to the agreement, and its ciphertext, in the lengths of the suite's form. */
  readonly smdpOtpk: Bytes;
  readonly ciphertext?: Bytes;
}

export const INITIALISE_SECURE_CHANNEL = 0xbf23;
export const SMDP_SIGN = 0x5f37;
const OTPK = 0x5f49;
const CONTROL_REF_TEMPLATE = 0xa6;
const INSTALL_BOUND_PROFILE_PACKAGE = 1;

/** Octets of the element with a signature of `signatureLength` octets. */
export function smdpSignElementLength(signatureLength: number): number {
  return tlvLength(SMDP_SIGN, signatureLength);
}

/** Every component but smdpSign, in order, in the form of the suite. */
export function encodeUnsignedPart(form: ChannelForm, channel: UnsignedSecureChannel): Bytes {
  const { transactionId, hostId, smdpOtpk, ciphertext } = channel;
  if (transactionId.length < 1 || transactionId.length > 16)
    throw new RangeError('a transactionId has 1 to 16 octets');
  if (hostId.length < 1 || hostId.length > 16) throw new RangeError('a hostId has 1 to 16 octets');
  if (smdpOtpk.length !== form.smdpOtpkLength)
    throw new RangeError(`smdpOtpk has ${form.smdpOtpkLength} octets`);
  if (ciphertext?.length !== form.ciphertext?.length)
    throw new RangeError(`the ciphertext has ${form.ciphertext?.length ?? 'no'} octets`);
  return concat(
    Buffer.of(0x82, 1, INSTALL_BOUND_PROFILE_PACKAGE, 0x80, transactionId.length),
    transactionId,
    Buffer.of(CONTROL_REF_TEMPLATE, 8 + hostId.length),
    Buffer.of(0x80, 1, form.keyType, 0x81, 1, form.keyLength, 0x84, hostId.length),
    hostId,
    tlvHeader(OTPK, smdpOtpk.length),
    smdpOtpk,
    ...(form.ciphertext === undefined ? [] : [tlv(form.ciphertext.tag, ciphertext)]),
  );
}

/**
 * The message that smdpSign signs with SHA-256: the unsigned part and then the eUICC's one-time key in a 5F49 of its
 * own, which is not sent.
 */
export function smdpSignInput(unsignedPart: Bytes, euiccOtpk: Bytes): Bytes {
  return concat(unsignedPart, tlvHeader(OTPK, euiccOtpk.length), euiccOtpk);
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
  const form = channelOf(crt.octets(0x80, 'keyType', 1)[0]!, crt.octets(0x81, 'keyLen', 1)[0]!);
  const hostId = crt.octets(0x84, 'hostId', 1, 16);
  crt.end();
  const smdpOtpk = reader.octets(OTPK, 'smdpOtpk', form.smdpOtpkLength);
  const ciphertext =
    form.ciphertext && reader.octets(form.ciphertext.tag, 'ciphertext', form.ciphertext.length);
  const smdpSign = readRawSignature(reader, SMDP_SIGN, 'smdpSign');
  reader.end();
  return {
    transactionId,
    hostId,
    smdpOtpk,
    ...(ciphertext !== undefined && { ciphertext }),
    smdpSign,
    unsignedPart: element.value.subarray(0, element.value.length - smdpSignElementLength(smdpSign.length)),
  };
}

/** Refuses a request whose smdpSign does not hold under the key of CERT.DPpb for this one-time key. */
export function verifySmdpSign(
  request: InitialiseSecureChannelRequest,
  euiccOtpk: Bytes,
  dppb: PublicKey,
): void {
  const message = smdpSignInput(request.unsignedPart, euiccOtpk);
  if (!dppb.curve.signatureHolds(dppb, message, request.smdpSign))
    refuse('profileInvalid', 'smdpSign does not hold');
}
