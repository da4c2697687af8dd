import { readFileSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { LOG_EVENTS } from '../../shared/events/log-events.ts';
import { MEMBER_KINDS, type Members, membersOf } from '../../shared/events/members.ts';
import { AUDIT_EVENTS } from '../../shared/service/audit/events.ts';

/** Each table stands between two comments of its name. `UPDATE_DOCS=1` writes them anew in place of comparing. */
const DOCUMENT = new URL('../../docs/events.md', import.meta.url);

const list = (members: Members) =>
  [...membersOf(members)]
    .map(([name, of, optional]) => {
      const kind = typeof of === 'string' ? of : of.words.map((word) => `\`${word}\``).join(' or ');
      return `\`${name}\`${optional ? '?' : ''} ${kind}`;
    })
    .join('; ') || '–';
const table = (heads: readonly string[], rows: readonly (readonly string[])[]) =>
  [heads, heads.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');

const TABLES = {
  'audit events': table(
    ['event', 'what the line tells', 'about', 'on restore'],
    Object.entries(AUDIT_EVENTS).map(([event, { tells, about, onRestore }]) => [
      `\`${event}\``,
      tells,
      list(about),
      onRestore,
    ]),
  ),
  'log events': table(
    ['event', 'level', 'when', 'members'],
    Object.entries(LOG_EVENTS).map(([event, { level, when, members }]) => [
      `\`${event}\``,
      level,
      when,
      list(members),
    ]),
  ),
  'what to do': table(
    ['event', 'what to do'],
    Object.entries(LOG_EVENTS).flatMap(([event, row]) => ('todo' in row ? [[`\`${event}\``, row.todo]] : [])),
  ),
  members: table(
    ['kind', 'what it is'],
    Object.entries(MEMBER_KINDS).map(([kind, { says }]) => [kind, says]),
  ),
} as const;

it.each(Object.entries(TABLES))('docs/events.md has the table of %s as the code has it', (name, wanted) => {
  const text = readFileSync(DOCUMENT, 'utf8');
  const [begin, end] = [`<!-- table: ${name} -->\n`, '\n<!-- end of table -->'];
  const from = text.indexOf(begin) + begin.length;
  const to = text.indexOf(end, from);
  expect(text.indexOf(begin), `docs/events.md has no ${begin}`).toBeGreaterThan(-1);
  if (process.env.UPDATE_DOCS === '1') writeFileSync(DOCUMENT, text.slice(0, from) + wanted + text.slice(to));
  else expect(text.slice(from, to)).toBe(wanted);
});
