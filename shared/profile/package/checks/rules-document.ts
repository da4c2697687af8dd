import { RULE_GROUPS } from './rules.ts';

const INTRODUCTION = `# Rules of the profile package

For Operators and profile makers whose package was refused or warned about.

What \`smdpf profile check\`, \`smdpf inspect\` and orders hold a profile package against, made from the table in
\`shared/profile/package/checks\`. Clauses are sections of TCA eUICC Profile Package 3.4.1, read at second hand, unless
another document is named. An error refuses an order; a warning deserves a look. An MF, an ADF or a file counts in
whatever way it is made, by a file PE or by genericFileManagement.`;

const row = (cells: readonly string[]) =>
  `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;

/** docs/profile-rules.md. */
export function rulesDocument(): string {
  const groups = RULE_GROUPS.map(({ name, rules }) => {
    const rows = rules.map(({ id, clause, level, text, wayOut }) =>
      row([`\`${id}\``, clause, level, text, wayOut]),
    );
    return [
      `## ${name}\n`,
      row(['rule', 'clause', 'level', 'what holds', 'way out']),
      '|---|---|---|---|---|',
      ...rows,
    ].join('\n');
  });
  return `${[INTRODUCTION, ...groups].join('\n\n')}\n`;
}
