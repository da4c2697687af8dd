import type { Bytes } from '../codec/bytes.ts';
import { readSingle, type Tlv, TlvReader, tlv } from '../codec/tlv.ts';
import { SEGMENT_LIMIT, TAG_86, TAG_87, TAG_88 } from '../crypto/bsp.ts';
import { present } from '../present.ts';
import {
  INITIALISE_SECURE_CHANNEL,
  type InitialiseSecureChannelRequest,
  readInitialiseSecureChannel,
} from './initialise-secure-channel.ts';

/**
 * BoundProfilePackage (SGP.22 section 2.5.5):
 * `BF36 { BF23 …, A0 { 87 }, A1 { 88 … }, [A2 { 87 }], A3 { 86 … } }`.
 * The protected elements are flat and primitive; each is at most 1020 octets.
 */
export interface BoundProfilePackage {
  readonly initialiseSecureChannelRequest: InitialiseSecureChannelRequest;
  /** The whole BF23. */
  readonly initialiseSecureChannelElement: Tlv;
  /** ConfigureISDP. */
  readonly firstSequenceOf87: readonly Tlv[];
  /** StoreMetadata. */
  readonly sequenceOf88: readonly Tlv[];
  /** ReplaceSessionKeys; absent when the profile is protected by the session keys. */
  readonly secondSequenceOf87?: readonly Tlv[];
  /** LoadProfileElements. */
  readonly sequenceOf86: readonly Tlv[];
}

export const BOUND_PROFILE_PACKAGE = 0xbf36;
export const FIRST_SEQUENCE_OF_87 = 0xa0;
export const SEQUENCE_OF_88 = 0xa1;
export const SECOND_SEQUENCE_OF_87 = 0xa2;
export const SEQUENCE_OF_86 = 0xa3;

/** The envelope only: MACs and ciphertext are checked by who holds the keys. */
export function decodeBoundProfilePackage(octets: Bytes): BoundProfilePackage {
  const reader = TlvReader.of(readSingle(octets, BOUND_PROFILE_PACKAGE, 'BoundProfilePackage'));
  const initialiseSecureChannelElement = reader.expect(
    INITIALISE_SECURE_CHANNEL,
    'initialiseSecureChannelRequest',
  );
  const request = readInitialiseSecureChannel(initialiseSecureChannelElement, reader.path);
  const firstSequenceOf87 = protectedElements(
    reader.enter(FIRST_SEQUENCE_OF_87, 'firstSequenceOf87'),
    TAG_87,
  );
  const sequenceOf88 = protectedElements(reader.enter(SEQUENCE_OF_88, 'sequenceOf88'), TAG_88);
  const second = reader.optional(SECOND_SEQUENCE_OF_87);
  const secondSequenceOf87 = second && protectedElements(TlvReader.of(second, reader.path), TAG_87);
  const sequenceOf86 = protectedElements(reader.enter(SEQUENCE_OF_86, 'sequenceOf86'), TAG_86);
  reader.end();
  return {
    initialiseSecureChannelRequest: request,
    initialiseSecureChannelElement,
    firstSequenceOf87,
    sequenceOf88,
    ...present({ secondSequenceOf87 }),
    sequenceOf86,
  };
}

/** The elements of one sequence: at least one, all with this tag, none too long. */
function protectedElements(reader: TlvReader, tag: number): Tlv[] {
  const elements: Tlv[] = [];
  do {
    const element = reader.expect(tag, 'protected element');
    if (element.raw.length > SEGMENT_LIMIT)
      reader.refuse(element, `has ${element.raw.length} octets, more than ${SEGMENT_LIMIT}`);
    elements.push(element);
  } while (!reader.done);
  return elements;
}

export function encodeBoundProfilePackage(bpp: BoundProfilePackage): Bytes {
  const sequence = (tag: number, elements: readonly Tlv[]): Bytes =>
    tlv(tag, ...elements.map((element) => element.raw));
  return tlv(
    BOUND_PROFILE_PACKAGE,
    bpp.initialiseSecureChannelElement.raw,
    sequence(FIRST_SEQUENCE_OF_87, bpp.firstSequenceOf87),
    sequence(SEQUENCE_OF_88, bpp.sequenceOf88),
    bpp.secondSequenceOf87 && sequence(SECOND_SEQUENCE_OF_87, bpp.secondSequenceOf87),
    sequence(SEQUENCE_OF_86, bpp.sequenceOf86),
  );
}
