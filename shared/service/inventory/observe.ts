import { ownText } from '../../events/error-record.ts';
import type { LogRecord } from '../../events/log-events.ts';
import type { Measure, MetricName } from '../../events/metrics.ts';
import type { Health } from '../api/ops.ts';
import { callbackHealth } from '../callbacks/health.ts';
import type { Context } from '../context.ts';
import { sum } from '../counts/order-counts.ts';
import { slowKeysOf } from '../keys/slowed-keys.ts';
import { partitions } from '../records/keys.ts';
import { openWorkOf, openWorkRecord } from '../records/work.ts';
import type { Trust } from '../trust/trust.ts';
import { type KnownCertificate, listExpiring } from './expiring.ts';
import { countFailures } from './failures.ts';
import { ownChecks, Probes } from './health.ts';
import { newestOrders } from './overview.ts';

/** Pieces of open work that are looked at. */
const OPEN_WORK = 1_000;
/** Within which a shortage of one-time keys counts. */
const SHORT_MS = 3_600_000;
/** All that ends, however late. */
const EVER_DAYS = 1_000_000;

/** How the deployment stands now, as gauges: read in a number of reads that its size does not matter for. */
export async function observe(
  context: Context,
  trust: Trust,
  known: readonly KnownCertificate[],
  health: Health,
): Promise<readonly Measure[]> {
  const { waiting, parked } = await callbackHealth(context);
  const slow = new Set((await slowKeysOf(context)).map(({ key }) => key));
  return [
    { metric: 'smdpf_ready', value: health.ready ? 1 : 0, labels: {} },
    ...health.checks.map(
      ({ name, state }): Measure => ({
        metric: 'smdpf_check',
        value: state === 'ok' ? 1 : 0,
        labels: { check: name },
      }),
    ),
    { metric: 'smdpf_callbacks', value: waiting, labels: { state: 'waiting' } },
    { metric: 'smdpf_callbacks', value: parked, labels: { state: 'parked' } },
    { metric: 'smdpf_slow_keys', value: slow.size, labels: {} },
    { metric: 'smdpf_one_time_keys_short', value: await keysShort(context), labels: {} },
    ...(await openWork(context)),
    ...(await ends(context, trust, known)),
  ];
}

/** What is in stock: reads some items for each of the newest orders. */
export async function observeStock(context: Context): Promise<readonly Measure[]> {
  const { states, stocks } = await newestOrders(context);
  return [
    ...Object.entries(countsOf(states)).map(
      ([state, value]): Measure => ({ metric: 'smdpf_orders', value, labels: { state } }),
    ),
    ...Object.entries(sum(...stocks.map(({ counts }) => counts))).map(
      ([state, value]): Measure => ({ metric: 'smdpf_profiles', value, labels: { state } }),
    ),
  ];
}

/** How many profiles could not be bound of late since the eUICC had no one-time key left for them. */
async function keysShort(context: Context): Promise<number> {
  const since = new Date(context.now() - SHORT_MS).toISOString();
  const { failures } = await countFailures(context, { since, kind: 'item', code: 'oneTimeKeyUnavailable' });
  return failures.reduce((total, { count }) => total + count, 0);
}

async function openWork({ ledger, now }: Context): Promise<Measure[]> {
  const { items } = await ledger.query(partitions.openWork, { limit: OPEN_WORK });
  const kinds = countsOf(items.map((item) => openWorkOf(item).kind));
  const since = items.map((item) => openWorkRecord.from(item).since);
  const oldest = since.length === 0 ? 0 : Math.max(0, now() - since.reduce((a, b) => Math.min(a, b)));
  return [
    ...Object.entries(kinds).map(
      ([kind, value]): Measure => ({ metric: 'smdpf_open_work', value, labels: { kind } }),
    ),
    { metric: 'smdpf_open_work_oldest_seconds', value: Math.round(oldest / 1000), labels: {} },
  ];
}

async function ends(context: Context, trust: Trust, known: readonly KnownCertificate[]): Promise<Measure[]> {
  const { expiring } = await listExpiring(context, trust, known, EVER_DAYS);
  const first = new Map<string, number>();
  for (const { kind, notAfter } of expiring) if (!first.has(kind)) first.set(kind, Date.parse(notAfter));
  return [...first].map(([kind, endMs]) => ({
    metric: 'smdpf_ends_seconds',
    value: Math.round((endMs - context.now()) / 1000),
    labels: { kind },
  }));
}

const countsOf = (words: readonly string[]) => sum(...words.map((word) => ({ [word]: 1 })));

/** The same in one line of the log, for where no process stays to be asked. */
export function observedLine(measures: readonly Measure[]): LogRecord<'state.observed'> {
  const of = (metric: MetricName, label?: string) =>
    measures
      .filter(
        (one) => one.metric === metric && (label === undefined || Object.values(one.labels).includes(label)),
      )
      .map(({ value }) => value);
  const total = (...values: readonly number[]) => values.reduce((all, value) => all + value, 0);
  const ends = of('smdpf_ends_seconds');
  const ill = measures.flatMap((one) =>
    one.metric === 'smdpf_check' && one.value === 0 ? one.labels.check : [],
  );
  return {
    event: 'state.observed',
    ready: total(...of('smdpf_ready')) === 1,
    ...(ill.length > 0 && { ill: ownText(ill.join(', ')) }),
    openWork: total(...of('smdpf_open_work')),
    openWorkOldestSeconds: total(...of('smdpf_open_work_oldest_seconds')),
    callbacksWaiting: total(...of('smdpf_callbacks', 'waiting')),
    callbacksParked: total(...of('smdpf_callbacks', 'parked')),
    slowKeys: total(...of('smdpf_slow_keys')),
    profilesAvailable: total(...of('smdpf_profiles', 'Available')),
    oneTimeKeysShort: total(...of('smdpf_one_time_keys_short')),
    ...(ends.length > 0 && { firstEndSeconds: Math.min(...ends) }),
  };
}

/** Health without the keys, which `keys.check` asks for by itself: what the Lambda of `jobs.resume` may do. */
export async function observedByLambda(context: Context, trust: Trust): Promise<LogRecord<'state.observed'>> {
  const checks = ownChecks(context, trust, { list: async () => [] });
  const health = await new Probes(() => performance.now()).look(checks);
  return observedLine([...(await observe(context, trust, [], health)), ...(await observeStock(context))]);
}
