/**
 * Every figure that this server tells of itself, in one table: `/metrics` of the embedded server and CloudWatch are made of
 * it, and so is docs/metrics.md. Labels hold words of this code and codes of the interface alone, never what a party has
 * chosen, so that nobody makes a series.
 */
export interface MetricRow {
  /** A counter grows from 0 at the start of the process; a gauge is asked for at each look; a histogram has `buckets`. */
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly unit: 'calls' | 'items' | 'seconds' | 'octets' | 'keys' | 'flag' | 'ratio';
  readonly labels: readonly string[];
  /** Upper bounds, ascending. */
  readonly buckets?: readonly number[];
  /**
   * Its name in CloudWatch, where each series is billed: summed over its labels, or one for each of some values of a label;
   * or why it has none. Times of histograms are milliseconds there.
   */
  readonly cloudWatch: string | ByLabel | { readonly why: string };
}

interface ByLabel {
  readonly all?: string;
  readonly label: string;
  readonly names: Readonly<Record<string, string>>;
}

const OWN_LAMBDAS = 'each Lambda answers one call at a time';

export const METRICS = {
  smdpf_calls_total: { type: 'counter', unit: 'calls', labels: ['function', 'status'], cloudWatch: 'Calls' },
  smdpf_calls_refused_total: {
    type: 'counter',
    unit: 'calls',
    labels: ['subject_code', 'reason_code'],
    cloudWatch: 'CallsRefused',
  },
  smdpf_call_seconds: {
    type: 'histogram',
    unit: 'seconds',
    labels: ['function'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    cloudWatch: 'CallDuration',
  },
  smdpf_faults_total: { type: 'counter', unit: 'calls', labels: ['function'], cloudWatch: 'Faults' },
  smdpf_work_ended_total: {
    type: 'counter',
    unit: 'items',
    labels: ['kind', 'outcome'],
    cloudWatch: 'WorkEnded',
  },
  smdpf_work_items_total: {
    type: 'counter',
    unit: 'items',
    labels: ['kind', 'outcome'],
    cloudWatch: { label: 'outcome', names: { done: 'ItemsDone', refused: 'ItemsRefused' } },
  },
  smdpf_work_seconds: {
    type: 'histogram',
    unit: 'seconds',
    labels: ['kind'],
    buckets: [1, 10, 60, 300, 1800, 7200, 36000],
    cloudWatch: 'WorkDuration',
  },
  smdpf_tasks_failed_total: {
    type: 'counter',
    unit: 'items',
    labels: ['kind', 'given_up'],
    cloudWatch: { why: 'a task is a run of a Lambda there: `TasksFailed`' },
  },
  smdpf_tasks_total: {
    type: 'counter',
    unit: 'items',
    labels: ['function', 'status'],
    cloudWatch: { all: 'Tasks', label: 'status', names: { failed: 'TasksFailed' } },
  },
  smdpf_task_seconds: {
    type: 'histogram',
    unit: 'seconds',
    labels: ['function'],
    buckets: [0.1, 1, 10, 60, 300],
    cloudWatch: 'TaskDuration',
  },
  smdpf_alarms_total: { type: 'counter', unit: 'items', labels: ['event'], cloudWatch: 'Alarms' },
  smdpf_callbacks_failed_total: {
    type: 'counter',
    unit: 'items',
    labels: ['given_up'],
    cloudWatch: { label: 'given_up', names: { true: 'CallbacksGivenUp', false: 'CallbacksDelayed' } },
  },
  smdpf_key_waits_total: {
    type: 'counter',
    unit: 'calls',
    labels: ['call', 'reason'],
    cloudWatch: 'KeyWaits',
  },
  smdpf_key_wait_seconds_total: {
    type: 'counter',
    unit: 'seconds',
    labels: ['call', 'reason'],
    cloudWatch: 'KeyWaitSeconds',
  },
  smdpf_ready: { type: 'gauge', unit: 'flag', labels: [], cloudWatch: 'Ready' },
  smdpf_check: {
    type: 'gauge',
    unit: 'flag',
    labels: ['check'],
    cloudWatch: { why: '`Ready` and the line `state.observed` of the log say which' },
  },
  smdpf_orders: {
    type: 'gauge',
    unit: 'items',
    labels: ['state'],
    cloudWatch: { why: 'asked for by `ops.getOverview`' },
  },
  smdpf_profiles: {
    type: 'gauge',
    unit: 'items',
    labels: ['state'],
    cloudWatch: { label: 'state', names: { Available: 'ProfilesAvailable' } },
  },
  smdpf_one_time_keys_short: { type: 'gauge', unit: 'items', labels: [], cloudWatch: 'OneTimeKeysShort' },
  smdpf_open_work: { type: 'gauge', unit: 'items', labels: ['kind'], cloudWatch: 'OpenWork' },
  smdpf_open_work_oldest_seconds: {
    type: 'gauge',
    unit: 'seconds',
    labels: [],
    cloudWatch: 'OpenWorkOldest',
  },
  smdpf_callbacks: {
    type: 'gauge',
    unit: 'items',
    labels: ['state'],
    cloudWatch: { label: 'state', names: { waiting: 'CallbacksWaiting', parked: 'CallbacksParked' } },
  },
  smdpf_ends_seconds: { type: 'gauge', unit: 'seconds', labels: ['kind'], cloudWatch: 'FirstEnd' },
  smdpf_slow_keys: { type: 'gauge', unit: 'keys', labels: [], cloudWatch: 'SlowKeys' },
  smdpf_disk_free_octets: {
    type: 'gauge',
    unit: 'octets',
    labels: ['store'],
    cloudWatch: { why: 'S3 and DynamoDB have no disk that ends' },
  },
  smdpf_thread_up: { type: 'gauge', unit: 'flag', labels: ['thread'], cloudWatch: { why: OWN_LAMBDAS } },
  smdpf_thread_busy_ratio: {
    type: 'gauge',
    unit: 'ratio',
    labels: ['thread'],
    cloudWatch: { why: OWN_LAMBDAS },
  },
} as const satisfies Readonly<Record<string, MetricRow>>;

export type MetricName = keyof typeof METRICS;

/** The row of a metric, with what not every row has. */
export const metricRow = (name: MetricName): MetricRow => METRICS[name];

type LabelsOf<N extends MetricName> = (typeof METRICS)[N]['labels'][number];

/** What is added to a counter or seen by a histogram, or what a gauge stands at. */
export type Measure<N extends MetricName = MetricName> = N extends MetricName
  ? {
      readonly metric: N;
      readonly value: number;
      readonly labels: { readonly [L in LabelsOf<N>]: string };
    }
  : never;

/** The names that a measure is told CloudWatch under. */
export function cloudWatchNames({ metric, labels }: Measure): string[] {
  const { cloudWatch } = metricRow(metric);
  if (typeof cloudWatch === 'string') return [cloudWatch];
  if ('why' in cloudWatch) return [];
  const value = new Map<string, string>(Object.entries(labels)).get(cloudWatch.label);
  const one = value === undefined ? undefined : cloudWatch.names[value];
  return [cloudWatch.all, one].filter((name) => name !== undefined);
}
