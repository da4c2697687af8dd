import { type Bytes, equal } from '../../codec/bytes.ts';
import { integerValue, type Tlv, tlv } from '../../codec/tlv.ts';
import { refuse } from '../../errors.ts';
import { child, children, integerOf, made, withField } from './element.ts';

/** One component of a key: GlobalPlatform key type (80 DES, 85 TLS-PSK, 88 AES …) and its secret octets. */
export interface KeyComponent {
  readonly keyType: Bytes;
  readonly keyData: Bytes;
  /** DEFAULT 8. */
  readonly macLength: number;
}

/** KeyObject of PE-SecurityDomain; a key is named by its version number (KVN) and identifier. */
export interface KeyObject {
  /** One or two octets (GlobalPlatform Card Specification, section 11.1.9). */
  readonly keyUsageQualifier: Bytes;
  /** One octet, DEFAULT 00. */
  readonly keyAccess: Bytes;
  readonly keyIdentifier: number;
  readonly keyVersionNumber: number;
  readonly keyCounterValue: Bytes | undefined;
  readonly keyComponents: readonly KeyComponent[];
}

/** Tag of `keyList` in PE-SecurityDomain. */
export const KEY_LIST = 0xa2;
const INSTANCE = 0xa1;
const INSTANCE_AID_POSITION = 2;
const DEFAULT_ACCESS = Buffer.of(0x00);
const DEFAULT_MAC_LENGTH = 8;

/** AID of the security domain: the third [APPLICATION 15] of its ApplicationInstance. */
export function instanceAid(fields: readonly Tlv[]): Bytes {
  const instance = child(fields, INSTANCE) ?? refuse('profileInvalid', 'a PE-SecurityDomain has no instance');
  const aid = children(instance).filter(({ tag }) => tag === 0x4f)[INSTANCE_AID_POSITION];
  return aid?.value ?? refuse('profileInvalid', 'a PE-SecurityDomain has no instanceAID');
}

export function keyList(fields: readonly Tlv[]): readonly KeyObject[] {
  const list = child(fields, KEY_LIST);
  return list === undefined ? [] : children(list).map(decodeKeyObject);
}

function decodeKeyObject(element: Tlv): KeyObject {
  const fields = children(element);
  const octets = (tag: number, name: string, min: number, max: number): Bytes => {
    const value = child(fields, tag)?.value;
    if (value === undefined || value.length < min || value.length > max) {
      return refuse('profileInvalid', `a KeyObject lacks ${name}`, { offset: element.offset });
    }
    return value;
  };
  const components = child(fields, 0x30) ?? refuse('profileInvalid', 'a KeyObject has no keyComponents');
  return {
    keyUsageQualifier: octets(0x95, 'keyUsageQualifier', 1, 2),
    keyAccess: child(fields, 0x96)?.value ?? DEFAULT_ACCESS,
    keyIdentifier: octets(0x82, 'keyIdentifier', 1, 1)[0]!,
    keyVersionNumber: octets(0x83, 'keyVersionNumber', 1, 1)[0]!,
    keyCounterValue: child(fields, 0x85)?.value,
    keyComponents: children(components).map((component) => {
      const parts = children(component);
      const keyType = child(parts, 0x80)?.value;
      const keyData = child(parts, 0x86)?.value;
      const mac = child(parts, 0x87);
      if (keyType === undefined || keyData === undefined) {
        return refuse('profileInvalid', 'a key component lacks its type or data', {
          offset: component.offset,
        });
      }
      return { keyType, keyData, macLength: mac ? integerOf(mac, 'macLength') : DEFAULT_MAC_LENGTH };
    }),
  };
}

/** The components of the PE with this key list in DER. */
export function withKeyList(fields: readonly Tlv[], keys: readonly KeyObject[]): readonly Tlv[] {
  return withField(
    fields,
    KEY_LIST,
    keys.length === 0 ? undefined : made(KEY_LIST, ...keys.map(encodeKeyObject)),
  );
}

function encodeKeyObject(key: KeyObject): Bytes {
  const components = key.keyComponents.map(({ keyType, keyData, macLength }) =>
    tlv(
      0x30,
      tlv(0x80, keyType),
      tlv(0x86, keyData),
      macLength === DEFAULT_MAC_LENGTH ? undefined : tlv(0x87, integerValue(macLength)),
    ),
  );
  return tlv(
    0x30,
    tlv(0x95, key.keyUsageQualifier),
    equal(key.keyAccess, DEFAULT_ACCESS) ? undefined : tlv(0x96, key.keyAccess),
    tlv(0x82, Buffer.of(key.keyIdentifier)),
    tlv(0x83, Buffer.of(key.keyVersionNumber)),
    key.keyCounterValue && tlv(0x85, key.keyCounterValue),
    tlv(0x30, ...components),
  );
}
