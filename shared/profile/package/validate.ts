import type { Bytes } from '../../codec/bytes.ts';
import { Refusal, refuse } from '../../errors.ts';
import { present } from '../../present.ts';
import { CheckedPackage } from './checks/checked-package.ts';
import { culprit } from './checks/culprit.ts';
import { type Finding, MALFORMED } from './checks/finding.ts';
import { decodedRule } from './checks/malformed.ts';
import type { PackageMetadata } from './checks/package-metadata.ts';
import { findingOf, type Rule } from './checks/rule.ts';
import { RULES } from './checks/rules.ts';
import { inProfile } from './element.ts';
import { decodePackage, type ProfileElement } from './profile-element.ts';

/** What a package is worth against the rules of `checks/`. */
export interface PackageCheck {
  readonly findings: readonly Finding[];
  /** Identifiers of rules that the package holds, and of those that it has nothing for. */
  readonly held: readonly string[];
  readonly notApplicable: readonly string[];
}

/**
 * Everything that is wrong with a package, as far as can be seen without an eUICC; with `metadata`, also where
 * the two disagree. A part that cannot be decoded is a finding itself and hides what later rules would say of it.
 */
export function checkPackage(upp: Bytes, metadata?: PackageMetadata): PackageCheck {
  const decoded = attempt(() => decodePackage(upp), []);
  if ('finding' in decoded) return { findings: [decoded.finding], held: [], notApplicable: [] };
  const checked = new CheckedPackage(decoded.value, metadata);
  const findings: Finding[] = [];
  const held: string[] = [];
  const notApplicable: string[] = [];
  for (const one of RULES) {
    const outcome = attempt(() => one.check(checked), checked.elements);
    if ('finding' in outcome) findings.push(outcome.finding);
    else if (outcome.value === undefined) notApplicable.push(one.id);
    else if (outcome.value.length === 0) held.push(one.id);
    else findings.push(...outcome.value.map((breach) => findingOf(one, breach)));
  }
  // several rules may stumble over the same malformed part
  const told = findings.filter((finding, at) => findings.findIndex((other) => same(other, finding)) === at);
  const broken = new Set(told.map(({ code }) => code));
  return { findings: told, held: held.filter((id) => !broken.has(id)), notApplicable };
}

export function validatePackage(upp: Bytes, metadata?: PackageMetadata): readonly Finding[] {
  return checkPackage(upp, metadata).findings;
}

function attempt<T>(
  run: () => T,
  elements: readonly ProfileElement[],
): { readonly value: T } | { readonly finding: Finding } {
  try {
    return { value: inProfile(run) };
  } catch (error) {
    if (error instanceof Refusal) return { finding: malformed(error, decodedRule(error), elements) };
    throw error;
  }
}

function malformed(error: Refusal, known: Rule | undefined, elements: readonly ProfileElement[]): Finding {
  const { offset } = error;
  const element = culprit(error, elements);
  const breach = { message: error.message, element, offset };
  return {
    ...findingOf(known ?? { ...UNREADABLE, id: MALFORMED }, breach),
    malformed: true,
  };
}

const UNREADABLE: Rule = {
  id: MALFORMED,
  clause: '7',
  level: 'error',
  text: 'The package is DER of the module.',
  wayOut: 'Encode the package in DER (ITU-T X.690) by the module of the profile package.',
  check: () => [],
};

function same(a: Finding, b: Finding): boolean {
  return a.code === b.code && a.message === b.message && a.offset === b.offset;
}

/** Refuses (`profileInvalid`, `metadataInvalid`) a package with an error; warnings pass. */
export function checkProfile(upp: Bytes, metadata?: PackageMetadata): void {
  const error = validatePackage(upp, metadata).find(({ severity }) => severity === 'error');
  if (error === undefined) return;
  refuse(error.code.startsWith('metadata') ? 'metadataInvalid' : 'profileInvalid', error.message, {
    subjectIdentifier: error.code,
    ...present({ offset: error.offset }),
  });
}
