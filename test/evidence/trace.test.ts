import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { pageOf, reportOf } from '../../evidence/report.ts';
import {
  parseRequirements,
  type RequirementGroup,
  readRequirements,
  requirementsOf,
  tagsOf,
} from '../../evidence/requirements.ts';
import { type Coverage, type TestResult, trace } from '../../evidence/trace.ts';

const requirement = (id: string, more: object = { coveredBy: 'tests' }) => ({
  id,
  rule: `the rule of ${id}`,
  source: 'nowhere',
  ...more,
});

const GROUPS: readonly RequirementGroup[] = [
  {
    title: 'all',
    requirements: [
      requirement('ONE'),
      requirement('TWO'),
      requirement('MOVED', { coveredBy: 'tests', revision: 2 }),
      requirement('KEPT', { design: { where: ['shared'], how: 'so' } }),
      requirement('THEIRS', { notApplicable: { duty: 'EUM', why: 'so' } }),
      requirement('LATER', { open: 'so' }),
    ],
  },
];

const test = (
  tags: readonly string[],
  state: TestResult['state'] = 'passed',
  name = tags.join(),
): TestResult => ({
  file: 'test/a.test.ts',
  name,
  tags,
  state,
  ms: 1,
});

/** A test of two requirements, one of each, one of a former revision and one of the present one. */
const RESULTS = [test(['ONE', 'TWO']), test(['TWO'], 'passed', 'another'), test(['MOVED~2'])];

function coverages(results: readonly TestResult[]): Record<string, Coverage> {
  const rows = trace(GROUPS, results).groups.flatMap(({ rows }) => rows);
  return Object.fromEntries(rows.map(({ requirement, coverage }) => [requirement.id, coverage]));
}

describe('the trace from requirements to tests', () => {
  it('is green where each requirement that tests can show has one that passed', () => {
    expect(trace(GROUPS, RESULTS)).toMatchObject({ green: true, orphans: [] });
    expect(coverages(RESULTS)).toEqual({
      ONE: 'covered',
      TWO: 'covered',
      MOVED: 'covered',
      KEPT: 'design',
      THEIRS: 'notApplicable',
      LATER: 'open',
    });
  });

  it('turns a row red whose test is removed, and no other', () => {
    const without = RESULTS.slice(1);
    expect(coverages(without)).toMatchObject({ ONE: 'uncovered', TWO: 'covered' });
    expect(trace(GROUPS, without).green).toBe(false);
  });

  it.each<[TestResult['state'], Coverage]>([
    ['failed', 'failed'],
    ['skipped', 'notRun'],
  ])('turns the rows of a test that is %s red', (state, coverage) => {
    const results = [test(['ONE'], state), ...RESULTS.slice(1)];
    expect(coverages(results)).toMatchObject({ ONE: coverage, TWO: 'covered' });
    expect(trace(GROUPS, results).green).toBe(false);
  });

  it('takes no test that passed for one that failed beside it', () => {
    expect(coverages([...RESULTS, test(['TWO'], 'failed')])).toMatchObject({ TWO: 'failed' });
  });

  it('tells a requirement that moved on since its tests: they are outdated', () => {
    const results = [...RESULTS.slice(0, 2), test(['MOVED'])];
    expect(coverages(results)).toMatchObject({ MOVED: 'outdated' });
    expect(trace(GROUPS, results).green).toBe(false);
  });

  it.each([
    ['NOBODY', 'no requirement has this ID'],
    ['ONE~2', 'no requirement has this ID'],
    ['THEIRS', 'the requirement says that no test shows it'],
  ])('lists a test of %s as an orphan, and is not green', (tag, why) => {
    const found = trace(GROUPS, [...RESULTS, test([tag])]);
    expect(found).toMatchObject({ green: false, orphans: [{ tag, why }] });
  });
});

describe('the report', () => {
  const of = {
    at: '2026-11-27T00:00:00.000Z',
    commit: 'c0ffee',
    changed: false,
    version: '0',
    machine: { host: 'here' },
    versions: { node: '24' },
    artefacts: { 'package-lock.json': 'ab' },
  };

  it('has each requirement with its tests, and counts them', () => {
    const report = reportOf(trace(GROUPS, RESULTS), of);
    expect(report).toMatchObject({ ...of, green: true, counts: { covered: 3, open: 1 } });
    expect(report.requirements[1]).toMatchObject({ id: 'TWO', red: false, tests: [{ state: 'passed' }, {}] });
    expect(report.requirements[4]).toMatchObject({ because: 'duty of EUM: so' });
  });

  it('shows a red row as red to people', () => {
    expect(pageOf(reportOf(trace(GROUPS, RESULTS), of))).toMatch(/\*\*green\*\*/);
    const page = pageOf(reportOf(trace(GROUPS, RESULTS.slice(1)), of));
    expect(page).toContain('**RED**');
    expect(page).toMatch(/\| ONE \|.*\*\*RED: uncovered\*\*/);
  });
});

describe('requirements.yaml', () => {
  const yaml = (more: string) =>
    `groups:\n  - title: t\n    requirements:\n      - { id: ONE, rule: r, source: s${more} }`;

  it.each([
    ['what shows it is missing', ''],
    ['two of them are there', ', coveredBy: tests, open: why'],
    ['a member is unknown', ', coveredBy: tests, tests: x'],
    ['a reason is missing', ', notApplicable: { duty: EUM }'],
    ['an ID is there twice', ', coveredBy: tests }\n      - { id: ONE, rule: r, source: s, coveredBy: tests'],
  ])('is refused where %s', (_, more) => {
    expect(() => parseRequirements(yaml(more))).toThrow(/requirements\.yaml: /);
  });

  it('has a tag for each revision', () => {
    const groups = parseRequirements(yaml(', coveredBy: tests, revision: 2'));
    expect(tagsOf(groups)).toMatchObject([{ name: 'ONE' }, { name: 'ONE~2' }]);
  });

  it('is replaced and added to by a file of whoever has the text of a rule', () => {
    const file = join(mkdtempSync(join(tmpdir(), 'smdpf-requirements-')), 'own.yaml');
    writeFileSync(
      file,
      yaml(', coveredBy: tests }\n      - { id: GENS03, rule: as it is, source: s, coveredBy: tests'),
    );
    const rows = requirementsOf(readRequirements(file));
    const own = requirementsOf(readRequirements(''));
    expect(rows.length).toBe(own.length + 1);
    expect(rows.find(({ id }) => id === 'GENS03')).toMatchObject({ rule: 'as it is', coveredBy: 'tests' });
    expect(rows.at(-1)).toMatchObject({ id: 'ONE' });
    rmSync(dirname(file), { recursive: true });
  });
});
