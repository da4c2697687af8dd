import type { Bytes } from '../../codec/bytes.ts';
import { Refusal, refuse } from '../../errors.ts';
import { derivedFrom, derivedParameters } from './derived-values.ts';
import { inProfile } from './element.ts';
import type { BoundParameter, ParameterValue, ProfileValues } from './parameter.ts';
import { akaSites } from './parameters/aka.ts';
import { securityDomainKeyTargets } from './parameters/security-domain-keys.ts';
import { parametersNamed } from './parameters.ts';
import { type CompiledTemplate, completeValues } from './personalise.ts';
import { pinConfigurations } from './pin-codes.ts';
import { decodePackage, elementsNamed, type ProfilePackage } from './profile-element.ts';
import { pukConfigurations } from './puk-codes.ts';

export interface AuditFinding {
  /** `differs`: the package does not hold the value. `notSet`: a secret of the package that no value set. */
  readonly code: 'differs' | 'notSet';
  /** The parameter, or the name of the place: never a value. */
  readonly parameter: string;
}

/**
 * Reads every parameter from the encoded package and compares it with its value; then lists the secrets that
 * nobody set. With `template`, its constants and derived values are audited too, and the places need not be found
 * again. The package may be decoded already.
 */
export function auditPersonalisation(
  upp: Bytes | ProfilePackage,
  values: ProfileValues,
  template?: CompiledTemplate,
): readonly AuditFinding[] {
  return inProfile(() => {
    const profile = upp instanceof Uint8Array ? decodePackage(upp) : upp;
    if (template !== undefined) refuseOtherShape(profile, template);
    const all =
      template === undefined ? withDerived(profile, values) : completeValues(template, values, profile);
    const bound =
      template?.audited ?? parametersNamed(Object.keys(all)).map((parameter) => parameter.bind(profile));
    const differing = bound.filter(
      (parameter) => !holds(() => holdsValue(parameter, profile, all[parameter.name])),
    );
    const targets = new Set(bound.flatMap((parameter) => parameter.targets));
    return [
      ...differing.map(({ name }): AuditFinding => ({ code: 'differs', parameter: name })),
      ...secrets(profile)
        .filter(({ target }) => !targets.has(target))
        .map(({ label }): AuditFinding => ({ code: 'notSet', parameter: label })),
    ];
  });
}

/** The places of a template's parameters hold for packages with the same PEs only. */
function refuseOtherShape(profile: ProfilePackage, { base }: CompiledTemplate): void {
  const same =
    profile.elements.length === base.elements.length &&
    profile.elements.every(({ tag }, place) => tag === base.elements[place]!.tag);
  if (!same) refuse('profileInvalid', 'the package does not have the PEs of its template');
}

function withDerived(profile: ProfilePackage, values: ProfileValues): ProfileValues {
  const given = parametersNamed(Object.keys(values)).map((parameter) => parameter.bind(profile));
  const derived = derivedParameters(profile, given, { isim: false });
  return { ...derivedFrom(derived, values, profile), ...values };
}

/** A derived value that cannot be derived from what is stored is none that the package holds. */
function holdsValue(
  parameter: BoundParameter,
  profile: ProfilePackage,
  value: ParameterValue | undefined,
): boolean {
  return value !== undefined && parameter.holds(profile, value);
}

/** A place that cannot be read does not hold the value; a value that is malformed is the caller's to hear of. */
function holds(compare: () => boolean): boolean {
  try {
    return compare();
  } catch (error) {
    if (error instanceof Refusal && error.code === 'profileInvalid') return false;
    throw error;
  }
}

/** Every key and code of the package, with the place a parameter would write to. */
function secrets(profile: ProfilePackage): readonly { readonly target: string; readonly label: string }[] {
  const hex = (reference: number) => reference.toString(16).padStart(2, '0');
  return [
    ...akaSites(profile).flatMap(({ place }) => [
      { target: `${place}/k`, label: `k of PE ${profile.elements[place]!.identification}` },
      { target: `${place}/opc`, label: `opc of PE ${profile.elements[place]!.identification}` },
    ]),
    ...securityDomainKeyTargets(profile),
    ...elementsNamed(profile, 'pinCodes').flatMap((place) =>
      pinConfigurations(profile.elements[place]!.fields).map(({ keyReference }) => ({
        target: `${place}/${keyReference}`,
        label: `PIN ${hex(keyReference)} of PE ${profile.elements[place]!.identification}`,
      })),
    ),
    ...elementsNamed(profile, 'pukCodes').flatMap((place) =>
      pukConfigurations(profile.elements[place]!.fields).map(({ keyReference }) => ({
        target: `${place}/${keyReference}`,
        label: `PUK ${hex(keyReference)} of PE ${profile.elements[place]!.identification}`,
      })),
    ),
  ];
}
