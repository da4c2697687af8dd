import { type Bytes, wipe } from '../codec/bytes.ts';
import { checkEid, encodeEid } from '../codec/eid.ts';
import { OctetWriter } from '../codec/octet-writer.ts';
import { readSingle } from '../codec/tlv.ts';
import { headerLength, tlvLength } from '../codec/tlv-header.ts';
import { together } from '../concurrency.ts';
import {
  type BspKeys,
  BspSealer,
  encryptedElementLength,
  MAC_ONLY_DATA_LIMIT,
  macOnlyElementLength,
  TAG_86,
  TAG_87,
  wipeBspKeys,
} from '../crypto/bsp.ts';
import { deriveSessionKeys } from '../crypto/session-keys.ts';
import type { Encapsulation, OneTimeKey, Suite } from '../crypto/suite.ts';
import { Fault, refuse } from '../errors.ts';
import { Digest } from '../keys/provider.ts';
import {
  BOUND_PROFILE_PACKAGE,
  FIRST_SEQUENCE_OF_87,
  SECOND_SEQUENCE_OF_87,
  SEQUENCE_OF_86,
  SEQUENCE_OF_88,
} from '../rsp/bound-profile-package.ts';
import { type DpProprietaryData, encodeConfigureIsdp } from '../rsp/configure-isdp.ts';
import {
  encodeUnsignedPart,
  INITIALISE_SECURE_CHANNEL,
  SMDP_SIGN,
  smdpSignElementLength,
  smdpSignInput,
} from '../rsp/initialise-secure-channel.ts';
import { encodeReplaceSessionKeys, REPLACE_SESSION_KEYS_LENGTH } from '../rsp/replace-session-keys.ts';
import { STORE_METADATA } from '../rsp/store-metadata.ts';
import type { Ppk } from './ppk.ts';
import { uppSegmentsLength, writeUppSegments } from './protect.ts';

/**
 * Binding (SGP.22 sections 2.5.4, 2.5.5 and 5.5): one profile, one eUICC, one use of its one-time key. Synchronous up
 * to the signature, so that a chunk can have many signatures under way at its key provider:
 * `prepareBinding` → sign `toBeSigned` → `assemble`.
 */
export interface BindingRequest {
  /** 32 digits. */
  readonly eid: string;
  /** The eUICC's one-time public key, whose suite is that of the binding. */
  readonly euiccOtpk: OneTimeKey;
  /** A StoreMetadataRequest, whole TLV, which goes out as it is. */
  readonly metadataDer: Bytes;
  /** 1 to 16 octets each. */
  readonly transactionId: Bytes;
  readonly hostId: Bytes;
  readonly payload: BindingPayload;
  readonly dpProprietaryData?: DpProprietaryData;
  /** Of the agreement, only to reproduce published vectors; otherwise drawn by the suite. The caller wipes it. */
  readonly randomness?: Bytes;
}

export type BindingPayload =
  /** Protected before: '86' elements and the keys that ReplaceSessionKeys hands over. */
  | { readonly mode: 'ppk'; readonly segments: Bytes; readonly ppk: Ppk }
  /** Protected now, under the session keys. */
  | { readonly mode: 'session'; readonly upp: Bytes };

export interface PreparedBinding {
  /** What SK.DPpb signs. */
  readonly toBeSigned: Digest;
  readonly smdpOtpk: Bytes;
  /** Puts smdpSign (raw r‖s) in its place and returns the BoundProfilePackage. */
  assemble(smdpSign: Bytes): Bytes;
}

export type SmdpSigner = (digest: Digest) => Promise<Bytes>;

/** Binds one profile. A Refusal names what is wrong with the inputs; the signer's own errors pass through. */
export async function bindProfile(request: BindingRequest & { readonly sign: SmdpSigner }): Promise<Bytes> {
  const prepared = prepareBinding(request);
  return prepared.assemble(await request.sign(prepared.toBeSigned));
}

/** What of a request nothing depends on that is signed. */
export type BoundContent = Pick<BindingRequest, 'metadataDer' | 'payload'>;

/**
 * The same for who waits for the profile as well: the signature is asked for while the profile is still being read.
 * Undefined where there is none; what was signed is of no use then. Session keys live until both are there.
 */
export async function bindWhileReading(
  request: Omit<BindingRequest, keyof BoundContent> & {
    readonly content: Promise<BoundContent | undefined>;
    readonly sign: SmdpSigner;
  },
): Promise<Bytes | undefined> {
  const { euiccOtpk, hostId, transactionId, content } = request;
  const agreed = euiccOtpk.encapsulate(request.randomness);
  const keys = sessionKeys(euiccOtpk.suite, agreed, hostId, encodeEid(checkEid(request.eid)));
  const sealer = new BspSealer(keys);
  try {
    const unsignedPart = encodeUnsignedPart(euiccOtpk.suite.channel, { transactionId, hostId, ...agreed });
    const toBeSigned = Digest.of(smdpSignInput(unsignedPart, euiccOtpk.octets));
    const [smdpSign, read] = await together(request.sign(toBeSigned), content);
    return read && layOut({ ...request, ...read }, agreed, sealer).assemble(smdpSign);
  } finally {
    sealer.wipe();
    wipeBspKeys(keys);
  }
}

/** Everything but the signature. Ephemeral key, shared secret and session keys are gone when it returns or throws. */
export function prepareBinding(request: BindingRequest): PreparedBinding {
  const { euiccOtpk, hostId } = request;
  const eid = encodeEid(checkEid(request.eid));
  const agreed = euiccOtpk.encapsulate(request.randomness);
  const keys = sessionKeys(euiccOtpk.suite, agreed, hostId, eid);
  const sealer = new BspSealer(keys);
  try {
    return layOut(request, agreed, sealer);
  } finally {
    sealer.wipe();
    wipeBspKeys(keys);
  }
}

function sessionKeys(suite: Suite, agreed: Encapsulation, hostId: Bytes, eid: Bytes): BspKeys {
  try {
    return deriveSessionKeys(suite, agreed, hostId, eid);
  } finally {
    wipe(agreed.sharedSecret);
  }
}

/** Writes the package into one buffer of its final size, with a gap for the signature. */
function layOut(request: BindingRequest, agreed: Encapsulation, sealer: BspSealer): PreparedBinding {
  const { payload, euiccOtpk, transactionId, hostId } = request;
  const { channel: form, curve } = euiccOtpk.suite;
  const { signatureLength } = curve;
  const metadata = readSingle(request.metadataDer, STORE_METADATA, 'StoreMetadataRequest').raw;
  const configureIsdp = encodeConfigureIsdp(request);
  const unsignedPart = encodeUnsignedPart(form, { transactionId, hostId, ...agreed });

  const channel = unsignedPart.length + smdpSignElementLength(signatureLength);
  const first87 = encryptedElementLength(configureIsdp.length);
  const all88 = metadataSegmentsLength(metadata.length);
  const second87 = encryptedElementLength(REPLACE_SESSION_KEYS_LENGTH);
  const all86 = payload.mode === 'ppk' ? payload.segments.length : uppSegmentsLength(payload.upp.length);
  const content =
    tlvLength(INITIALISE_SECURE_CHANNEL, channel) +
    tlvLength(FIRST_SEQUENCE_OF_87, first87) +
    tlvLength(SEQUENCE_OF_88, all88) +
    (payload.mode === 'ppk' ? tlvLength(SECOND_SEQUENCE_OF_87, second87) : 0) +
    tlvLength(SEQUENCE_OF_86, all86);

  const out = new OctetWriter(headerLength(BOUND_PROFILE_PACKAGE, content) + content);
  out.header(BOUND_PROFILE_PACKAGE, content);
  out.header(INITIALISE_SECURE_CHANNEL, channel);
  out.put(unsignedPart);
  out.header(SMDP_SIGN, signatureLength);
  const signatureOffset = out.reserve(signatureLength);
  out.header(FIRST_SEQUENCE_OF_87, first87);
  sealer.encrypt(TAG_87, configureIsdp, out);
  out.header(SEQUENCE_OF_88, all88);
  for (let at = 0; at < metadata.length; at += MAC_ONLY_DATA_LIMIT)
    sealer.macOnly(metadata.subarray(at, at + MAC_ONLY_DATA_LIMIT), out);
  if (payload.mode === 'ppk') {
    if (payload.segments[0] !== TAG_86) refuse('profileInvalid', 'the protected profile has no segments');
    const replaceSessionKeys = encodeReplaceSessionKeys(payload.ppk);
    out.header(SECOND_SEQUENCE_OF_87, second87);
    sealer.encrypt(TAG_87, replaceSessionKeys, out);
    wipe(replaceSessionKeys);
    out.header(SEQUENCE_OF_86, all86);
    out.put(payload.segments);
  } else {
    out.header(SEQUENCE_OF_86, all86);
    writeUppSegments(sealer, payload.upp, out);
  }
  sealer.authenticate(out);
  const bpp = out.finish();

  return {
    toBeSigned: Digest.of(smdpSignInput(unsignedPart, euiccOtpk.octets)),
    smdpOtpk: agreed.smdpOtpk,
    assemble(smdpSign) {
      if (smdpSign.length !== signatureLength)
        throw new Fault('keyProvider', `a signature has ${signatureLength} octets, not ${smdpSign.length}`);
      bpp.set(smdpSign, signatureOffset);
      return bpp;
    },
  };
}

/** Octets of the '88' elements of a StoreMetadataRequest, which continues in further ones when it is long. */
function metadataSegmentsLength(length: number): number {
  const full = Math.floor(length / MAC_ONLY_DATA_LIMIT);
  const rest = length % MAC_ONLY_DATA_LIMIT;
  return full * macOnlyElementLength(MAC_ONLY_DATA_LIMIT) + (rest > 0 ? macOnlyElementLength(rest) : 0);
}
