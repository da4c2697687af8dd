import { equal } from '../../../codec/bytes.ts';
import type { PackageDraft, PeCodec } from '../draft.ts';
import { blank } from '../ef/blank.ts';
import { withField } from '../element.ts';
import { defineParameter, digitsInput, type Parameter, refuseParameter } from '../parameter.ts';
import {
  encodePinCodes,
  PIN_CODES,
  PIN_REFERENCE,
  type PinConfiguration,
  pinConfigurations,
} from '../pin-codes.ts';
import { elementsNamed } from '../profile-element.ts';
import {
  encodePukCodes,
  PUK_CODES,
  PUK_REFERENCE,
  type PukConfiguration,
  pukConfigurations,
} from '../puk-codes.ts';

const PIN_CODEC: PeCodec<readonly PinConfiguration[]> = {
  decode: pinConfigurations,
  encode: (fields, pins) => withField(fields, PIN_CODES, encodePinCodes(pins)),
};
const PUK_CODEC: PeCodec<readonly PukConfiguration[]> = {
  decode: pukConfigurations,
  encode: (fields, puks) => withField(fields, PUK_CODES, encodePukCodes(puks)),
};

const CODE_LENGTH = 8;

/** ASCII digits, FF padded (ETSI TS 102 221 section 9.5.1). */
export function encodeCode(digits: string): Buffer {
  const octets = blank(CODE_LENGTH);
  for (let i = 0; i < digits.length; i++) octets[i] = digits.charCodeAt(i);
  return octets;
}

function decodeCode(octets: Uint8Array): string {
  let end = octets.length;
  while (end > 0 && octets[end - 1] === 0xff) end--;
  return Buffer.from(octets.buffer, octets.byteOffset, end).toString('latin1');
}

/** Whether the octets are these digits and FF behind them. */
function saysCode(octets: Uint8Array, digits: string): boolean {
  for (let i = 0; i < octets.length; i++)
    if (octets[i] !== (i < digits.length ? digits.charCodeAt(i) : 0xff)) return false;
  return digits.length <= octets.length;
}

interface CodeSite<Code> {
  readonly place: number;
  readonly codes: readonly Code[];
}

/** A PIN, administrative key or PUK: every place in the package that defines the reference. */
function codeParameter<Code extends { readonly keyReference: number }>(
  name: string,
  spec: {
    readonly pe: 'pinCodes' | 'pukCodes';
    readonly codec: PeCodec<readonly Code[]>;
    readonly keyReference: number;
    readonly minDigits: number;
    value(code: Code): Uint8Array;
    withValue(code: Code, value: Buffer): Code;
  },
): Parameter {
  const { pe, codec, keyReference } = spec;
  const change = (draft: PackageDraft, { place, codes }: CodeSite<Code>, digits: string) =>
    draft.change(place, codec, codes, (current) =>
      current.map((code) =>
        code.keyReference === keyReference ? spec.withValue(code, encodeCode(digits)) : code,
      ),
    );
  return defineParameter<string, CodeSite<Code>>({
    name,
    secret: true,
    parse: (value) => digitsInput(name, value, spec.minDigits, CODE_LENGTH),
    sites(profile) {
      const sites = elementsNamed(profile, pe)
        .map((place) => ({ place, codes: codec.decode(profile.elements[place]!.fields) }))
        .filter(({ codes }) => codes.some((code) => code.keyReference === keyReference));
      return sites.length > 0 ? sites : refuseParameter(name, `the template has no ${pe} that defines it`);
    },
    target: ({ place }) => `${place}/${keyReference}`,
    write: change,
    read(profile, { place }) {
      const codes = codec.decode(profile.elements[place]!.fields);
      const found = codes.filter((code) => code.keyReference === keyReference).map(spec.value);
      const [first] = found;
      return first !== undefined && found.every((value) => equal(value, first)) ? decodeCode(first) : '';
    },
    text: (digits) => digits,
    slot: {
      find: (profile, { place }) =>
        codec
          .decode(profile.elements[place]!.fields)
          .filter((code) => code.keyReference === keyReference)
          .map(spec.value),
      octets: (_, digits) => encodeCode(digits),
      read: (_, octets) => decodeCode(octets),
      says: (_, octets, digits) => saysCode(octets, digits),
    },
  });
}

const pin = (name: string, keyReference: number) =>
  codeParameter<PinConfiguration>(name, {
    pe: 'pinCodes',
    codec: PIN_CODEC,
    keyReference,
    minDigits: 4,
    value: ({ pinValue }) => pinValue,
    withValue: (code, pinValue) => ({ ...code, pinValue }),
  });

const puk = (name: string, keyReference: number) =>
  codeParameter<PukConfiguration>(name, {
    pe: 'pukCodes',
    codec: PUK_CODEC,
    keyReference,
    minDigits: CODE_LENGTH,
    value: ({ pukValue }) => pukValue,
    withValue: (code, pukValue) => ({ ...code, pukValue }),
  });

export const codes: readonly Parameter[] = [
  pin('pin1', PIN_REFERENCE.pinAppl1),
  pin('pin2', PIN_REFERENCE.secondPinAppl1),
  pin('adm1', PIN_REFERENCE.adm1),
  pin('adm2', PIN_REFERENCE.adm2),
  puk('puk1', PUK_REFERENCE.pukAppl1),
  puk('puk2', PUK_REFERENCE.secondPukAppl1),
];
