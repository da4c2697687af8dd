import { decodeBits } from '../../shared/codec/bit-string.ts';
import { type Bytes, toHex } from '../../shared/codec/bytes.ts';
import { isEid } from '../../shared/codec/eid.ts';
import { decodeIccid } from '../../shared/codec/iccid.ts';
import { decodeOid } from '../../shared/codec/oid.ts';
import { CURVES, SIGNATURE_LENGTHS } from '../../shared/crypto/curves.ts';
import { ONE_TIME_KEY_LENGTHS, SUITES } from '../../shared/crypto/suite.ts';
import { refuse } from '../../shared/errors.ts';

/** Values of elements for people. They refuse what their type does not allow; the walker adds the place. */

export function integer(value: Bytes): number | string {
  if (value.length === 0) return refuse('protocolFormat', 'an INTEGER has no octets');
  if (value.length > 6 || value[0]! & 0x80) return `0x${toHex(value)}`;
  return value.reduce((number, octet) => number * 256 + octet, 0);
}

/** A number and its name. */
export function named(names: (value: number) => string | undefined): (value: Bytes) => string | number {
  return (value) => {
    const number = integer(value);
    const name = typeof number === 'number' ? names(number) : undefined;
    return name === undefined ? number : `${number} ${name}`;
  };
}

export function octetsOf(min: number, max = min): (value: Bytes) => string {
  return (value) => {
    if (value.length < min || value.length > max)
      refuse(
        'protocolFormat',
        `${value.length} octets found where ${min === max ? min : `${min} to ${max}`} belong`,
      );
    return toHex(value);
  };
}

export const id16 = octetsOf(1, 16);
/** Raw r‖s, of some curve; a one-time key, of some suite. */
export const signature = octetsOf(SIGNATURE_LENGTHS.min, SIGNATURE_LENGTHS.max);
export const oneTimeKey = octetsOf(ONE_TIME_KEY_LENGTHS.min, ONE_TIME_KEY_LENGTHS.max);

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export function text(value: Bytes): string {
  try {
    return strictUtf8.decode(value);
  } catch {
    return refuse('protocolFormat', 'the text is not UTF-8');
  }
}

export function iccid(value: Bytes): string {
  return decodeIccid(value);
}

/** Wrong check digits are shown and not refused: which EIDs are right is a rule of those who use them. */
export function eid(value: Bytes): string {
  const digits = octetsOf(16)(value);
  return isEid(digits) ? digits : `${digits} (not an EID: digits or check digits are wrong)`;
}

export function oid(value: Bytes): string {
  return decodeOid(value);
}

export function curve(value: Bytes): string {
  const dotted = decodeOid(value);
  return [...SUITES, ...CURVES].find((row) => row.oid === dotted)?.name ?? dotted;
}

/** Named bits: names of the set ones; bits without a name by their number. */
export function bits(name: string, names: (bit: number) => string | undefined): (value: Bytes) => string {
  return (value) =>
    decodeBits(value, name)
      .map((bit) => names(bit) ?? `bit ${bit}`)
      .join(', ') || 'none';
}

/** Three octets of a VersionType. */
export function version(value: Bytes): string {
  octetsOf(3)(value);
  return value.join('.');
}

export function unsigned(value: Bytes): number | string {
  return value.length > 6 ? toHex(value) : value.reduce((number, octet) => number * 256 + octet, 0);
}

/** BOOLEAN as foreign CAs write it: TRUE may be any octet but 00 (shared/pki/der.ts). */
export function berFlag(value: Bytes): string {
  if (value.length !== 1) return refuse('protocolFormat', 'a BOOLEAN is one octet');
  if (value[0] === 0) return 'false';
  return value[0] === 0xff ? 'true' : `true, written as ${toHex(value)}`;
}

export function flag(value: Bytes): string {
  if (value.length !== 1 || (value[0] !== 0 && value[0] !== 0xff))
    return refuse('protocolFormat', 'a BOOLEAN is one octet, FF or 00');
  return value[0] === 0 ? 'false' : 'true';
}

export const nothing = (value: Bytes): string =>
  value.length === 0 ? 'present' : refuse('protocolFormat', 'a NULL has no octets');

/** Octets that are counted rather than shown: images and ciphertext. */
export function counted(what: string): (value: Bytes) => string {
  return (value) => `${value.length} octets of ${what}`;
}

/** GeneralizedTime or UTCTime as written. */
export const time = (value: Bytes): string => text(value);
