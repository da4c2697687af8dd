import type { Bytes } from '../../codec/bytes.ts';
import { integerValue, type Tlv, tlv } from '../../codec/tlv.ts';
import { refuse } from '../../errors.ts';
import { ascending, child, children, integerOf, made } from './element.ts';

/** PINConfiguration of PE-PINCodes. `pinValue` is a secret: ASCII digits, FF padded to eight octets. */
export interface PinConfiguration {
  readonly keyReference: number;
  readonly pinValue: Bytes;
  readonly unblockingPinReference: number | undefined;
  /** DEFAULT 7. */
  readonly pinAttributes: number;
  /** High nibble: maximum number of attempts; low nibble: attempts left. DEFAULT 0x33. */
  readonly attempts: number;
}

/** PINKeyReferenceValue: the ones that are personalised. */
export const PIN_REFERENCE = { pinAppl1: 0x01, adm1: 0x0a, adm2: 0x0b, secondPinAppl1: 0x81 } as const;

/** Tag of `pinCodes` in PE-PINCodes: an explicit tag, because its type is a CHOICE. */
export const PIN_CODES = 0xa1;
const PIN_CONFIG = 0xa0;
const PIN_PATH = 0x81;
const DEFAULT_ATTRIBUTES = 7;
const DEFAULT_ATTEMPTS = 0x33;

/** The PINs that a PE-PINCodes defines; none when it shares those of another directory (filePath). */
export function pinConfigurations(fields: readonly Tlv[]): readonly PinConfiguration[] {
  const choice = child(fields, PIN_CODES) ?? refuse('profileInvalid', 'a PE-PINCodes has no pinCodes');
  const config = children(choice).find(({ tag }) => tag === PIN_CONFIG);
  return config === undefined ? [] : children(config).map(decodePinConfiguration);
}

/** The directory whose PINs a PE-PINCodes shares, as its path; undefined where it defines its own. */
export function sharedPins(fields: readonly Tlv[]): Bytes | undefined {
  const choice = child(fields, PIN_CODES);
  return choice && children(choice).find(({ tag }) => tag === PIN_PATH)?.value;
}

function decodePinConfiguration(element: Tlv): PinConfiguration {
  const fields = ascending(children(element), 'PINConfiguration');
  const reference = child(fields, 0x80);
  const value = child(fields, 0x81);
  if (reference === undefined || value?.value.length !== 8) {
    return refuse('profileInvalid', 'a PINConfiguration lacks its reference or an eight-octet value');
  }
  const unblocking = child(fields, 0x82);
  return {
    keyReference: integerOf(reference, 'keyReference'),
    pinValue: value.value,
    unblockingPinReference: unblocking && integerOf(unblocking, 'unblockingPINReference'),
    pinAttributes: integerOr(child(fields, 0x83), DEFAULT_ATTRIBUTES),
    attempts: integerOr(child(fields, 0x84), DEFAULT_ATTEMPTS),
  };
}

/** The `pinCodes` component in DER: DEFAULT values are left out. */
export function encodePinCodes(pins: readonly PinConfiguration[]): Tlv {
  return made(PIN_CODES, tlv(PIN_CONFIG, ...pins.map(encodePinConfiguration)));
}

function encodePinConfiguration(pin: PinConfiguration): Bytes {
  return tlv(
    0x30,
    tlv(0x80, integerValue(pin.keyReference)),
    tlv(0x81, pin.pinValue),
    pin.unblockingPinReference === undefined
      ? undefined
      : tlv(0x82, integerValue(pin.unblockingPinReference)),
    unlessDefault(0x83, pin.pinAttributes, DEFAULT_ATTRIBUTES),
    unlessDefault(0x84, pin.attempts, DEFAULT_ATTEMPTS),
  );
}

export function integerOr(element: Tlv | undefined, fallback: number): number {
  return element === undefined ? fallback : integerOf(element, 'an INTEGER');
}

export function unlessDefault(tag: number, value: number, fallback: number): Bytes | undefined {
  return value === fallback ? undefined : tlv(tag, integerValue(value));
}
