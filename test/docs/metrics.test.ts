import { it } from 'vitest';
import { meaningOf } from '../../shared/events/metric-meanings.ts';
import { METRICS, type MetricName, type MetricRow, metricRow } from '../../shared/events/metrics.ts';
import { expectTable, table } from './tables.ts';

function cloudWatch(row: MetricRow['cloudWatch']): string {
  if (typeof row === 'string') return `\`${row}\``;
  if ('why' in row) return `no: ${row.why}`;
  const names = Object.entries(row.names).map(([value, name]) => `\`${name}\` (${value})`);
  return [...(row.all === undefined ? [] : [`\`${row.all}\``]), ...names].join(', ');
}

it('docs/metrics.md has every metric as the code has it', () => {
  const names = Object.keys(METRICS) as MetricName[];
  const wanted = table(
    ['name', 'type', 'unit', 'labels', 'what it is', 'in CloudWatch'],
    names
      .map((name) => [name, metricRow(name)] as const)
      .map(([name, row]) => [
        `\`${name}\``,
        row.type,
        row.unit,
        Object.entries(meaningOf(name).labels)
          .map(([label, holds]) => `\`${label}\`: ${holds}`)
          .join('; ') || '–',
        meaningOf(name).meaning,
        cloudWatch(row.cloudWatch),
      ]),
  );
  expectTable('metrics.md', 'metrics', wanted);
});
