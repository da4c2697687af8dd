import { it } from 'vitest';
import { METRICS, type MetricRow } from '../../shared/events/metrics.ts';
import { expectTable, table } from './tables.ts';

function cloudWatch(row: MetricRow['cloudWatch']): string {
  if (typeof row === 'string') return `\`${row}\``;
  if ('why' in row) return `no: ${row.why}`;
  const names = Object.entries(row.names).map(([value, name]) => `\`${name}\` (${value})`);
  return [...(row.all === undefined ? [] : [`\`${row.all}\``]), ...names].join(', ');
}

it('docs/metrics.md has every metric as the code has it', () => {
  const rows: readonly (readonly [string, MetricRow])[] = Object.entries(METRICS);
  const wanted = table(
    ['name', 'type', 'unit', 'labels', 'what it is', 'in CloudWatch'],
    rows.map(([name, row]) => [
      `\`${name}\``,
      row.type,
      row.unit,
      Object.entries(row.labels)
        .map(([label, holds]) => `\`${label}\`: ${holds}`)
        .join('; ') || '–',
      row.meaning,
      cloudWatch(row.cloudWatch),
    ]),
  );
  expectTable('metrics.md', 'metrics', wanted);
});
