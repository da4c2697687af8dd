import { toHex } from '../../../codec/bytes.ts';
import { Refusal } from '../../../errors.ts';
import { decodeRoutingIndicator, encodeRoutingIndicator } from '../ef/routing-indicator.ts';
import {
  decodeSuciCalcInfo,
  encodeSuciCalcInfo,
  type SuciCalcInfo,
  suciFault,
} from '../ef/suci-calc-info.ts';
import { fileImage } from '../files.ts';
import {
  digitsInput,
  octetsInput,
  type Parameter,
  type ParameterValue,
  refuseParameter,
  type SuciValue,
} from '../parameter.ts';
import type { PeName } from '../profile-element.ts';
import { fileParameter } from './file-parameter.ts';

/** Structured, or the content of EF.SUCI_Calc_Info in octets or hexadecimal text. */
function suciInput(name: string, value: ParameterValue): SuciCalcInfo {
  const info = isSuciValue(value) ? structured(name, value) : decoded(name, octetsInput(name, value));
  const fault = suciFault(info);
  return fault === undefined ? info : refuseParameter(name, fault);
}

/** Rows come from outside, so that the type alone says nothing. */
function isSuciValue(value: ParameterValue): value is SuciValue {
  if (typeof value !== 'object' || value === null || !('schemes' in value) || !('keys' in value))
    return false;
  return [value.schemes, value.keys].every(
    (list) => Array.isArray(list) && list.every((entry) => typeof entry === 'object' && entry !== null),
  );
}

function structured(name: string, { schemes, keys }: SuciValue): SuciCalcInfo {
  return {
    schemes: schemes.map(({ id, keyIndex }) => ({ id, keyIndex })),
    keys: keys.map(({ id, key }) => ({ id, key: octetsInput(name, key) })),
  };
}

function decoded(name: string, content: Uint8Array): SuciCalcInfo {
  try {
    return decodeSuciCalcInfo(content);
  } catch (error) {
    if (error instanceof Refusal) return refuseParameter(name, 'is not the content of EF.SUCI_Calc_Info');
    throw error;
  }
}

function suciParameter(name: string, pes: readonly PeName[], file: string): Parameter {
  return fileParameter({
    name,
    pes,
    file,
    parse: (value) => suciInput(name, value),
    encode(info, view) {
      const content = encodeSuciCalcInfo(info);
      return Buffer.concat([content, Buffer.alloc(Math.max(0, (view.size ?? 0) - content.length), 0xff)]);
    },
    decode: (view) => toHex(encodeSuciCalcInfo(decodeSuciCalcInfo(fileImage(view)))),
    text: (info) => toHex(encodeSuciCalcInfo(info)),
  });
}

/** SUCI computed in the ME: DF.5GS EF.SUCI_Calc_Info. */
export const suci = suciParameter('suci', ['df-5gs', 'opt-iot'], 'ef-suci-calc-info');

/** SUCI computed on the card (GET IDENTITY): DF.SAIP EF.SUCI_Calc_Info_USIM. */
export const suciOnCard = suciParameter('suciOnCard', ['df-saip', 'opt-iot'], 'ef-suci-calc-info-usim');

export const routingIndicator = fileParameter({
  name: 'routingIndicator',
  pes: ['df-5gs', 'opt-iot'],
  file: 'ef-routing-indicator',
  parse: (value) => digitsInput('routingIndicator', value, 1, 4),
  encode: encodeRoutingIndicator,
  decode: (view) => decodeRoutingIndicator(fileImage(view)),
  text: (digits) => digits,
});
