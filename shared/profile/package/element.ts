import type { Bytes } from '../../codec/bytes.ts';
import { type Tlv, TlvReader, tlv } from '../../codec/tlv.ts';
import { Refusal, refuse } from '../../errors.ts';
import { present } from '../../present.ts';

/**
 * Parts that all types of the TCA module "eUICC Profile Package: Interoperable Format" share. The module has
 * AUTOMATIC TAGS: the n-th component of a SEQUENCE or CHOICE carries context tag n, unless the type writes its
 * tags itself (Fcp, KeyObject, ApplicationInstance, PE-RFM).
 */

/** The context tag of component `index`, as the number of its octets: 0xa2, 0x82, 0xbf24. */
export function contextTag(index: number, constructed: boolean): number {
  const form = constructed ? 0xa0 : 0x80;
  return index < 31 ? form | index : ((form | 0x1f) << 8) | index;
}

/** The number that the tag stands for, whatever its class and form. */
export function tagNumber(tag: number): number {
  return tag <= 0xff ? tag & 0x1f : tag & 0x7f;
}

/** The children of a constructed element, each with its received octets. */
export function children(element: Tlv): readonly Tlv[] {
  const reader = TlvReader.of(element);
  const found: Tlv[] = [];
  while (!reader.done) found.push(reader.next());
  return found;
}

export function child(fields: readonly Tlv[], tag: number): Tlv | undefined {
  return fields.find((field) => field.tag === tag);
}

/** An element that we made, in the shape of one that was read; its offset says nothing. */
export function made(tag: number, ...parts: readonly (Bytes | undefined)[]): Tlv {
  const raw = tlv(tag, ...parts);
  const length = parts.reduce((sum, part) => sum + (part?.length ?? 0), 0);
  const first = tag > 0xffff ? tag >>> 16 : tag > 0xff ? tag >>> 8 : tag;
  return { tag, constructed: (first & 0x20) !== 0, offset: 0, raw, value: raw.subarray(raw.length - length) };
}

/**
 * The components with `replacement` in the place its tag has in an automatically tagged SEQUENCE; undefined
 * removes the component.
 */
export function withField(fields: readonly Tlv[], tag: number, replacement: Tlv | undefined): readonly Tlv[] {
  const others = fields.filter((field) => field.tag !== tag);
  if (replacement === undefined) return others;
  const at = others.findIndex((field) => tagNumber(field.tag) > tagNumber(tag));
  return at < 0 ? [...others, replacement] : [...others.slice(0, at), replacement, ...others.slice(at)];
}

export function encodeFields(tag: number, fields: readonly Tlv[]): Bytes {
  return tlv(tag, ...fields.map((field) => field.raw));
}

/** A small non-negative INTEGER in its shortest form (UInt8, UInt15, UInt16, key references). */
export function integerOf(element: Tlv, name: string): number {
  const { value } = element;
  const minimal = value.length < 2 || value[0] !== 0 || (value[1]! & 0x80) !== 0;
  if (value.length === 0 || value.length > 4 || (value[0]! & 0x80) !== 0 || !minimal) {
    refuse('profileInvalid', `${name} is not a non-negative INTEGER in its shortest form`, {
      offset: element.offset,
    });
  }
  return value.reduce((number, octet) => number * 256 + octet, 0);
}

/** Refuses a duplicate or out-of-order component: DER keeps the order of the type. */
export function ascending(fields: readonly Tlv[], name: string): readonly Tlv[] {
  for (let i = 1; i < fields.length; i++) {
    if (tagNumber(fields[i]!.tag) <= tagNumber(fields[i - 1]!.tag)) {
      refuse('profileInvalid', `${name} has a component twice or out of order`, {
        offset: fields[i]!.offset,
      });
    }
  }
  return fields;
}

/** Runs a decoder; what its TLV reader finds malformed is a malformed profile package. */
export function inProfile<T>(decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    if (error instanceof Refusal && error.code === 'protocolFormat') {
      return refuse('profileInvalid', error.message, {
        cause: error,
        ...present({ offset: error.offset, subjectIdentifier: error.subjectIdentifier }),
      });
    }
    throw error;
  }
}
