import { type Bytes, toHex } from '../codec/bytes.ts';
import { completeIccid, luhnDigit } from '../codec/iccid.ts';
import { refuse } from '../errors.ts';
import { type CompiledTemplate, compileTemplate } from '../profile/package/personalise.ts';
import { templateSecrets } from '../profile/package/template-secrets.ts';
import type { ProfileClass } from '../rsp/store-metadata.ts';
import type { PersonalisationRules } from './services.ts';

/**
 * Values by rule: ICCID and IMSI count up with the position, secrets are drawn afresh for each profile. The order's
 * metadata says whether the profile is operational; then every secret of the template must be replaced.
 */
export interface Personaliser {
  readonly template: CompiledTemplate;
  iccid(position: number): string;
  /** A row: the parameters of the template by name. Secrets differ at each call. */
  values(position: number): Record<string, string>;
}

export function compileRules(
  upp: Bytes,
  rules: PersonalisationRules,
  profileClass: ProfileClass,
  random: (octets: number) => Bytes,
): Personaliser {
  const secrets = rules.keys === 'generate' ? templateSecrets(upp) : [];
  const columns = [
    'iccid',
    ...(rules.imsiStart === undefined ? [] : ['imsi']),
    ...secrets.map(({ name }) => name),
  ];
  const template = compileTemplate(upp, { profileClass, parameters: columns });
  const iccidBody = iccidWithoutLuhn(rules.iccidStart);
  const iccid = (position: number) => {
    const body = countUp(iccidBody, position, 'personalisation.iccidStart');
    return body + luhnDigit(body);
  };
  return {
    template,
    iccid,
    values: (position) => ({
      iccid: iccid(position),
      ...(rules.imsiStart === undefined
        ? {}
        : { imsi: countUp(rules.imsiStart, position, 'personalisation.imsiStart') }),
      ...Object.fromEntries(
        secrets.map(({ name, kind, length }) => [
          name,
          kind === 'digits' ? digits(random, length) : toHex(random(length)),
        ]),
      ),
    }),
  };
}

/** 18 or 19 digits are a body; 19 or 20 with a right Luhn digit lose it. */
function iccidWithoutLuhn(start: string): string {
  if (!/^[0-9]{18,20}$/.test(start))
    refuse('iccidInvalid', 'personalisation.iccidStart has 18 to 20 decimal digits');
  return completeIccid(start).slice(0, -1);
}

/** Decimal addition that keeps leading zeros and never grows a digit. */
function countUp(start: string, by: number, name: string): string {
  const sum = (BigInt(start) + BigInt(by)).toString().padStart(start.length, '0');
  if (sum.length > start.length) refuse('orderInvalid', `${name} runs out of digits`);
  return sum;
}

/** Uniform decimal digits: octets of 250 and above are drawn again. */
function digits(random: (octets: number) => Bytes, length: number): string {
  let text = '';
  while (text.length < length) {
    for (const octet of random(length)) if (octet < 250 && text.length < length) text += String(octet % 10);
  }
  return text;
}
