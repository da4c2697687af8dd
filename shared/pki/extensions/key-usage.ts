import type { TlvReader } from '../../codec/tlv.ts';
import { readNamedBits } from '../der.ts';

/** KeyUsage (RFC 5280 section 4.2.1.3): bit n of the type as bit n of the number. */
export type KeyUsage = number;

export const DIGITAL_SIGNATURE: KeyUsage = 1 << 0;
export const KEY_CERT_SIGN: KeyUsage = 1 << 5;
export const CRL_SIGN: KeyUsage = 1 << 6;

export function decodeKeyUsage(reader: TlvReader): KeyUsage {
  return readNamedBits(reader, 'keyUsage', 9);
}
