import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { Meters } from '../../cli/server/meters.ts';
import { METRICS, type MetricName, metricRow } from '../../shared/events/metrics.ts';

/*
 * examples/monitoring: what the alert rules and the dashboard ask for exists, with the labels that they name, and every figure of
 * ours has its place in the dashboard.
 */

const RULES = 'examples/monitoring/prometheus-rules.yml';
const DASHBOARD = 'examples/monitoring/grafana-dashboard.json';

/** `smdpf_call_seconds_bucket` is a series of `smdpf_call_seconds`. */
const nameOf = (series: string): string => series.replace(/_(?:bucket|sum|count)$/, '');

const seriesOf = (text: string): string[] => [
  ...new Set([...text.matchAll(/\b(?:smdpf|process|nodejs)_[a-z_]+\b/g)].map(([name]) => name)),
];

it.each([RULES, DASHBOARD])('%s asks for figures that there are', async (file) => {
  const asked = seriesOf(await readFile(file, 'utf8'));
  const told = await new Meters().text([]);
  const known = [...told.matchAll(/^# TYPE (\S+) /gm)].map(([, name]) => name);
  expect(asked.length).toBeGreaterThan(10);
  expect(known).toEqual(expect.arrayContaining(asked.map(nameOf)));
});

it.each([RULES, DASHBOARD])('%s names labels that the figures have', async (file) => {
  const text = (await readFile(file, 'utf8')).replaceAll('\\"', '"');
  const ofPrometheus = ['instance', 'job', 'le'];
  for (const [, series = '', selected = ''] of text.matchAll(/\b(smdpf_[a-z_]+)\{([^}]*)\}/g)) {
    const { labels } = metricRow(nameOf(series) as MetricName);
    const named = [...selected.matchAll(/([a-z_]+)(?:=~|!=|=)"/g)].map(([, name]) => name);
    expect([...labels, ...ofPrometheus], series).toEqual(expect.arrayContaining(named));
  }
});

it('the dashboard shows every figure of this server', async () => {
  const shown = seriesOf(await readFile(DASHBOARD, 'utf8')).map(nameOf);
  const onAwsAlone = ['smdpf_tasks_total', 'smdpf_task_seconds'];
  const ours = Object.keys(METRICS).filter((name) => !onAwsAlone.includes(name));
  expect(shown).toEqual(expect.arrayContaining(ours));
});
