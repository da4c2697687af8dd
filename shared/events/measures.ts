import type { LogRecord } from './log-events.ts';
import type { Measure } from './metrics.ts';

/**
 * What a line of the log adds to the figures. Counters are kept by the lines that there are anyway, from every thread and
 * Lambda alike: what is in the log is counted, and the other way round.
 */
export function measuresOf(record: LogRecord): readonly Measure[] {
  switch (record.event) {
    case 'call':
      return ofCall(record);
    case 'fault':
      return [{ metric: 'smdpf_faults_total', value: 1, labels: { function: record.function } }];
    case 'work.ended':
      return ofWork(record);
    case 'task':
      return [
        {
          metric: 'smdpf_tasks_total',
          value: 1,
          labels: { function: record.function, status: record.status },
        },
        {
          metric: 'smdpf_task_seconds',
          value: record.durationMs / 1000,
          labels: { function: record.function },
        },
      ];
    case 'task.failed':
      return [
        { metric: 'smdpf_tasks_failed_total', value: 1, labels: { kind: record.kind, given_up: 'false' } },
      ];
    case 'task.givenUp':
      return [
        { metric: 'smdpf_tasks_failed_total', value: 1, labels: { kind: record.kind, given_up: 'true' } },
      ];
    case 'notice.delayed':
      return [{ metric: 'smdpf_callbacks_failed_total', value: 1, labels: { given_up: 'false' } }];
    case 'notice.parked':
      return [{ metric: 'smdpf_callbacks_failed_total', value: 1, labels: { given_up: 'true' } }];
    case 'key.slowed': {
      const labels = { call: record.call, reason: record.reason };
      return [
        { metric: 'smdpf_key_waits_total', value: record.times, labels },
        { metric: 'smdpf_key_wait_seconds_total', value: record.waitedMs / 1000, labels },
      ];
    }
    case 'state.observed':
      return ofState(record);
    default:
      return record.event.startsWith('alarm.')
        ? [{ metric: 'smdpf_alarms_total', value: 1, labels: { event: record.event } }]
        : [];
  }
}

function ofCall(record: LogRecord<'call'>): readonly Measure[] {
  const { function: called, status = 'Failed', subjectCode, reasonCode, durationMs } = record;
  return [
    { metric: 'smdpf_calls_total', value: 1, labels: { function: called, status } },
    { metric: 'smdpf_call_seconds', value: durationMs / 1000, labels: { function: called } },
    ...(subjectCode === undefined || reasonCode === undefined
      ? []
      : [
          {
            metric: 'smdpf_calls_refused_total',
            value: 1,
            labels: { subject_code: subjectCode, reason_code: reasonCode },
          } as const,
        ]),
  ];
}

/** Of a deployment as a whole: kinds and states are added up. */
function ofState(record: LogRecord<'state.observed'>): readonly Measure[] {
  const { ready, openWork, openWorkOldestSeconds, callbacksWaiting, callbacksParked, slowKeys } = record;
  const { firstEndSeconds, profilesAvailable, oneTimeKeysShort } = record;
  return [
    { metric: 'smdpf_ready', value: ready ? 1 : 0, labels: {} },
    { metric: 'smdpf_open_work', value: openWork, labels: { kind: 'all' } },
    { metric: 'smdpf_open_work_oldest_seconds', value: openWorkOldestSeconds, labels: {} },
    { metric: 'smdpf_callbacks', value: callbacksWaiting, labels: { state: 'waiting' } },
    { metric: 'smdpf_callbacks', value: callbacksParked, labels: { state: 'parked' } },
    { metric: 'smdpf_slow_keys', value: slowKeys, labels: {} },
    { metric: 'smdpf_profiles', value: profilesAvailable, labels: { state: 'Available' } },
    { metric: 'smdpf_one_time_keys_short', value: oneTimeKeysShort, labels: {} },
    ...(firstEndSeconds === undefined
      ? []
      : [{ metric: 'smdpf_ends_seconds', value: firstEndSeconds, labels: { kind: 'all' } } as const]),
  ];
}

function ofWork({ kind, outcome, done, refused, durationMs }: LogRecord<'work.ended'>): readonly Measure[] {
  return [
    { metric: 'smdpf_work_ended_total', value: 1, labels: { kind, outcome } },
    { metric: 'smdpf_work_items_total', value: done, labels: { kind, outcome: 'done' } },
    { metric: 'smdpf_work_items_total', value: refused, labels: { kind, outcome: 'refused' } },
    { metric: 'smdpf_work_seconds', value: durationMs / 1000, labels: { kind } },
  ];
}
