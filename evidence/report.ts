import type { Provenance } from './provenance.ts';
import { type Coverage, isRed, type Row, type Trace } from './trace.ts';

/** evidence/out/report.json. */
export interface Report extends Provenance {
  readonly green: boolean;
  readonly counts: Readonly<Partial<Record<Coverage, number>>>;
  readonly requirements: readonly {
    readonly id: string;
    readonly revision: number;
    readonly group: string;
    readonly rule: string;
    readonly source: string;
    readonly coverage: Coverage;
    readonly red: boolean;
    /** Why no test shows it, where none does. */
    readonly because?: string;
    readonly tests: readonly { file: string; name: string; state: string; ms: number }[];
  }[];
  readonly orphans: readonly { tag: string; why: string; file: string; name: string }[];
}

export function reportOf({ groups, orphans, green }: Trace, of: Provenance): Report {
  const rows = groups.flatMap(({ title, rows }) => rows.map((row) => ({ title, ...row })));
  const counts: Partial<Record<Coverage, number>> = {};
  for (const { coverage } of rows) counts[coverage] = (counts[coverage] ?? 0) + 1;
  return {
    ...of,
    green,
    counts,
    requirements: rows.map(({ title, requirement, coverage, tests }) => {
      const because = reasonOf(requirement);
      return {
        id: requirement.id,
        revision: requirement.revision ?? 1,
        group: title,
        rule: requirement.rule,
        source: requirement.source,
        coverage,
        red: isRed(coverage),
        ...(because !== undefined && { because }),
        tests: tests.map(({ file, name, state, ms }) => ({ file, name, state, ms })),
      };
    }),
    orphans: orphans.map(({ tag, why, test: { file, name } }) => ({ tag, why, file, name })),
  };
}

function reasonOf({ design, notApplicable, open }: Row['requirement']): string | undefined {
  if (design !== undefined) return `${design.how} (${design.where.join(', ')})`;
  if (notApplicable !== undefined) return `duty of ${notApplicable.duty}: ${notApplicable.why}`;
  return open;
}

/** The report for people: Markdown, which the documentation shows as a page too. */
export function pageOf(report: Report): string {
  const { counts, at, commit, changed, machine, versions, artefacts, requirements, orphans } = report;
  const groups = Map.groupBy(requirements, ({ group }) => group);
  return [
    '# Evidence',
    '',
    'For auditors: which requirement is shown by which tests, and what became of them in this run.',
    '',
    `**${report.green ? 'green' : 'RED'}**: ${Object.entries(counts)
      .map(([coverage, count]) => `${count} ${WORDS[coverage as Coverage]}`)
      .join(', ')}.`,
    '',
    `Run at ${at} on commit \`${commit}\`${changed ? ', with changes that are in no commit' : ''}, version ${report.version}.`,
    '',
    table(['machine', ''], Object.entries({ ...machine, ...versions })),
    '',
    table(
      ['artefact', 'SHA-256'],
      Object.entries(artefacts).map(([name, hash]) => [name, `\`${hash}\``]),
    ),
    '',
    ...[...groups].flatMap(([title, rows]) => [
      `## ${title}`,
      '',
      table(
        ['ID', 'rule', 'source', 'state', 'shown by'],
        rows.map((row) => [
          row.id + (row.revision > 1 ? ` ~${row.revision}` : ''),
          row.rule,
          row.source,
          row.red ? `**RED: ${WORDS[row.coverage]}**` : WORDS[row.coverage],
          row.because ?? testsText(row.tests),
        ]),
      ),
      '',
    ]),
    '## Orphans',
    '',
    orphans.length === 0
      ? 'None: every test that names a requirement names one that there is.'
      : table(
          ['tag', 'why', 'test'],
          orphans.map(({ tag, why, file, name }) => [tag, why, `${file}: ${name}`]),
        ),
    '',
  ].join('\n');
}

const WORDS: Readonly<Record<Coverage, string>> = {
  covered: 'covered',
  failed: 'failed',
  notRun: 'not run',
  outdated: 'outdated',
  uncovered: 'uncovered',
  design: 'by design',
  notApplicable: 'not applicable',
  open: 'open',
};

/** A line for each file: how many tests of it, and what became of those that did not pass. */
function testsText(tests: Report['requirements'][number]['tests']): string {
  return [...Map.groupBy(tests, ({ file }) => file)]
    .map(([file, of]) => {
      const failed = of.filter(({ state }) => state === 'failed').map(({ name }) => `failed: ${name}`);
      const skipped = of.filter(({ state }) => state === 'skipped').length;
      const notes = [...failed, ...(skipped > 0 ? [`${skipped} left out`] : [])];
      const ms = of.reduce((sum, test) => sum + test.ms, 0);
      return `\`${file}\`: ${of.length} in ${ms} ms${notes.length > 0 ? ` (${notes.join('; ')})` : ''}`;
    })
    .join('<br>');
}

const cell = (value: unknown) =>
  String(value)
    .replaceAll('|', '\\|')
    .replaceAll('\n', ' ')
    .replaceAll(/<(?!br>)/g, '&lt;');

const table = (head: readonly string[], rows: readonly (readonly unknown[])[]) =>
  [head, head.map(() => '---'), ...rows].map((row) => `| ${row.map(cell).join(' | ')} |`).join('\n');
