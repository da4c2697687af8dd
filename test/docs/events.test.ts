import { it } from 'vitest';
import { LOG_EVENTS } from '../../shared/events/log-events.ts';
import { MEMBER_KINDS, type Members, membersOf } from '../../shared/events/members.ts';
import { AUDIT_EVENTS } from '../../shared/service/audit/events.ts';
import { expectTable, table } from './tables.ts';

const list = (members: Members) =>
  [...membersOf(members)]
    .map(([name, of, optional]) => {
      const kind = typeof of === 'string' ? of : of.words.map((word) => `\`${word}\``).join(' or ');
      return `\`${name}\`${optional ? '?' : ''} ${kind}`;
    })
    .join('; ') || '–';
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
  expectTable('events.md', name, wanted);
});
