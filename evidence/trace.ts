import { type Requirement, type RequirementGroup, requirementsOf, tagOf } from './requirements.ts';

/** A test that ran, or was left out, with the tags that it carries. */
export interface TestResult {
  /** From the root of the repository. */
  readonly file: string;
  readonly name: string;
  readonly tags: readonly string[];
  readonly state: 'passed' | 'failed' | 'skipped';
  readonly ms: number;
}

/**
 * - `covered`: a test of its revision passed, and none failed;
 * - `failed`: a test of its revision failed;
 * - `notRun`: its tests were all left out on this machine;
 * - `outdated`: its tests are of a former revision;
 * - `uncovered`: no test names it;
 * - `design`, `notApplicable`, `open`: as requirements.yaml says.
 */
export type Coverage =
  | 'covered'
  | 'failed'
  | 'notRun'
  | 'outdated'
  | 'uncovered'
  | 'design'
  | 'notApplicable'
  | 'open';

export interface Row {
  readonly requirement: Requirement;
  readonly coverage: Coverage;
  /** Those of its revision, and of former ones where it is outdated. */
  readonly tests: readonly TestResult[];
}

export interface Trace {
  readonly groups: readonly { readonly title: string; readonly rows: readonly Row[] }[];
  /** Tests whose tag is of no requirement, or of one that says that no test is needed. */
  readonly orphans: readonly { readonly tag: string; readonly why: string; readonly test: TestResult }[];
  /** Whether every requirement that tests can show is shown, and no test is an orphan. */
  readonly green: boolean;
}

const RED: readonly Coverage[] = ['failed', 'notRun', 'outdated', 'uncovered'];

export const isRed = (coverage: Coverage): boolean => RED.includes(coverage);

/** Puts requirements and tests together, many to many. */
export function trace(groups: readonly RequirementGroup[], results: readonly TestResult[]): Trace {
  const byTag = new Map<string, TestResult[]>();
  for (const test of results) for (const tag of test.tags) byTag.set(tag, [...(byTag.get(tag) ?? []), test]);
  const rows = groups.map(({ title, requirements }) => ({
    title,
    rows: requirements.map((requirement) => rowOf(requirement, byTag)),
  }));
  const orphans = orphansOf(groups, byTag);
  const red = rows.flatMap((group) => group.rows).some(({ coverage }) => isRed(coverage));
  return { groups: rows, orphans, green: !red && orphans.length === 0 };
}

function rowOf(requirement: Requirement, byTag: ReadonlyMap<string, readonly TestResult[]>): Row {
  const { id, revision = 1, coveredBy, design, notApplicable } = requirement;
  if (coveredBy === undefined)
    return {
      requirement,
      coverage: design !== undefined ? 'design' : notApplicable !== undefined ? 'notApplicable' : 'open',
      tests: [],
    };
  const tests = byTag.get(tagOf(id, revision)) ?? [];
  if (tests.length > 0) return { requirement, coverage: coverageBy(tests), tests };
  const former = Array.from({ length: revision - 1 }, (_, i) => byTag.get(tagOf(id, i + 1)) ?? []).flat();
  return { requirement, coverage: former.length > 0 ? 'outdated' : 'uncovered', tests: former };
}

function coverageBy(tests: readonly TestResult[]): Coverage {
  if (tests.some(({ state }) => state === 'failed')) return 'failed';
  return tests.some(({ state }) => state === 'passed') ? 'covered' : 'notRun';
}

function orphansOf(
  groups: readonly RequirementGroup[],
  byTag: ReadonlyMap<string, readonly TestResult[]>,
): Trace['orphans'] {
  const known = new Map(requirementsOf(groups).map((requirement) => [requirement.id, requirement]));
  return [...byTag].flatMap(([tag, tests]) => {
    const [id, revision = '1'] = tag.split('~');
    const requirement = known.get(id!);
    const why =
      requirement === undefined || Number(revision) > (requirement.revision ?? 1)
        ? 'no requirement has this ID'
        : requirement.coveredBy === undefined
          ? 'the requirement says that no test shows it'
          : undefined;
    return why === undefined ? [] : tests.map((test) => ({ tag, why, test }));
  });
}
