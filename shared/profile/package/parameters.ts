import { type Parameter, refuseParameter } from './parameter.ts';
import { akaParameters } from './parameters/aka.ts';
import { anyFile } from './parameters/any-file.ts';
import { codes } from './parameters/codes.ts';
import { iccid } from './parameters/iccid.ts';
import { domain, impi, impu } from './parameters/isim.ts';
import { mncLength } from './parameters/mnc-length.ts';
import { networkLists } from './parameters/network-lists.ts';
import { securityDomainKey } from './parameters/security-domain-keys.ts';
import { acc, gid1, gid2, imsi, msisdn, smsc, spn } from './parameters/subscriber.ts';
import { routingIndicator, suci, suciOnCard } from './parameters/suci.ts';

/** The parameters with names of their own, in the order in which they are written. */
export const PARAMETERS: readonly Parameter[] = [
  iccid,
  imsi,
  acc,
  mncLength,
  msisdn,
  smsc,
  spn,
  gid1,
  gid2,
  ...networkLists,
  suci,
  suciOnCard,
  routingIndicator,
  impi,
  impu,
  domain,
  ...codes,
  ...akaParameters,
];

const BY_NAME: ReadonlyMap<string, Parameter> = new Map(
  PARAMETERS.map((parameter) => [parameter.name, parameter]),
);

/** The parameter of this name: a fixed one, a key of a security domain, or an EF; refuses any other name. */
export function parameterNamed(name: string): Parameter {
  return BY_NAME.get(name) ?? securityDomainKey(name) ?? anyFile(name) ?? refuseName(name);
}

function refuseName(name: string): never {
  const meant = [...BY_NAME.keys()].find((known) => known.toLowerCase() === name.toLowerCase());
  if (meant !== undefined) return refuseParameter(name, `is no parameter; ${meant} is one`);
  if (/[;\t]/.test(name)) return refuseParameter(name, 'is no parameter; columns are separated by commas');
  return refuseParameter(name, 'is no parameter');
}

/** The parameters of these names in the order of writing. */
export function parametersNamed(names: readonly string[]): readonly Parameter[] {
  const rank = ({ name }: Parameter) => {
    const place = PARAMETERS.findIndex((parameter) => parameter.name === name);
    return place < 0 ? PARAMETERS.length : place;
  };
  return names.map(parameterNamed).sort((a, b) => rank(a) - rank(b));
}
