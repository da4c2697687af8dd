import { it } from 'vitest';
import { UPKEEP, type UpkeepRow } from '../../shared/upkeep.ts';
import { APART, FLOORS } from '../architecture/floors.ts';
import { expectTable, table } from './tables.ts';

const code = (names: readonly string[]) => names.map((name) => `\`${name}\``).join(', ');

const every = (milliseconds: number) =>
  milliseconds % 3_600_000 === 0
    ? `${milliseconds / 3_600_000} h`
    : milliseconds % 60_000 === 0
      ? `${milliseconds / 60_000} min`
      : `${milliseconds / 1000} s`;

function embedded(row: UpkeepRow['embedded']): string {
  if ('why' in row) return `no: ${row.why}`;
  return 'pauseMs' in row ? `${every(row.pauseMs)} after the last round` : `\`${row.minutesOf}\``;
}

function aws(row: UpkeepRow['aws']): string {
  if ('why' in row) return `no: ${row.why}`;
  return `\`${row.lambda}\`, ${'everyMinutes' in row ? `every ${row.everyMinutes} min` : `\`${row.minutesOf}\``}`;
}

it('docs/architecture.md has the floors as the import test holds them', () => {
  const rows = [...FLOORS].reverse().map(({ name, rooms }) => [name, code(rooms)]);
  expectTable('architecture.md', 'floors', table(['floor', 'rooms'], rows));
});

it('docs/architecture.md has the rooms that stand apart', () => {
  const rows = Object.entries(APART).map(([room, only]) => [code([room]), code(only)]);
  expectTable('architecture.md', 'apart', table(['room', 'imports nothing but'], rows));
});

it('docs/architecture.md has all upkeep', () => {
  const rows: readonly (readonly [string, UpkeepRow])[] = Object.entries(UPKEEP);
  expectTable(
    'architecture.md',
    'upkeep',
    table(
      ['name', 'what it does', 'embedded', 'on AWS'],
      rows.map(([name, row]) => [`\`${name}\``, row.what, embedded(row.embedded), aws(row.aws)]),
    ),
  );
});
