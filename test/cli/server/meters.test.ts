import { expect, it } from 'vitest';
import { Meters } from '../../../cli/server/meters.ts';
import { LOG_EVENTS, type LogRecord } from '../../../shared/events/log-events.ts';
import { measuresOf } from '../../../shared/events/measures.ts';
import { meaningOf } from '../../../shared/events/metric-meanings.ts';
import { cloudWatchNames, METRICS, metricRow } from '../../../shared/events/metrics.ts';

const call = (more: Partial<LogRecord<'call'>> = {}): LogRecord<'call'> => ({
  event: 'call',
  function: 'es2f.getOrderStatus',
  party: 'SECRET-PARTY',
  orderId: 'SECRET-ORDER',
  httpStatus: 200,
  status: 'Executed-Success',
  durationMs: 120,
  ...more,
});

const seriesOf = (text: string) => text.split('\n').filter((line) => line.startsWith('smdpf_'));

it('lines of the log are counted by function and code, and nothing that a party has chosen is a label', async () => {
  const meters = new Meters();
  for (let n = 0; n < 3; n++) meters.take(call());
  meters.take(call({ status: 'Failed', subjectCode: '8.2.1', reasonCode: '3.9' }));
  meters.take({
    event: 'work.ended',
    kind: 'job',
    id: 'SECRET-JOB',
    orderId: 'SECRET-ORDER',
    done: 7,
    refused: 2,
    outcome: 'partly',
    durationMs: 42_000,
  });
  meters.take({ event: 'key.slowed', call: 'sign', key: 'k', reason: 'slow', times: 2, waitedMs: 1_500 });
  meters.take({ event: 'alarm.ledger.frozen', message: '' as never });
  const text = await meters.text([{ metric: 'smdpf_ready', value: 1, labels: {} }]);
  const series = seriesOf(text);
  expect(series).toEqual(
    expect.arrayContaining([
      'smdpf_calls_total{function="es2f.getOrderStatus",status="Executed-Success"} 3',
      'smdpf_calls_refused_total{subject_code="8.2.1",reason_code="3.9"} 1',
      'smdpf_call_seconds_count{function="es2f.getOrderStatus"} 4',
      'smdpf_work_items_total{kind="job",outcome="refused"} 2',
      'smdpf_work_ended_total{kind="job",outcome="partly"} 1',
      'smdpf_key_wait_seconds_total{call="sign",reason="slow"} 1.5',
      'smdpf_alarms_total{event="alarm.ledger.frozen"} 1',
      'smdpf_ready 1',
    ]),
  );
  expect(text).not.toContain('SECRET');
  expect(text).toContain('process_cpu_seconds_total');
});

it('a gauge that nobody tells of any more is gone', async () => {
  const meters = new Meters();
  const labels = { store: 'vault' };
  await meters.text([{ metric: 'smdpf_disk_free_octets', value: 7, labels }]);
  expect(seriesOf(await meters.text([])).some((line) => line.includes('store="vault"'))).toBe(false);
});

it('a label with too many values has the rest together', async () => {
  const meters = new Meters();
  for (let n = 0; n < 1_000; n++) meters.take(call({ function: `unknown.${n}` }));
  const calls = seriesOf(await meters.text([])).filter((line) => line.startsWith('smdpf_calls_total{'));
  expect(calls).toHaveLength(151);
  expect(calls).toContain('smdpf_calls_total{function="others",status="Executed-Success"} 850');
});

it('each metric has a meaning, what its labels hold, and a name in CloudWatch or why it has none', () => {
  const names: string[] = [];
  for (const name of Object.keys(METRICS) as (keyof typeof METRICS)[]) {
    const { cloudWatch, type, buckets } = metricRow(name);
    const { meaning, labels } = meaningOf(name);
    expect(name).toMatch(/^smdpf_[a-z_]+$/);
    expect(meaning.length, name).toBeGreaterThan(10);
    for (const [label, holds] of Object.entries(labels)) expect(holds, `${name} ${label}`).not.toBe('');
    expect(type === 'histogram', name).toBe(buckets !== undefined);
    if (typeof cloudWatch === 'string') names.push(cloudWatch);
    else if ('why' in cloudWatch) expect(cloudWatch.why.length, name).toBeGreaterThan(10);
    else names.push(...Object.values(cloudWatch.names), ...(cloudWatch.all ? [cloudWatch.all] : []));
  }
  expect(new Set(names).size).toBe(names.length);
});

it('a task of a Lambda that failed is counted under both of its names', () => {
  const [runs] = measuresOf({ event: 'task', function: 'jobs.resume', status: 'failed', durationMs: 3 });
  expect(cloudWatchNames(runs!)).toEqual(['Tasks', 'TasksFailed']);
  expect(Object.keys(LOG_EVENTS).filter((event) => event.startsWith('alarm.')).length).toBeLessThan(150);
});
