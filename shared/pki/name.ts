import { type Bytes, equal, toHex } from '../codec/bytes.ts';
import { type Tlv, TlvReader } from '../codec/tlv.ts';
import { OID, readOid } from './oids.ts';

const UTF8_STRING = 0x0c;
const PRINTABLE_STRING = 0x13;
const IA5_STRING = 0x16;
const MAX_ATTRIBUTES = 16;
const MAX_TEXT = 256;

export interface NameAttribute {
  /** Dotted attribute type. */
  readonly type: string;
  readonly value: string;
}

/** Name (RFC 5280 section 4.1.2.4); two are compared by `sameName`. */
export interface Name {
  readonly raw: Bytes;
  readonly attributes: readonly NameAttribute[];
}

export function readName(reader: TlvReader, name: string): Name {
  const element = reader.expect(0x30, name);
  return { raw: element.raw, attributes: nameAttributes(element, reader.path) };
}

/** The name of an issuer: that of the last certificate, octet by octet, for nearly all that come one after the other. */
export function readIssuer(reader: TlvReader): Name {
  const next = reader.peek();
  if (next !== undefined && equal(next.raw, lastIssuer.raw)) {
    reader.next();
    return { raw: next.raw, attributes: lastIssuer.attributes };
  }
  const name = readName(reader, 'issuer');
  // a copy: what was read is a view of much more
  lastIssuer = { raw: Uint8Array.from(name.raw), attributes: name.attributes };
  return name;
}

let lastIssuer: Name = { raw: new Uint8Array(0), attributes: [] };

/** The attributes of an RDNSequence element in order, values of several types in one set included. */
export function nameAttributes(element: Tlv, path: string): NameAttribute[] {
  const attributes: NameAttribute[] = [];
  const names = TlvReader.of(element, path);
  while (!names.done) {
    const set = names.enter(0x31, 'RelativeDistinguishedName');
    do {
      const attribute = set.enter(0x30, 'AttributeTypeAndValue');
      const type = readOid(attribute.expect(0x06, 'type'));
      attributes.push({ type, value: readText(attribute) });
      attribute.end();
      if (attributes.length > MAX_ATTRIBUTES)
        names.refuse(element, `name has more than ${MAX_ATTRIBUTES} attributes`);
    } while (!set.done);
  }
  return attributes;
}

/** An AttributeValue. Types of no text, retired text forms, and octets beyond ASCII in a form that has none: as RFC 4514 does, # and the octets. */
export function readText(attribute: TlvReader): string {
  const element = attribute.peek();
  if (element?.tag === UTF8_STRING) return attribute.text(UTF8_STRING, 'value', MAX_TEXT);
  const { tag, value, raw } = attribute.next('value');
  if (raw.length > MAX_TEXT) attribute.refuse(element!, `value is longer than ${MAX_TEXT} octets`);
  if ((tag !== PRINTABLE_STRING && tag !== IA5_STRING) || !isAscii(value)) return `#${toHex(raw)}`;
  return Buffer.from(value.buffer, value.byteOffset, value.length).toString('latin1');
}

function isAscii(octets: Bytes): boolean {
  for (let i = 0; i < octets.length; i++) if (octets[i]! >= 0x80) return false;
  return true;
}

/**
 * Are the names the same (RFC 5280 section 7.1)? Mostly octet by octet; where an issuer has written its name otherwise
 * than it is written in its own certificate (PrintableString for UTF8String, another case, more spaces), by its text.
 * What links a chain is the key all the same.
 */
export function sameName(a: Name, b: Name): boolean {
  return (
    equal(a.raw, b.raw) ||
    (a.attributes.length === b.attributes.length &&
      a.attributes.every((own, i) => sameAttribute(own, b.attributes[i]!)))
  );
}

/** A text that two names share where they are the same by `sameName`, and only then. */
export const nameKey = ({ attributes }: Name) =>
  JSON.stringify(attributes.map(({ type, value }) => [type, folded(value)]));

const ATTRIBUTE_NAMES: ReadonlyMap<string, string> = new Map([
  [OID.commonName, 'CN'],
  [OID.serialNumber, 'serialNumber'],
  [OID.countryName, 'C'],
  [OID.organizationName, 'O'],
  [OID.organizationalUnitName, 'OU'],
]);

/** For people: `CN=…, O=…`, in the order of the name. */
export function nameText(attributes: readonly NameAttribute[]): string {
  return attributes.map(({ type, value }) => `${ATTRIBUTE_NAMES.get(type) ?? type}=${value}`).join(', ');
}

/** caseIgnoreMatch (RFC 4518): case and repeated spaces make no difference. */
export function sameAttribute(a: NameAttribute, b: NameAttribute): boolean {
  return a.type === b.type && (a.value === b.value || folded(a.value) === folded(b.value));
}

const folded = (text: string) => text.normalize('NFKC').toLowerCase().trim().replace(/\s+/g, ' ');

/** The value of an attribute that occurs exactly once; undefined where it is absent or ambiguous. */
export function singleAttribute(attributes: readonly NameAttribute[], type: string): string | undefined {
  let found: NameAttribute | undefined;
  for (let i = 0; i < attributes.length; i++) {
    const attribute = attributes[i]!;
    if (attribute.type !== type) continue;
    if (found !== undefined) return undefined;
    found = attribute;
  }
  return found?.value;
}
