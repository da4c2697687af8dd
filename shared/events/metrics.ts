/**
 * Every figure that this server tells of itself, in one table: `/metrics` of the embedded server and CloudWatch are made of
 * it, and so is docs/metrics.md. Labels hold words of this code and codes of the interface alone, never what a party has
 * chosen, so that nobody makes a series.
 */
export interface MetricRow {
  /** A counter grows from 0 at the start of the process; a gauge is asked for at each look; a histogram has `buckets`. */
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly unit: 'calls' | 'items' | 'seconds' | 'octets' | 'keys' | 'flag';
  /** What each label holds, by its name. */
  readonly labels: Readonly<Record<string, string>>;
  readonly meaning: string;
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

const FUNCTION = 'a function of an interface, such as `esbpp.requestBpp`';
const KIND = '`job`, `order`, `euiccData`, `report` or `closing`';

export const METRICS = {
  smdpf_calls_total: {
    type: 'counter',
    unit: 'calls',
    labels: { function: FUNCTION, status: '`Executed-Success`, `Executed-WithWarning` or `Failed`' },
    meaning: 'calls of parties, devices and transfer links that were answered',
    cloudWatch: 'Calls',
  },
  smdpf_calls_refused_total: {
    type: 'counter',
    unit: 'calls',
    labels: { subject_code: 'as the caller was told', reason_code: 'as the caller was told' },
    meaning: 'those of them that were refused as a whole, by code',
    cloudWatch: 'CallsRefused',
  },
  smdpf_call_seconds: {
    type: 'histogram',
    unit: 'seconds',
    labels: { function: FUNCTION },
    meaning: 'time to answer a call',
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    cloudWatch: 'CallDuration',
  },
  smdpf_faults_total: {
    type: 'counter',
    unit: 'calls',
    labels: { function: 'a function of an interface, or a part of the server' },
    meaning: 'calls and tasks that this server failed',
    cloudWatch: 'Faults',
  },
  smdpf_work_ended_total: {
    type: 'counter',
    unit: 'items',
    labels: { kind: KIND, outcome: '`done`, `partly` or `refused`' },
    meaning: 'requests, orders, batches of eUICC data, reports and ends of orders that came to their end',
    cloudWatch: 'WorkEnded',
  },
  smdpf_work_items_total: {
    type: 'counter',
    unit: 'items',
    labels: { kind: KIND, outcome: '`done` or `refused`' },
    meaning: 'profiles, eUICCs and results of such work',
    cloudWatch: { label: 'outcome', names: { done: 'ItemsDone', refused: 'ItemsRefused' } },
  },
  smdpf_work_seconds: {
    type: 'histogram',
    unit: 'seconds',
    labels: { kind: KIND },
    meaning: 'time from when such work was taken on to its end',
    buckets: [1, 10, 60, 300, 1_800, 7_200, 36_000],
    cloudWatch: 'WorkDuration',
  },
  smdpf_tasks_failed_total: {
    type: 'counter',
    unit: 'items',
    labels: {
      kind: `${KIND}, or \`rows\``,
      given_up: '`true` where it is not tried again before the next start',
    },
    meaning: 'pieces of such work that failed; most are tried again',
    cloudWatch: { why: 'a task is a run of a Lambda there: `TasksFailed`' },
  },
  smdpf_tasks_total: {
    type: 'counter',
    unit: 'items',
    labels: { function: 'a Lambda that no party calls', status: '`done` or `failed`' },
    meaning: 'runs of background functions; on AWS alone',
    cloudWatch: { all: 'Tasks', label: 'status', names: { failed: 'TasksFailed' } },
  },
  smdpf_task_seconds: {
    type: 'histogram',
    unit: 'seconds',
    labels: { function: 'a Lambda that no party calls' },
    meaning: 'time that they took; on AWS alone',
    buckets: [0.1, 1, 10, 60, 300],
    cloudWatch: 'TaskDuration',
  },
  smdpf_alarms_total: {
    type: 'counter',
    unit: 'items',
    labels: { event: 'an event of docs/events.md that begins with `alarm.`' },
    meaning: 'lines of the log that somebody has to look at',
    cloudWatch: 'Alarms',
  },
  smdpf_callbacks_failed_total: {
    type: 'counter',
    unit: 'items',
    labels: { given_up: '`true` after the last attempt' },
    meaning: 'attempts to post callbacks that Operators did not take',
    cloudWatch: { label: 'given_up', names: { true: 'CallbacksGivenUp', false: 'CallbacksDelayed' } },
  },
  smdpf_key_waits_total: {
    type: 'counter',
    unit: 'calls',
    labels: {
      call: 'an operation of a key service, such as `sign`',
      reason: '`throttled`, `transient` or `slow`',
    },
    meaning: 'calls to keys that had to wait, or took more than half a second',
    cloudWatch: 'KeyWaits',
  },
  smdpf_key_wait_seconds_total: {
    type: 'counter',
    unit: 'seconds',
    labels: {
      call: 'an operation of a key service, such as `sign`',
      reason: '`throttled`, `transient` or `slow`',
    },
    meaning: 'how long they waited or took together',
    cloudWatch: 'KeyWaitSeconds',
  },
  smdpf_ready: {
    type: 'gauge',
    unit: 'flag',
    labels: {},
    meaning: '1 where `/health/ready` answers 200',
    cloudWatch: 'Ready',
  },
  smdpf_check: {
    type: 'gauge',
    unit: 'flag',
    labels: { check: 'a check of `/health/ready`' },
    meaning: '1 where it found nothing, 0 where something is ill',
    cloudWatch: { why: '`Ready` and the line `state.observed` of the log say which' },
  },
  smdpf_orders: {
    type: 'gauge',
    unit: 'items',
    labels: { state: 'a state of orders' },
    meaning: 'orders, of the newest 100',
    cloudWatch: { why: 'asked for by `ops.getOverview`' },
  },
  smdpf_profiles: {
    type: 'gauge',
    unit: 'items',
    labels: { state: 'a state of profiles' },
    meaning: 'profiles in these orders',
    cloudWatch: { why: 'asked for by `ops.getOverview`' },
  },
  smdpf_open_work: {
    type: 'gauge',
    unit: 'items',
    labels: { kind: `${KIND}, or \`rows\`` },
    meaning: 'work that was taken on and is not at its end; 1,000 are looked at',
    cloudWatch: 'OpenWork',
  },
  smdpf_open_work_oldest_seconds: {
    type: 'gauge',
    unit: 'seconds',
    labels: {},
    meaning: 'since when the oldest of it is open',
    cloudWatch: 'OpenWorkOldest',
  },
  smdpf_callbacks: {
    type: 'gauge',
    unit: 'items',
    labels: { state: '`waiting` or `parked`' },
    meaning: 'callbacks that wait, and that were given up; 1,000 of each are looked at',
    cloudWatch: { label: 'state', names: { waiting: 'CallbacksWaiting', parked: 'CallbacksParked' } },
  },
  smdpf_ends_seconds: {
    type: 'gauge',
    unit: 'seconds',
    labels: { kind: '`dppb`, `ci`, `eum`, `crl`, `party`, `tls` or `callback`' },
    meaning: 'until the first certificate or list of this kind ends; below 0 once it has',
    cloudWatch: 'FirstEnd',
  },
  smdpf_slow_keys: {
    type: 'gauge',
    unit: 'keys',
    labels: {},
    meaning: 'keys that were slow or slowed within the last 15 minutes',
    cloudWatch: 'SlowKeys',
  },
  smdpf_disk_free_octets: {
    type: 'gauge',
    unit: 'octets',
    labels: { store: '`ledger`, `vault` or `PPK vault`' },
    meaning: 'what is left on the disk of the store',
    cloudWatch: { why: 'S3 and DynamoDB have no disk that ends' },
  },
} as const satisfies Readonly<Record<string, MetricRow>>;

export type MetricName = keyof typeof METRICS;

/** The row of a metric, with what not every row has. */
export const metricRow = (name: MetricName): MetricRow => METRICS[name];

type LabelsOf<N extends MetricName> = keyof (typeof METRICS)[N]['labels'];

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
