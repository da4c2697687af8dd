import type { Bytes } from '../../codec/bytes.ts';
import type { ProfileClass } from '../../rsp/store-metadata.ts';
import { type DerivedParameters, derivedFrom, derivedParameters, filesOfDraft } from './derived-values.ts';
import { PackageDraft } from './draft.ts';
import { inProfile } from './element.ts';
import { decodeFile, encodeFile } from './file.ts';
import { FIRST_FILE, isFilePe } from './file-pes.ts';
import { fileSystemOf } from './file-system.ts';
import { headerOf } from './header.ts';
import { algorithmNumbers, announceFiles, followAlgorithms } from './mandatory-services.ts';
import {
  type BoundParameter,
  type ParameterValue,
  type ProfileValues,
  refuseParameter,
} from './parameter.ts';
import { type AkaSite, akaSites, checkAka } from './parameters/aka.ts';
import { securityDomainKeyTargets } from './parameters/security-domain-keys.ts';
import { parametersNamed } from './parameters.ts';
import { PIN_REFERENCE, pinConfigurations } from './pin-codes.ts';
import { decodePackage, elementsNamed, type ProfilePackage } from './profile-element.ts';
import { TemplatePlaces } from './template-places.ts';

export interface TemplateOptions {
  /** All classes but `test` refuse keys that come from the template. */
  readonly profileClass: ProfileClass;
  /** Names of the parameters that every row gives: the columns. */
  readonly parameters: readonly string[];
  /** Values that are the same in all profiles. */
  readonly constants?: ProfileValues;
  /** Set the identities of the ISIM that are not given from the IMSI. */
  readonly deriveIsim?: boolean;
  /** MCC and MNC of the owner in the metadata, with which derived values must agree. */
  readonly ownerMccMnc?: string | undefined;
}

/** A template made ready; immutable, so that any number of profiles can be made from it at once. */
export interface CompiledTemplate {
  readonly profileClass: ProfileClass;
  /** Names of the parameters that a row must give: no more, no less. */
  readonly parameters: readonly string[];
  /** What is written for each profile, in order. */
  readonly bound: readonly BoundParameter[];
  /** All parameters, with the constants that are written already. */
  readonly audited: readonly BoundParameter[];
  readonly base: ProfilePackage;
  readonly constants: ProfileValues;
  readonly hasConstants: boolean;
  readonly derived: DerivedParameters;
  /** Derived parameters: written once everything else is. */
  readonly following: readonly BoundParameter[];
  readonly aka: readonly AkaSite[];
  readonly places: TemplatePlaces;
  /** Algorithms of the template, as numbers of services. */
  readonly algorithms: readonly number[];
}

/**
 * Decodes a template, finds the place of every parameter and writes the constants. Refuses (`profileInvalid`,
 * `iccidInvalid`, `personalisationInvalid`) what no row could repair: a malformed package, an unknown or repeated
 * parameter, a missing PE or file, two parameters for one place, and keys of the template that would be left.
 */
export function compileTemplate(upp: Bytes, options: TemplateOptions): CompiledTemplate {
  return inProfile(() => compile(decodePackage(upp), options));
}

function compile(template: ProfilePackage, options: TemplateOptions): CompiledTemplate {
  headerOf(template);
  if (usimCount(template) > 1) {
    refuseParameter('imsi', 'a template with several USIMs cannot be personalised for one subscription');
  }
  const constants = options.constants ?? {};
  const constant = Object.keys(constants);
  const given = [...options.parameters, ...constant];
  const repeated = given.find((name, at) => given.indexOf(name) !== at);
  if (repeated !== undefined) refuseParameter(repeated, 'is given twice');
  const derivation = { isim: options.deriveIsim ?? false, ownerMccMnc: options.ownerMccMnc };
  const bind = (names: readonly string[], profile: ProfilePackage) =>
    parametersNamed(names).map((parameter) => parameter.bind(profile));
  const boundGiven = bind(given, template);
  const { names: derivedNames } = derivedParameters(template, boundGiven, derivation);
  const bound = [...boundGiven, ...bind(derivedNames, template)];
  refuseSharedTargets(bound);
  if (options.profileClass !== 'test') refuseTemplateKeys(template, bound);

  // OPc is computed with the key of each row, so OP cannot be written beforehand
  const early = boundGiven.filter(({ name }) => constant.includes(name) && name !== 'op' && name !== 'imsi');
  const draft = new PackageDraft(template);
  normaliseFiles(template, draft, bound);
  for (const parameter of early) parameter.write(draft, constants[parameter.name]!);
  announceFiles(template, draft, new Set(bound.flatMap(({ targets }) => targets)));
  const base = decodePackage(draft.encode());
  const late = given.filter((name) => !early.some((parameter) => parameter.name === name));
  const boundLate = bind(late, base);
  const following = bind(derivedNames, base);
  return {
    profileClass: options.profileClass,
    parameters: [...options.parameters],
    bound: boundLate,
    audited: [...early, ...boundLate, ...following],
    base,
    constants,
    hasConstants: constant.length > 0,
    derived: derivedParameters(base, bind(given, base), derivation),
    following,
    aka: akaSites(base),
    places: new TemplatePlaces(base),
    algorithms: algorithmNumbers(akaSites(template)),
  };
}

/** ADFs of a USIM, in whatever way the template makes them. */
function usimCount(template: ProfilePackage): number {
  return fileSystemOf(template).directories.filter(({ naa }) => naa === 'usim').length;
}

/** PEs whose files are written are DER in every profile, also where the template is not. */
function normaliseFiles(
  template: ProfilePackage,
  draft: PackageDraft,
  bound: readonly BoundParameter[],
): void {
  const places = new Set(
    bound.flatMap(({ targets }) => targets).map((target) => Number.parseInt(target, 10)),
  );
  template.elements.forEach(({ name, fields }, place) => {
    if (!places.has(place) || !isFilePe(name)) return;
    for (const field of fields.slice(FIRST_FILE)) {
      draft.setField(place, encodeFile(field.tag, decodeFile(field)));
    }
  });
}

/** One profile from a row: every parameter of the template, and only those. */
export function personalise(template: CompiledTemplate, values: ProfileValues): Bytes {
  return inProfile(() => {
    const given = givenValues(template, values);
    const draft = new PackageDraft(template.base);
    for (const parameter of template.bound) parameter.write(draft, givenValue(given, parameter.name));
    if (template.following.length > 0) {
      const derived = template.derived.values(given, filesOfDraft(draft));
      for (const parameter of template.following) parameter.write(draft, givenValue(derived, parameter.name));
    }
    checkAka(draft, template.aka, template.profileClass !== 'test');
    followAlgorithms(draft, template.aka, template.algorithms);
    return draft.encode();
  });
}

/** A row with the constants; refuses columns that are missing or not known. */
export function givenValues(template: CompiledTemplate, values: ProfileValues): ProfileValues {
  for (const name of template.parameters) givenValue(values, name);
  const names = Object.keys(values);
  // each parameter is there, so that as many names as parameters are just those
  if (names.length !== template.parameters.length)
    for (const name of names)
      if (!template.parameters.includes(name)) refuseParameter(name, 'is no parameter of this template');
  return template.hasConstants ? { ...template.constants, ...values } : values;
}

/** A row with the constants and what is derived, as a profile that was made has it. */
export function completeValues(
  template: CompiledTemplate,
  values: ProfileValues,
  profile: ProfilePackage,
): ProfileValues {
  const given = givenValues(template, values);
  return { ...derivedFrom(template.derived, given, profile), ...given };
}

function givenValue(values: ProfileValues, name: string): ParameterValue {
  const value = Object.hasOwn(values, name) ? values[name] : undefined;
  return value ?? refuseParameter(name, 'has no value');
}

/** Two parameters must not write one place; `…#2` is a record of the file before it. */
function refuseSharedTargets(bound: readonly BoundParameter[]): void {
  const owners = new Map<string, string>();
  for (const { name, targets } of bound) {
    for (const target of targets) {
      const file = target.split('#')[0]!;
      const other =
        owners.get(target) ??
        (target === file
          ? [...owners].find(([taken]) => taken.startsWith(`${file}#`))?.[1]
          : owners.get(file));
      if (other !== undefined) refuseParameter(name, `writes to the same place as ${other}`);
      owners.set(target, name);
    }
  }
}

const LEFT = 'in the profile; rows must give another, or the order have it generated';

/** A profile for a real network must not keep a key that other profiles of the template share. */
function refuseTemplateKeys(template: ProfilePackage, bound: readonly BoundParameter[]): void {
  const names = new Set(bound.map(({ name }) => name));
  const targets = new Set(bound.flatMap((parameter) => parameter.targets));
  if (!names.has('iccid')) refuseParameter('iccid', 'the template leaves its ICCID in the profile');
  if (usimCount(template) > 0 && !names.has('imsi')) {
    refuseParameter('imsi', 'the template leaves its IMSI in the profile');
  }
  if (akaSites(template).length > 0) {
    if (!names.has('k')) refuseParameter('k', `the template leaves its K ${LEFT}`);
    if (!names.has('opc') && !names.has('op')) refuseParameter('opc', `the template leaves its OPc ${LEFT}`);
  }
  for (const { target, label } of securityDomainKeyTargets(template)) {
    if (!targets.has(target)) refuseParameter('securityDomain', `the template leaves ${label} ${LEFT}`);
  }
  for (const [name, reference] of [
    ['adm1', PIN_REFERENCE.adm1],
    ['adm2', PIN_REFERENCE.adm2],
  ] as const) {
    const present = elementsNamed(template, 'pinCodes').some((place) =>
      pinConfigurations(template.elements[place]!.fields).some(
        ({ keyReference }) => keyReference === reference,
      ),
    );
    if (present && !names.has(name)) refuseParameter(name, `the template leaves this code ${LEFT}`);
  }
  if (elementsNamed(template, 'cdmaParameter').length > 0) {
    refuseParameter('cdmaParameter', 'the template leaves its CDMA authentication key in the profile');
  }
}
