import { type Bytes, wipe } from '../../codec/bytes.ts';
import { luhnDigit } from '../../codec/iccid.ts';
import { randomInBulk } from '../../crypto/random-in-bulk.ts';
import { refuse } from '../../errors.ts';
import { ownMember } from '../../own-member.ts';
import { ifPresent, present } from '../../present.ts';
import type { ParameterValue, ProfileValues } from '../../profile/package/parameter.ts';
import { parameterNamed } from '../../profile/package/parameters.ts';
import { type CompiledTemplate, compileTemplate } from '../../profile/package/personalise.ts';
import { decodePackage } from '../../profile/package/profile-element.ts';
import { ProfileMaker } from '../../profile/package/profile-maker.ts';
import { type TemplateSecret, templateSecrets } from '../../profile/package/template-secrets.ts';
import { refuseClearSecrets } from '../../profile/rows/row.ts';
import { type StoreMetadataRequest, storeMetadataEncoder } from '../../rsp/store-metadata.ts';
import type { Personalisation, PersonalisationRules } from '../api/es2f.ts';
import { PLACEHOLDER_ICCID } from './order-metadata.ts';

/** A template made ready for columns that rules or rows give, with the secrets that are drawn here. */
export interface Personaliser {
  readonly template: CompiledTemplate;
  /** Makes the profiles, the first the long way. */
  readonly maker: ProfileMaker;
  /** The values of a profile: those given and fresh secrets, which differ at each call; keys are octets, to be wiped. */
  complete(given: ProfileValues): ProfileValues;
  /** The metadata of the profile with this ICCID, which is complete. */
  metadata(iccid: string): StoreMetadataRequest;
  /** The same as it is sent: StoreMetadataRequest, whole TLV. */
  encodedMetadata(iccid: string): Bytes;
  /** For all that is drawn for the profiles. */
  readonly random: (octets: number) => Bytes;
}

/**
 * The order's metadata says whether the profile is operational; then every secret of the template must be replaced.
 * With `keys: 'generate'`, those that no column sets are drawn at random.
 */
export function compilePersonaliser(
  upp: Bytes,
  { keys, constants = {}, deriveIsim = false }: Personalisation,
  columns: readonly string[],
  metadata: Personaliser['metadata'],
  source: (octets: number) => Bytes,
): Personaliser {
  const random = randomInBulk(source);
  const { profileClass = 'operational', profileOwner } = metadata(PLACEHOLDER_ICCID);
  refuseClearSecrets(Object.keys(constants));
  const names = [...columns, ...Object.keys(constants)];
  const secrets = keys === 'generate' ? secretsNotSet(upp, names, ownMember(constants, 'algorithm')) : [];
  const template = compileTemplate(upp, {
    profileClass,
    parameters: [...columns, ...secrets.map(({ name }) => name)],
    constants,
    deriveIsim,
    ownerMccMnc: profileOwner?.mccMnc,
  });
  return {
    template,
    maker: new ProfileMaker(template),
    metadata,
    encodedMetadata: storeMetadataEncoder(metadata(PLACEHOLDER_ICCID)),
    random,
    complete(given) {
      const values: Record<string, ParameterValue> = { ...given };
      for (const { name, kind, length } of secrets)
        values[name] = kind === 'digits' ? digits(random, length) : random(length);
      return values;
    },
  };
}

/** A key may have two names, with and without the AID of its security domain: what counts is the place. */
function secretsNotSet(
  upp: Bytes,
  names: readonly string[],
  algorithm: string | undefined,
): readonly TemplateSecret[] {
  const profile = decodePackage(upp);
  const targets = (name: string) => parameterNamed(name).bind(profile).targets;
  const taken = new Set(names.flatMap(targets));
  return templateSecrets(upp, algorithm).filter(
    ({ name }) => !targets(name).some((target) => taken.has(target)),
  );
}

/** The columns that rules give. */
export const ruleColumns = ({ imsiStart }: PersonalisationRules): readonly string[] =>
  imsiStart === undefined ? ['iccid'] : ['iccid', 'imsi'];

/** The row of a rule: ICCID and IMSI count up from the first one. */
export function ruleRow({ iccidStart, imsiStart }: PersonalisationRules, sequence: number) {
  const body = countUp(iccidWithoutLuhn(iccidStart), sequence, 'personalisation.iccidStart');
  return {
    iccid: body + luhnDigit(body),
    ...present({
      imsi: ifPresent(imsiStart, (start) => countUp(start, sequence, 'personalisation.imsiStart')),
    }),
  };
}

/** 18 or 19 digits, whatever the last one is: it is never taken as a Luhn digit, which it passes for by chance once in ten. */
function iccidWithoutLuhn(start: string): string {
  if (!/^[0-9]{18,19}$/.test(start))
    refuse('iccidInvalid', 'personalisation.iccidStart has 18 or 19 decimal digits, without the Luhn digit');
  return start;
}

/** Decimal addition that keeps leading zeros and never grows a digit. */
function countUp(start: string, by: number, name: string): string {
  const sum = (BigInt(start) + BigInt(by)).toString().padStart(start.length, '0');
  if (sum.length > start.length) refuse('orderInvalid', `${name} runs out of digits`);
  return sum;
}

const DIGITS = '0123456789';

/** Uniform decimal digits: octets of 250 and above are drawn again. */
function digits(random: (octets: number) => Bytes, length: number): string {
  let text = '';
  while (text.length < length) {
    const drawn = random(length);
    for (const octet of drawn) if (octet < 250 && text.length < length) text += DIGITS[octet % 10];
    wipe(drawn);
  }
  return text;
}
