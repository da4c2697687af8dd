import { type Bytes, toHex, utf8 } from '../codec/bytes.ts';
import { encodeEid } from '../codec/eid.ts';
import { decodeIccid, encodeIccid } from '../codec/iccid.ts';
import { integerValue, readSingleTlv, type TlvReader, tlv, tlvOf } from '../codec/tlv.ts';
import { readRawSignature } from '../crypto/raw-signature.ts';
import { ONE_TIME_KEY_LENGTHS } from '../crypto/suite.ts';
import { refuse } from '../errors.ts';
import { MODULE_VERSION } from './version.ts';

/**
 * The simple types of ifpp-draft1.asn, by their context tag. EIDs and ICCIDs are digit strings in memory and
 * identifiers (`Id16`) lower-case hexadecimal; whether an EID's check digits hold is a rule, not a matter of format,
 * so it is checked item by item and not here.
 */
const primitive = (n: number) => 0x80 + n;
const constructed = (n: number) => 0xa0 + n;

/** Upper bounds of what one message may list. */
export const LIMITS = {
  /** A single embedded DER element, such as a certificate or BF22. */
  derTlv: 16_384,
  certificatesInChain: 8,
  chains: 64,
  text: 256,
} as const;

export const read = {
  version(reader: TlvReader): void {
    const version = reader.integer(primitive(0), 'version');
    if (version !== MODULE_VERSION) refuse('protocolVersion', `version ${version} is not supported`);
  },
  integer: (reader: TlvReader, n: number, name: string) => reader.integer(primitive(n), name),
  octets: (reader: TlvReader, n: number, name: string, length: number) =>
    reader.octets(primitive(n), name, length),
  /** Raw r‖s: whether it is as long as its key's curve wants, its verification tells. */
  signature: (reader: TlvReader, n: number, name: string) => readRawSignature(reader, primitive(n), name),
  /** A one-time key of some suite: whether it is one of its batch's, `Suite.oneTimeKey` tells. */
  oneTimeKey: (reader: TlvReader, n: number, name: string) =>
    reader.octets(primitive(n), name, ONE_TIME_KEY_LENGTHS.min, ONE_TIME_KEY_LENGTHS.max),
  id: (reader: TlvReader, n: number, name: string) => toHex(reader.octets(primitive(n), name, 1, 16)),
  text: (reader: TlvReader, n: number, name: string, max: number = LIMITS.text) =>
    plainText(reader, primitive(n), name, max),
  iccid: (reader: TlvReader, n: number, name: string) => decodeIccid(reader.octets(primitive(n), name, 10)),
  /** 32 hexadecimal characters; digits unless the sender is wrong. */
  eid: (reader: TlvReader, n: number, name: string) => toHex(reader.octets(primitive(n), name, 16)),
  /** One complete DER element inside an OCTET STRING: its framing is checked, its content is the consumer's. */
  derTlv(reader: TlvReader, n: number, name: string, max: number = LIMITS.derTlv): Bytes {
    const element = reader.expect(primitive(n), name);
    return derElement(element.value, element.offset, reader.path, name, max);
  },
  boolean(reader: TlvReader, n: number): boolean {
    const element = reader.optional(primitive(n));
    if (element === undefined) return false;
    if (element.value.length !== 1 || (element.value[0] !== 0xff && element.value[0] !== 0)) {
      reader.refuse(element, 'a BOOLEAN is one octet, FF or 00');
    }
    return element.value[0] === 0xff;
  },
  has: (reader: TlvReader, n: number) => {
    const tag = reader.peek()?.tag;
    return tag === primitive(n) || tag === constructed(n);
  },
  list<T>(reader: TlvReader, n: number, name: string, max: number, element: (list: TlvReader) => T): T[] {
    const list = reader.enter(constructed(n), name);
    const items: T[] = [];
    while (!list.done) {
      if (items.length >= max) refuse('tooLarge', `${name} has more than ${max} entries`);
      items.push(element(list));
    }
    return items;
  },
  /** One element of a SEQUENCE OF DerTlv. */
  listedDerTlv(list: TlvReader, name: string): Bytes {
    const element = list.expect(0x04, name);
    return derElement(element.value, element.offset, list.path, name, LIMITS.derTlv);
  },
  listedText: (list: TlvReader, name: string) => plainText(list, 0x0c, name, LIMITS.text),
};

/** As texts in JSON are: at least one character and none of control, since names of orders and parties are keys later. */
function plainText(reader: TlvReader, tag: number, name: string, max: number): string {
  const element = reader.peek();
  const text = reader.text(tag, name, max);
  if (text === '' || /\p{Cc}/u.test(text))
    reader.refuse(element!, `${name} is not a text of 1 to ${max} octets without control characters`);
  return text;
}

function derElement(value: Bytes, offset: number, path: string, name: string, max: number): Bytes {
  if (value.length > max)
    refuse('tooLarge', `${name} has ${value.length} octets, more than ${max}`, { offset });
  readSingleTlv(value, path, offset);
  return value;
}

export const write = {
  version: () => tlv(primitive(0), integerValue(MODULE_VERSION)),
  integer: (n: number, value: number) => tlv(primitive(n), integerValue(value)),
  octets: (n: number, value: Bytes) => tlv(primitive(n), value),
  id: (n: number, hex: string) => tlv(primitive(n), Buffer.from(hex, 'hex')),
  text: (n: number, value: string) => tlv(primitive(n), utf8(value)),
  iccid: (n: number, digits: string) => tlv(primitive(n), encodeIccid(digits)),
  eid: (n: number, digits: string) => tlv(primitive(n), encodeEid(digits)),
  boolean: (n: number, value: boolean) => tlv(primitive(n), Buffer.of(value ? 0xff : 0)),
  list: (n: number, items: readonly Bytes[]) => tlvOf(constructed(n), items),
  choice: (n: number, ...fields: readonly (Bytes | undefined)[]) => tlv(constructed(n), ...fields),
  sequence: (...fields: readonly (Bytes | undefined)[]) => tlv(0x30, ...fields),
};
