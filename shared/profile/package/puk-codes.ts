import type { Bytes } from '../../codec/bytes.ts';
import { integerValue, type Tlv, tlv } from '../../codec/tlv.ts';
import { refuse } from '../../errors.ts';
import { ascending, child, children, integerOf, made } from './element.ts';
import { integerOr, unlessDefault } from './pin-codes.ts';

/** PUKConfiguration of PE-PUKCodes. `pukValue` is a secret: eight ASCII digits. */
export interface PukConfiguration {
  readonly keyReference: number;
  readonly pukValue: Bytes;
  /** High nibble: maximum number of attempts; low nibble: attempts left. DEFAULT 0xAA. */
  readonly attempts: number;
}

export const PUK_REFERENCE = { pukAppl1: 0x01, secondPukAppl1: 0x81 } as const;

/** Tag of `pukCodes` in PE-PUKCodes. */
export const PUK_CODES = 0xa1;
const DEFAULT_ATTEMPTS = 0xaa;

export function pukConfigurations(fields: readonly Tlv[]): readonly PukConfiguration[] {
  const list = child(fields, PUK_CODES) ?? refuse('profileInvalid', 'a PE-PUKCodes has no pukCodes');
  return children(list).map((element) => {
    const parts = ascending(children(element), 'PUKConfiguration');
    const reference = child(parts, 0x80);
    const value = child(parts, 0x81);
    if (reference === undefined || value?.value.length !== 8) {
      return refuse('profileInvalid', 'a PUKConfiguration lacks its reference or an eight-octet value');
    }
    return {
      keyReference: integerOf(reference, 'keyReference'),
      pukValue: value.value,
      attempts: integerOr(child(parts, 0x82), DEFAULT_ATTEMPTS),
    };
  });
}

/** The `pukCodes` component in DER: DEFAULT values are left out. */
export function encodePukCodes(puks: readonly PukConfiguration[]): Tlv {
  const encode = (puk: PukConfiguration): Bytes =>
    tlv(
      0x30,
      tlv(0x80, integerValue(puk.keyReference)),
      tlv(0x81, puk.pukValue),
      unlessDefault(0x82, puk.attempts, DEFAULT_ATTEMPTS),
    );
  return made(PUK_CODES, ...puks.map(encode));
}
