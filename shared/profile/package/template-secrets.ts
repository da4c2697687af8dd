import type { Bytes } from '../../codec/bytes.ts';
import { inProfile } from './element.ts';
import { akaSites } from './parameters/aka.ts';
import { securityDomainKeyNames } from './parameters/security-domain-keys.ts';
import { PIN_REFERENCE, pinConfigurations } from './pin-codes.ts';
import { decodePackage, elementsNamed, type ProfilePackage } from './profile-element.ts';
import { PUK_REFERENCE, pukConfigurations } from './puk-codes.ts';

/** A secret that the template carries and that a profile for a real network must have of its own. */
export interface TemplateSecret {
  /** Name of the parameter that sets it. */
  readonly name: string;
  readonly kind: 'octets' | 'digits';
  /** Octets or digits. */
  readonly length: number;
}

/**
 * The secrets of a template that can be drawn at random: K and OPc, administrative codes, PUKs, keys of security
 * domains. PINs are left, since a subscriber must be told them. `algorithm` is the value of that parameter, where all
 * profiles get one: the lengths are those of the algorithm that they will have.
 */
export function templateSecrets(upp: Bytes, algorithm?: string): readonly TemplateSecret[] {
  return inProfile(() => {
    const profile = decodePackage(upp);
    return [...akaSecrets(profile, algorithm), ...codeSecrets(profile), ...securityDomainKeyNames(profile)];
  });
}

function akaSecrets(profile: ProfilePackage, given: string | undefined): TemplateSecret[] {
  const [site] = akaSites(profile);
  if (site === undefined) return [];
  const { key } = site.aka;
  const algorithm = given ?? site.aka.algorithm;
  return [
    { name: 'k', kind: 'octets', length: algorithm === 'milenage' ? 16 : key.length },
    { name: 'opc', kind: 'octets', length: algorithm === 'tuak' ? 32 : 16 },
  ];
}

function codeSecrets(profile: ProfilePackage): TemplateSecret[] {
  const pins = elementsNamed(profile, 'pinCodes').flatMap((place) =>
    pinConfigurations(profile.elements[place]!.fields),
  );
  const puks = elementsNamed(profile, 'pukCodes').flatMap((place) =>
    pukConfigurations(profile.elements[place]!.fields),
  );
  const has = (codes: readonly { keyReference: number }[], reference: number) =>
    codes.some(({ keyReference }) => keyReference === reference);
  return [
    ...(has(pins, PIN_REFERENCE.adm1) ? ['adm1'] : []),
    ...(has(pins, PIN_REFERENCE.adm2) ? ['adm2'] : []),
    ...(has(puks, PUK_REFERENCE.pukAppl1) ? ['puk1'] : []),
    ...(has(puks, PUK_REFERENCE.secondPukAppl1) ? ['puk2'] : []),
  ].map((name) => ({ name, kind: 'digits', length: 8 }));
}
