import { present } from '../../../present.ts';
import type { ProfileElement } from '../profile-element.ts';
import type { CheckedPackage } from './checked-package.ts';
import type { Finding } from './finding.ts';

/** A rule of the profile package: what must hold, where it is said, and what to do where it does not. */
export interface Rule {
  /** Found in `profile check --json` and in docs/profile-rules.md. */
  readonly id: string;
  /** Section of TCA eUICC Profile Package 3.4.1, or another document with its section; `-` where none says it. */
  readonly clause: string;
  readonly level: Finding['severity'];
  readonly text: string;
  readonly wayOut: string;
  /** What breaks it; undefined where the package has nothing that the rule is about. */
  check(checked: CheckedPackage): readonly Breach[] | undefined;
}

export interface Breach {
  readonly message: string;
  readonly element?: ProfileElement | undefined;
  /** In the package; that of the PE where it is not given. */
  readonly offset?: number | undefined;
  /** Where it is another than the rule's. */
  readonly level?: Finding['severity'];
  readonly parameter?: string;
}

/** The rules of one group. */
export interface RuleGroup {
  readonly name: string;
  readonly rules: readonly Rule[];
}

interface RuleSpec<Subject> {
  readonly id: string;
  readonly clause: string;
  /** Error where it is not given. */
  readonly level?: Finding['severity'];
  readonly text: string;
  readonly wayOut: string;
  /** What the rule is about in this package. */
  subjects(checked: CheckedPackage): readonly Subject[];
  /** What is wrong with one of them. */
  breach(subject: Subject, checked: CheckedPackage): string | Breach | readonly Breach[] | undefined;
  /** The PE that a message alone is about. */
  element?(subject: Subject, checked: CheckedPackage): ProfileElement | undefined;
}

export function rule<Subject>(spec: RuleSpec<Subject>): Rule {
  const { id, clause, level = 'error', text, wayOut } = spec;
  return {
    id,
    clause,
    level,
    text,
    wayOut,
    check(checked) {
      const subjects = spec.subjects(checked);
      if (subjects.length === 0) return undefined;
      const breaches: Breach[] = [];
      for (const subject of subjects) {
        const broken = spec.breach(subject, checked);
        if (broken === undefined) continue;
        if (typeof broken === 'string')
          breaches.push({ message: broken, element: spec.element?.(subject, checked) });
        else if ('message' in broken) breaches.push(broken);
        else breaches.push(...broken);
      }
      return breaches;
    },
  };
}

/** A rule about each PE of some kinds. */
export function elementRule(
  spec: Omit<RuleSpec<ProfileElement>, 'subjects' | 'element'> & {
    readonly of: (element: ProfileElement, checked: CheckedPackage) => boolean;
  },
): Rule {
  return rule<ProfileElement>({
    ...spec,
    subjects: (checked) => checked.elements.filter((element) => spec.of(element, checked)),
    element: (element) => element,
  });
}

/** Those of a list that came before in it. */
export function repeated<T>(list: readonly T[]): readonly T[] {
  return list.filter((entry, at) => list.indexOf(entry) !== at);
}

export function findingOf({ id, level, wayOut }: Rule, breach: Breach): Finding {
  const { message, element, offset = element?.offset, parameter } = breach;
  return {
    severity: breach.level ?? level,
    code: id,
    message,
    wayOut,
    ...present({ pe: element?.name, identification: element?.identification, offset, parameter }),
  };
}
