import type { Bytes } from '../codec/bytes.ts';
import type { TlvReader } from '../codec/tlv.ts';
import { SIGNATURE_LENGTHS } from './curves.ts';

/**
 * A raw r‖s signature in an element, of a length that some curve has: on which curve it is, and so how long it must be,
 * the verifier knows from the key.
 */
export function readRawSignature(reader: TlvReader, tag: number, name: string): Bytes {
  return reader.octets(tag, name, SIGNATURE_LENGTHS.min, SIGNATURE_LENGTHS.max);
}
