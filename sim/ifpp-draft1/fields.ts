import type { Bytes } from '../../shared/codec/bytes.ts';
import { decodeInteger } from '../coding.ts';
import { type Fields, SimError, tlv } from '../tlv.ts';

/** version [0] INTEGER (1). */
export const VERSION = tlv(0x80, Uint8Array.of(1));
export const text = (value: string): Bytes => Buffer.from(value, 'utf8');
export const sequenceOfOctets = (tag: number, values: readonly Bytes[]): Bytes =>
  tlv(tag, ...values.map((value) => tlv(0x04, value)));

export function takeVersion(fields: Fields): void {
  const version = decodeInteger(fields.take(0x80).value);
  if (version !== 1) throw new SimError(`version ${version} is not known`);
}

/** An Id16. */
export function takeId(fields: Fields, tag: number): Bytes {
  const { value } = fields.take(tag);
  if (value.length < 1 || value.length > 16) throw new SimError('an identifier has 1 to 16 octets');
  return value;
}
