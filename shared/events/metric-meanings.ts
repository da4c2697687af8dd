import type { METRICS, MetricName } from './metrics.ts';

const THREAD = '`parties 1`, which is the first, and as many more as `server.threads` says, or `field`';

/**
 * What each metric tells, and what each of its labels holds: for `/metrics` and docs/metrics.md. Apart from metrics.ts, so that
 * no Lambda carries it.
 */
export const MEANINGS: {
  readonly [N in MetricName]: {
    readonly meaning: string;
    readonly labels: { readonly [L in (typeof METRICS)[N]['labels'][number]]: string };
  };
} = {
  smdpf_calls_total: {
    meaning: 'calls of parties, devices and transfer links that were answered',
    labels: {
      function: 'a function of an interface, such as `esbpp.requestBpp`',
      status: '`Executed-Success`, `Executed-WithWarning` or `Failed`',
    },
  },
  smdpf_calls_refused_total: {
    meaning: 'those of them that were refused as a whole, by code',
    labels: { subject_code: 'as the caller was told', reason_code: 'as the caller was told' },
  },
  smdpf_call_seconds: {
    meaning: 'time to answer a call',
    labels: { function: 'a function of an interface, such as `esbpp.requestBpp`' },
  },
  smdpf_faults_total: {
    meaning: 'calls and tasks that this server failed',
    labels: { function: 'a function of an interface, or a part of the server' },
  },
  smdpf_work_ended_total: {
    meaning: 'requests, orders, batches of eUICC data, reports and ends of orders that came to their end',
    labels: {
      kind: '`job`, `order`, `euiccData`, `report` or `closing`',
      outcome: '`done`, `partly` or `refused`',
    },
  },
  smdpf_work_items_total: {
    meaning: 'profiles, eUICCs and results of such work',
    labels: { kind: '`job`, `order`, `euiccData`, `report` or `closing`', outcome: '`done` or `refused`' },
  },
  smdpf_work_seconds: {
    meaning: 'time from when such work was taken on to its end',
    labels: { kind: '`job`, `order`, `euiccData`, `report` or `closing`' },
  },
  smdpf_tasks_failed_total: {
    meaning: 'pieces of such work that failed; most are tried again',
    labels: {
      kind: '`job`, `order`, `euiccData`, `report` or `closing`, or `rows`',
      given_up: '`true` where it is not tried again before the next start',
    },
  },
  smdpf_tasks_total: {
    meaning: 'runs of background functions; on AWS alone',
    labels: { function: 'a Lambda that no party calls', status: '`done` or `failed`' },
  },
  smdpf_task_seconds: {
    meaning: 'time that they took; on AWS alone',
    labels: { function: 'a Lambda that no party calls' },
  },
  smdpf_alarms_total: {
    meaning: 'lines of the log that somebody has to look at',
    labels: { event: 'an event of docs/events.md that begins with `alarm.`' },
  },
  smdpf_callbacks_failed_total: {
    meaning: 'attempts to post callbacks that Operators did not take',
    labels: { given_up: '`true` after the last attempt' },
  },
  smdpf_key_waits_total: {
    meaning: 'calls to keys that had to wait, or took more than half a second',
    labels: {
      call: 'an operation of a key service, such as `sign`',
      reason: '`throttled`, `transient` or `slow`',
    },
  },
  smdpf_key_wait_seconds_total: {
    meaning: 'how long they waited or took together',
    labels: {
      call: 'an operation of a key service, such as `sign`',
      reason: '`throttled`, `transient` or `slow`',
    },
  },
  smdpf_ready: { meaning: '1 where `/health/ready` answers 200', labels: {} },
  smdpf_check: {
    meaning: '1 where it found nothing, 0 where something is ill',
    labels: { check: 'a check of `/health/ready`' },
  },
  smdpf_orders: { meaning: 'orders, of the newest 100', labels: { state: 'a state of orders' } },
  smdpf_profiles: { meaning: 'profiles in these orders', labels: { state: 'a state of profiles' } },
  smdpf_one_time_keys_short: {
    meaning:
      'profiles refused within the last hour since no one-time key of the eUICC was left; `smdpf keys-left` counts those that are',
    labels: {},
  },
  smdpf_open_work: {
    meaning: 'work that was taken on and is not at its end; 1,000 are looked at',
    labels: { kind: '`job`, `order`, `euiccData`, `report` or `closing`, or `rows`' },
  },
  smdpf_open_work_oldest_seconds: { meaning: 'since when the oldest of it is open', labels: {} },
  smdpf_callbacks: {
    meaning: 'callbacks that wait, and that were given up; 1,000 of each are looked at',
    labels: { state: '`waiting` or `parked`' },
  },
  smdpf_ends_seconds: {
    meaning: 'until the first certificate or list of this kind ends; below 0 once it has',
    labels: { kind: '`dppb`, `ci`, `eum`, `crl`, `party`, `tls` or `callback`' },
  },
  smdpf_slow_keys: { meaning: 'keys that were slow or slowed within the last 15 minutes', labels: {} },
  smdpf_disk_free_octets: {
    meaning: 'what is left on the disk of the store',
    labels: { store: '`ledger`, `vault` or `PPK vault`' },
  },
  smdpf_thread_up: {
    meaning: '1 where the thread answers, 0 while one that died is replaced',
    labels: { thread: THREAD },
  },
  smdpf_thread_busy_ratio: {
    meaning: 'what part of the time since the last look its loop was busy: at 1 calls wait for it',
    labels: { thread: THREAD },
  },
};

/** The same whatever the metric is. */
export const meaningOf = (
  name: MetricName,
): { readonly meaning: string; readonly labels: Readonly<Record<string, string>> } => MEANINGS[name];
