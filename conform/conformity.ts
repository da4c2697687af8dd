import type { Rule, Rules } from './rules.ts';

/** One thing that does not follow a rule. */
export interface Finding {
  /** What it is about: an entry, a key, a call. */
  readonly where: string;
  readonly expected: string;
  readonly seen: string;
}

export interface Check extends Rule {
  readonly id: string;
  /** `skipped`: nothing was there to look at, or what it needs has failed. */
  readonly result: 'passed' | 'failed' | 'skipped';
  /** How often it was looked at, and how often it was not followed. */
  readonly looked: number;
  readonly failed: number;
  /** The first findings; `failed` counts all. */
  readonly findings: readonly Finding[];
  /** Why it was skipped. */
  readonly skipped?: string;
}

/** Findings of one rule that are kept: a batch of a million eUICCs may have the same fault in each. */
const KEPT = 20;

interface Tally {
  looked: number;
  failed: number;
  readonly findings: Finding[];
  skipped: string | undefined;
}

/** Collects what is seen of each rule; a rule is followed where it was looked at and nothing was found. */
export class Conformity<Id extends string> {
  readonly #rules: Rules<Id>;
  readonly #tallies = new Map<Id, Tally>();

  constructor(rules: Rules<Id>) {
    this.#rules = rules;
  }

  passed(id: Id): void {
    this.#tally(id).looked++;
  }

  failed(id: Id, where: string, expected: string, seen: string): void {
    const tally = this.#tally(id);
    tally.looked++;
    tally.failed++;
    if (tally.findings.length < KEPT) tally.findings.push({ where, expected, seen });
  }

  /** Looks once: passed where it holds. Returns whether it does. */
  check(id: Id, holds: boolean, where: string, expected: string, seen: string | (() => string)): boolean {
    if (holds) this.passed(id);
    else this.failed(id, where, expected, typeof seen === 'string' ? seen : seen());
    return holds;
  }

  /** Nothing could be looked at, and why. */
  skip(why: string, ...ids: readonly Id[]): void {
    for (const id of ids) this.#tally(id).skipped ??= why;
  }

  /** Takes a rule back that does not hold here, and says why. */
  forgive(id: Id, why: string): void {
    this.#tallies.delete(id);
    this.skip(why, id);
  }

  /** True where the rule was found not to be followed. */
  hasFailed(id: Id): boolean {
    return (this.#tallies.get(id)?.failed ?? 0) > 0;
  }

  /** Every rule in its order, with what was seen of it. */
  get checks(): readonly Check[] {
    return (Object.entries(this.#rules) as [Id, Rule][]).map(([id, rule]) => {
      const { looked = 0, failed = 0, findings = [], skipped } = this.#tallies.get(id) ?? {};
      const result = failed > 0 ? 'failed' : looked > 0 ? 'passed' : 'skipped';
      const why = result === 'skipped' ? { skipped: skipped ?? 'nothing of it in what was given' } : {};
      return { id, ...rule, result, looked, failed, findings, ...why };
    });
  }

  #tally(id: Id): Tally {
    const known = this.#tallies.get(id);
    if (known !== undefined) return known;
    const tally: Tally = { looked: 0, failed: 0, findings: [], skipped: undefined };
    this.#tallies.set(id, tally);
    return tally;
  }
}
