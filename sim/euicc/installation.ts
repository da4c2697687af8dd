import { type Bytes, concat, equal } from '../../shared/codec/bytes.ts';
import { BspError, BspReceiver, deriveSessionKeys } from '../bsp.ts';
import type { Certificate } from '../certificate.ts';
import { encodeEid } from '../coding.ts';
import { verify } from '../curve.ts';
import type { EuiccFeatures } from '../euicc-info2.ts';
import { agreeWith, type OneTimeKeyPair, publicOctets, SUITES } from '../suite.ts';
import { Fields, hexTag, readAll, readHeader, readOnly, readTlv, SimError, tlv } from '../tlv.ts';
import { type BppCommand, InstallationFault } from './fault.ts';
import { type ProfileMetadata, parseMetadata } from './metadata.ts';
import { installProfileElements } from './profile-elements.ts';

/** SGP.22 §2.5.5: a protected segment has at most 1020 octets, tag, length and MAC included. */
const SEGMENT_LIMIT = 1020;
/** Room for the header of BF36 and a BF23 with the longest identifiers, and for a ciphertext of ML-KEM-768. */
const SECURE_CHANNEL_LIMIT = 512 + 1100;

/** What an installation needs to know of its eUICC. */
export interface InstallationContext {
  readonly eid: string;
  readonly transactionId: Bytes;
  /** CERT.DPpb of a chain that was checked. */
  readonly dpPb: Certificate;
  readonly oneTimeKey: OneTimeKeyPair;
  readonly features: EuiccFeatures;
  readonly supportedClasses: readonly number[];
  readonly furtherMetadataTags: readonly number[];
  readonly freeMemory: number;
  hasProfile(iccid: string): boolean;
  hasOperationalProfile(): boolean;
  /** Called once smdpSign has verified: from here on the key serves this BF23 only. May refuse. */
  bindKey(request: Bytes): void;
}

export interface InstallableProfile {
  readonly metadata: ProfileMetadata;
  readonly upp: Bytes;
}

type Step =
  | 'secureChannel'
  | 'configure'
  | 'metadataHeader'
  | 'metadata'
  | 'keysOrElements'
  | 'elementsHeader'
  | 'elements';

const COMMAND_OF_STEP: Readonly<Record<Step, BppCommand>> = {
  secureChannel: 'initialiseSecureChannel',
  configure: 'configureISDP',
  metadataHeader: 'storeMetadata',
  metadata: 'storeMetadata',
  keysOrElements: 'loadProfileElements',
  elementsHeader: 'loadProfileElements',
  elements: 'loadProfileElements',
};

const structure = (message: string): never => {
  throw new InstallationFault('bspStructureError', message);
};

/** One BPP on its way in, segment by segment (SGP.22 §2.5.5); every fault is an InstallationFault. */
export class Installation {
  readonly #context: InstallationContext;
  #step: Step = 'secureChannel';
  #command: BppCommand = 'initialiseSecureChannel';
  #channel: BspReceiver | undefined;
  /** Octets that BF36, and inside it A1 or A3, still have to bring. */
  #bppLeft = 0;
  #partLeft = 0;
  #metadataSegments: Bytes[] = [];
  #metadata: ProfileMetadata | undefined;
  readonly #profile: Bytes[] = [];

  constructor(context: InstallationContext) {
    this.#context = context;
  }

  /** The command that a fault now is reported under. */
  get command(): BppCommand {
    return this.#command;
  }

  get metadata(): ProfileMetadata | undefined {
    return this.#metadata;
  }

  /** Refuses a segment that has grown past every limit before its last block came. */
  checkLength(length: number): void {
    const inSecond = this.#step === 'metadata' && this.#metadataSegments.length > 0;
    this.#command = inSecond ? 'storeMetadata2' : COMMAND_OF_STEP[this.#step];
    if (this.#step === 'secureChannel') {
      // not a protected segment: a hybrid one is longer than those may be
      if (length <= SECURE_CHANNEL_LIMIT) return;
      throw new InstallationFault('incorrectInputValues', 'InitialiseSecureChannel is too long');
    }
    if (length > SEGMENT_LIMIT) structure('a segment of more than 1020 octets');
  }

  /** Takes the next whole segment; returns the profile once the last one is in. */
  accept(segment: Bytes): InstallableProfile | undefined {
    try {
      this.checkLength(segment.length);
      return this.#dispatch(segment);
    } catch (error) {
      if (error instanceof BspError) {
        throw new InstallationFault(
          error.kind === 'security' ? 'bspSecurityError' : 'bspStructureError',
          error.message,
        );
      }
      if (error instanceof InstallationFault || !(error instanceof SimError)) throw error;
      throw new InstallationFault('incorrectInputValues', error.message);
    }
  }

  #dispatch(segment: Bytes): InstallableProfile | undefined {
    switch (this.#step) {
      case 'secureChannel':
        this.#initialiseSecureChannel(segment);
        return undefined;
      case 'configure':
        this.#configureIsdp(segment);
        return undefined;
      case 'metadataHeader':
        this.#partLeft = this.#openPart(segment, 0xa1);
        this.#step = 'metadata';
        return undefined;
      case 'metadata':
        this.#storeMetadata(segment);
        return undefined;
      case 'keysOrElements':
        if (segment[0] === 0xa2) this.#replaceSessionKeys(segment);
        else this.#startElements(segment);
        return undefined;
      case 'elementsHeader':
        this.#startElements(segment);
        return undefined;
      case 'elements':
        return this.#loadProfileElements(segment);
    }
  }

  /** SGP.22 §5.5.1. Values are looked at before the signature, so that the code names what is wrong. */
  #initialiseSecureChannel(segment: Bytes): void {
    const bpp = readHeader(segment);
    if (bpp.tag !== 0xbf36) throw new SimError('a BPP starts with BF36');
    const request = readOnly(segment.subarray(bpp.headerLength), 0xbf23);
    this.#bppLeft = bpp.length - request.raw.length;
    if (this.#bppLeft <= 0) throw new SimError('BF36 ends with its first command');
    const fields = new Fields(request.value);
    const remoteOpId = fields.take(0x82);
    const transactionId = fields.take(0x80);
    const controlRefTemplate = fields.take(0xa6);
    const { transactionId: expected, dpPb, oneTimeKey } = this.#context;
    const { keyType, ciphertextTag } = SUITES[oneTimeKey.suite];
    if (!equal(remoteOpId.value, Uint8Array.of(1))) {
      throw new InstallationFault('unsupportedRemoteOperationType', 'not installBoundProfilePackage');
    }
    // before what follows it: the key type says what that is, and a channel of a lesser suite is not taken
    const hostId = hostIdOf(controlRefTemplate.value, keyType);
    const smdpOtpk = fields.take(0x5f49);
    const ciphertext = ciphertextTag === undefined ? undefined : fields.take(ciphertextTag);
    const smdpSign = fields.take(0x5f37);
    fields.end();
    if (!equal(transactionId.value, expected)) {
      throw new InstallationFault('invalidTransactionId', 'not the transactionId of the LoadPackage');
    }
    const signed = concat(
      remoteOpId.raw,
      transactionId.raw,
      controlRefTemplate.raw,
      smdpOtpk.raw,
      ...(ciphertext === undefined ? [] : [ciphertext.raw]),
      tlv(0x5f49, publicOctets(oneTimeKey)),
    );
    if (!verify(dpPb.publicKey, signed, smdpSign.value)) {
      throw new InstallationFault('invalidSignature', 'smdpSign does not verify');
    }
    const { z, sharedInfo } = agreeWith(oneTimeKey, smdpOtpk.value, ciphertext?.value);
    this.#context.bindKey(request.raw);
    const eid = encodeEid(this.#context.eid);
    this.#channel = new BspReceiver(deriveSessionKeys(z, hostId, eid, { keyType, added: sharedInfo }));
    this.#step = 'configure';
  }

  /** A0 with one 87: ConfigureISDPRequest (BF24, SGP.22 §5.5.2). */
  #configureIsdp(segment: Bytes): void {
    const fields = new Fields(readCommand(this.#openSingle(segment, 0xa0), 0xbf24));
    const proprietary = fields.maybe(0xb8);
    fields.end();
    if (proprietary !== undefined) {
      if (proprietary.raw.length > 128) throw new SimError('dpProprietaryData has more than 128 octets');
      const content = new Fields(proprietary.value);
      // the published module's automatic tags make dpOid 80; some read it as a universal OBJECT IDENTIFIER
      if (content.maybe(0x80) === undefined) content.take(0x06);
    }
    this.#step = 'metadataHeader';
  }

  /** An 88 of A1; the second and last one reports as storeMetadata2 (SGP.22 §5.5.3). */
  #storeMetadata(segment: Bytes): void {
    if (this.#metadataSegments.length === 2) structure('StoreMetadata has at most two segments');
    this.#metadataSegments.push(this.#openElement(segment, 0x88));
    if (this.#partLeft > 0) return;
    const metadata = parseMetadata(concat(...this.#metadataSegments), this.#context.furtherMetadataTags);
    this.#checkMetadata(metadata);
    this.#metadata = metadata;
    this.#step = 'keysOrElements';
  }

  #checkMetadata(metadata: ProfileMetadata): void {
    const { supportedClasses, features } = this.#context;
    if (this.#context.hasProfile(metadata.iccid)) {
      throw new InstallationFault('installFailedDueToIccidAlreadyExistsOnEuicc', 'the ICCID is installed');
    }
    if (!supportedClasses.includes(metadata.profileClass)) {
      throw new InstallationFault('unsupportedProfileClass', `profileClass ${metadata.profileClass}`);
    }
    const forbidden = metadata.policyRules.some((rule) =>
      features.forbiddenProfilePolicyRules.includes(rule),
    );
    const isLatePpr1 = metadata.policyRules.includes(1) && this.#context.hasOperationalProfile();
    if (forbidden || isLatePpr1) throw new InstallationFault('pprNotAllowed', 'a policy rule is not allowed');
  }

  /** A2 with one 87: ReplaceSessionKeysRequest (BF26, SGP.22 §5.5.4). */
  #replaceSessionKeys(segment: Bytes): void {
    this.#command = 'replaceSessionKeys';
    const fields = new Fields(readCommand(this.#openSingle(segment, 0xa2), 0xbf26));
    const [initialMcv, encKey, macKey] = [0x80, 0x81, 0x82].map((tag) => fields.take(tag).value);
    fields.end();
    if (initialMcv?.length !== 16 || encKey?.length !== 16 || macKey?.length !== 16) {
      throw new SimError('replaced keys have 16 octets like those before');
    }
    this.#channel = new BspReceiver({ initialMcv, encKey, macKey });
    this.#step = 'elementsHeader';
  }

  #startElements(segment: Bytes): void {
    this.#partLeft = this.#openPart(segment, 0xa3);
    if (this.#partLeft !== this.#bppLeft) structure('A3 does not end where BF36 ends');
    if (this.#partLeft > this.#context.freeMemory) {
      throw new InstallationFault(
        'installFailedDueToInsufficientMemoryForProfile',
        'no room for the profile',
      );
    }
    this.#step = 'elements';
  }

  /** An 86 of A3 (SGP.22 §5.5.5); after the last one the profile elements are processed. */
  #loadProfileElements(segment: Bytes): InstallableProfile | undefined {
    this.#profile.push(this.#openElement(segment, 0x86));
    if (this.#partLeft > 0) return undefined;
    const metadata = this.#metadata;
    if (metadata === undefined) throw new Error('profile elements come after metadata');
    const upp = concat(...this.#profile);
    installProfileElements(upp, metadata, this.#context.features);
    return { metadata, upp };
  }

  /** Tag and length of A1 or A3, alone in its segment; returns the length of the part. */
  #openPart(segment: Bytes, tag: number): number {
    const header = structural(() => readHeader(segment));
    if (header.tag !== tag) structure(`${hexTag(header.tag)} where ${hexTag(tag)} belongs`);
    if (header.headerLength !== segment.length) structure('tag and length of a part come alone');
    this.#bppLeft -= header.headerLength;
    if (header.length === 0 || header.length > this.#bppLeft) structure('a part does not fit into BF36');
    return header.length;
  }

  /** A0 or A2, whole in its segment, around exactly one 87; returns the opened data. */
  #openSingle(segment: Bytes, tag: number): Bytes {
    const protectedData = structural(() => {
      const part = readTlv(segment);
      if (part.tag !== tag || part.raw.length !== segment.length) structure(`not one whole ${hexTag(tag)}`);
      return readOnly(part.value, 0x87).value;
    });
    this.#bppLeft -= segment.length;
    if (this.#bppLeft <= 0) structure('a part does not fit into BF36');
    return this.#open(0x87, protectedData);
  }

  #openElement(segment: Bytes, tag: number): Bytes {
    const protectedData = structural(() => readOnly(segment, tag).value);
    this.#partLeft -= segment.length;
    this.#bppLeft -= segment.length;
    if (this.#partLeft < 0) structure('a segment does not fit into its part');
    return this.#open(tag, protectedData);
  }

  #open(tag: number, protectedData: Bytes): Bytes {
    if (this.#channel === undefined) throw new Error('no secure channel');
    return this.#channel.open(tag, protectedData);
  }
}

/**
 * The command in a decrypted 87. The MAC does not cover the counter of the encryption: with a wrong one it holds, and
 * the first block comes out as noise. What is no TLV at all is therefore a security fault; another command, or a
 * wrong value in it, is an input fault.
 */
function readCommand(plaintext: Bytes, tag: number): Bytes {
  let whole: boolean;
  try {
    whole = readTlv(plaintext).raw.length === plaintext.length;
  } catch (error) {
    if (!(error instanceof SimError)) throw error;
    whole = false;
  }
  if (!whole) throw new InstallationFault('bspSecurityError', 'what was decrypted is no command');
  return readOnly(plaintext, tag).value;
}

/** CRT of AES-128 (16 octets, key type 88 or that of the key's suite) and a hostId of 1 to 16 octets. */
function hostIdOf(controlRefTemplate: Bytes, expected: number): Bytes {
  const [keyType, keyLength, hostId, extra] = readAll(controlRefTemplate);
  if (keyType?.tag !== 0x80 || keyLength?.tag !== 0x81 || hostId?.tag !== 0x84 || extra !== undefined) {
    throw new SimError('the CRT has keyType, keyLen and hostId');
  }
  if (!equal(keyType.value, Uint8Array.of(expected)) || !equal(keyLength.value, Uint8Array.of(0x10))) {
    throw new InstallationFault('unsupportedCrtValues', 'not AES-128 in the suite of the one-time key');
  }
  if (hostId.value.length < 1 || hostId.value.length > 16) throw new SimError('hostId has 1 to 16 octets');
  return hostId.value;
}

/** Octets that are no TLV at the level of segments are a structure error. */
function structural<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof InstallationFault || !(error instanceof SimError)) throw error;
    return structure(error.message);
  }
}
