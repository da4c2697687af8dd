import { existsSync, globSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readRequirements, requirementsOf, tagOf, tagsOf } from '../../evidence/requirements.ts';
import { isRed, trace } from '../../evidence/trace.ts';

/*
 * Holds requirements and tags to each other without running anything: whether the tests pass says `npm run evidence`.
 */

const GROUPS = readRequirements();
const REQUIREMENTS = requirementsOf(GROUPS);
const OWN = 'test/evidence/';

/** Tags as they stand in test files, by file. */
const tagged = globSync('test/**/*.test.ts')
  .filter((file) => !file.startsWith(OWN))
  .flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/\btags: \[([^\]]*)\]/g)].flatMap(([, list]) =>
      [...list!.matchAll(/'([^']*)'/g)].map(([, tag]) => ({ file, tag: tag! })),
    ),
  );
const tags = new Set(tagged.map(({ tag }) => tag));

/** The numbered requirements of SGP.41 as far as a public source names their ranges. */
const numbered = (name: string, from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => `${name}${String(from + i).padStart(2, '0')}`);
const SGP41 = [
  ...numbered('GENS', 1, 14),
  ...numbered('DPFF', 1, 11),
  'DPFS01',
  ...numbered('ESBPP', 1, 4),
  ...numbered('EUICCF', 1, 5),
  'DMF03',
  'EUMS01',
  ...['MCE01', 'MCE02', 'INO1', 'INO2', 'INO5', 'INO6'],
];

describe('every requirement', () => {
  it('of SGP.41 that is publicly numbered is listed', () => {
    const ids = REQUIREMENTS.map(({ id }) => id);
    expect(SGP41.filter((id) => !ids.includes(id))).toEqual([]);
  });

  it('that is an invariant stands in docs/invariants.md, and the other way round', () => {
    const page = readFileSync('docs/invariants.md', 'utf8');
    const listed = [...page.matchAll(/^\| (I\d+) \|/gm)].map(([, id]) => id);
    const invariants = REQUIREMENTS.map(({ id }) => id).filter((id) => /^I\d+$/.test(id));
    expect(invariants).toEqual(listed);
  });

  it('that says that tests show it has a test of its revision', () => {
    const shown = REQUIREMENTS.filter(({ coveredBy }) => coveredBy !== undefined);
    expect(shown.filter(({ id, revision }) => !tags.has(tagOf(id, revision))).map(({ id }) => id)).toEqual(
      [],
    );
  });

  it('is shown, kept by design or the duty of somebody else: none is open', () => {
    expect(REQUIREMENTS.filter(({ open }) => open !== undefined).map(({ id }) => id)).toEqual([]);
  });

  it('that is kept by design names what is there', () => {
    const places = REQUIREMENTS.flatMap(({ design }) => design?.where ?? []);
    expect(places.filter((place) => !existsSync(place))).toEqual([]);
  });
});

describe('a requirement whose tests are removed', () => {
  const all = tagged.map(({ file, tag }) => ({
    file,
    name: tag,
    tags: [tag],
    state: 'passed' as const,
    ms: 0,
  }));

  it('turns red, and no other does', () => {
    expect(trace(GROUPS, all)).toMatchObject({ green: true, orphans: [] });
    for (const { id, revision } of REQUIREMENTS.filter(({ coveredBy }) => coveredBy !== undefined)) {
      const left = all.filter(({ tags }) => !tags.includes(tagOf(id, revision)));
      const rows = trace(GROUPS, left).groups.flatMap(({ rows }) => rows);
      const red = rows.filter(({ coverage }) => isRed(coverage));
      expect(red.map(({ requirement, coverage }) => [requirement.id, coverage])).toEqual([[id, 'uncovered']]);
    }
  });
});

describe('every tag of a test', () => {
  it('is of a requirement that tests show', () => {
    const known = new Set(tagsOf(GROUPS).map(({ name }) => name));
    const untested = REQUIREMENTS.filter(({ coveredBy }) => coveredBy === undefined).map(({ id }) => id);
    expect(tagged.filter(({ tag }) => !known.has(tag) || untested.includes(tag))).toEqual([]);
  });
});
