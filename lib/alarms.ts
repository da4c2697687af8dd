import type { IMetric } from 'aws-cdk-lib/aws-cloudwatch';
import { present } from '../shared/present.ts';
import type { OperatorConfig } from './config.ts';

/** Every alarm has a section of this name in docs/runbook.md; a test holds the two against each other. */
export interface AlarmSpec {
  readonly name: string;
  readonly says: string;
  readonly metric: IMetric;
  /** Raised above this, or below it. */
  readonly above?: number;
  readonly below?: number;
  /** Periods of the metric, one after the other. */
  readonly periods?: number;
}

const API_LATENCY_MS = 10_000;

export type Metrics = Readonly<
  Record<
    | 'faults'
    | 'faultsByMinute'
    | 'keyThrottled'
    | 'trustAlarms'
    | 'keyAlarms'
    | 'damagedObjects'
    | 'verifyFindings'
    | 'rewrapLate'
    | 'taskRuns'
    | 'taskErrors'
    | 'taskThrottles'
    | 'taskDuration'
    | 'auditErrors'
    | 'auditAlarms'
    | 'executionsFailed'
    | 'parkedCallbacks'
    | 'callbackAlarms'
    | 'deadLetters'
    | 'callbackAge'
    | 'ledgerReadsThrottled'
    | 'ledgerWritesThrottled'
    | 'apiFailures'
    | 'fieldFailures'
    | 'ready'
    | 'profilesAvailable'
    | 'oneTimeKeysShort'
    | 'slowKeys'
    | 'openWorkOldest'
    | 'itemsRefused'
    | 'itemsDone'
    | 'apiLatency',
    IMetric
  >
>;

type Configured<T> = T | ((alarms: OperatorConfig['alarms']) => T);

interface AlarmRow extends Omit<AlarmSpec, 'says' | 'metric' | 'above' | 'below'> {
  readonly says: Configured<string>;
  readonly metric: keyof Metrics;
  /** There is no alarm where the configuration gives no bound. */
  readonly above?: Configured<number | undefined>;
  readonly below?: Configured<number | undefined>;
}

/** Minutes that work may be under way unless the configuration says otherwise. */
const WORK_MINUTES = 360;

const ALARMS: readonly AlarmRow[] = [
  {
    name: 'faults',
    says: 'The server fails calls or tasks.',
    metric: 'faults',
    above: ({ faults }) => faults,
  },
  {
    name: 'api-failures',
    says: 'Calls are answered 5xx.',
    metric: 'apiFailures',
    above: ({ faults }) => faults,
  },
  {
    name: 'field-failures',
    says: 'Notifications from the field are answered 5xx.',
    metric: 'fieldFailures',
    above: ({ faults }) => faults,
  },
  {
    name: 'api-slow',
    says: 'One call in a hundred takes more than 10 s.',
    metric: 'apiLatency',
    above: API_LATENCY_MS,
    periods: 3,
  },
  {
    name: 'tasks-throttled',
    says: 'Lambda has no room for tasks.',
    metric: 'taskThrottles',
    above: 0,
    periods: 3,
  },
  {
    name: 'job-incomplete',
    says: 'An execution ended with tasks that are not committed.',
    metric: 'executionsFailed',
    above: 0,
  },
  {
    name: 'keys-throttled',
    says: 'KMS slows down binding.',
    metric: 'keyThrottled',
    above: 0,
    periods: 3,
  },
  {
    name: 'keys',
    says: 'A key cannot be used, or its certificate has ended or is about to.',
    metric: 'keyAlarms',
    above: 0,
  },
  {
    name: 'damaged-objects',
    says: 'Octets of the vault are not those that were stored.',
    metric: 'damagedObjects',
    above: 0,
  },
  {
    name: 'verify-findings',
    says: 'Ledger, vault, PPK vault or audit log contradict each other.',
    metric: 'verifyFindings',
    above: 0,
  },
  {
    name: 'rewrap-late',
    says: 'A day after a rotation, data keys are still under the former wrapping key.',
    metric: 'rewrapLate',
    above: 0,
  },
  {
    name: 'ledger-writes-throttled',
    says: 'DynamoDB throttles writes of the ledger.',
    metric: 'ledgerWritesThrottled',
    above: 0,
    periods: 3,
  },
  {
    name: 'ledger-reads-throttled',
    says: 'DynamoDB throttles reads of the ledger.',
    metric: 'ledgerReadsThrottled',
    above: 0,
    periods: 3,
  },
  {
    name: 'callbacks-given-up',
    says: 'Callbacks to the Operator were given up and wait in the ledger to be replayed.',
    metric: 'parkedCallbacks',
    above: 0,
  },
  {
    name: 'callbacks-unsent',
    says: 'Callbacks cannot be signed or sent.',
    metric: 'callbackAlarms',
    above: 0,
  },
  {
    name: 'callbacks-dead',
    says: 'Messages that could never be delivered are in the dead-letter queue of callbacks.',
    metric: 'deadLetters',
    above: 0,
  },
  {
    name: 'callbacks-late',
    says: ({ callbackMinutes }) => `A callback waits for more than ${callbackMinutes} minutes.`,
    metric: 'callbackAge',
    above: ({ callbackMinutes }) => callbackMinutes * 60,
  },
  {
    name: 'not-ready',
    says: 'A check of /health/ready is ill: the ledger, a revocation list, callbacks or the clock.',
    metric: 'ready',
    below: 1,
    periods: 3,
  },
  {
    name: 'stock-low',
    says: ({ stock = 0 }) => `Fewer than ${stock} profiles are left in the newest orders.`,
    metric: 'profilesAvailable',
    below: ({ stock }) => stock,
  },
  {
    name: 'one-time-keys-short',
    says: 'Profiles are refused since no one-time key of the eUICC is left.',
    metric: 'oneTimeKeysShort',
    above: 0,
  },
  {
    name: 'keys-slow',
    says: 'A key is slow, or its service slows it.',
    metric: 'slowKeys',
    above: 0,
    periods: 3,
  },
  {
    name: 'work-stuck',
    says: ({ workMinutes = WORK_MINUTES }) => `Work is under way for more than ${workMinutes} minutes.`,
    metric: 'openWorkOldest',
    above: ({ workMinutes = WORK_MINUTES }) => workMinutes * 60,
  },
  {
    name: 'items-refused',
    says: ({ refused = 0 }) =>
      `More than ${refused} profiles, eUICCs or results were refused within an hour.`,
    metric: 'itemsRefused',
    above: ({ refused }) => refused,
  },
  {
    name: 'audit-stopped',
    says: 'The audit chain does not move on.',
    metric: 'auditErrors',
    above: 2,
  },
  {
    name: 'audit-evidence',
    says: 'The end of the audit log is not kept outside, or the clock that it takes its times from is off.',
    metric: 'auditAlarms',
    above: 0,
  },
  {
    name: 'trust',
    says: 'A revocation list or certificate is missing, late or about to end.',
    metric: 'trustAlarms',
    above: 0,
  },
];

/** A release that fails is rolled back by the minute (lib/canary.ts). */
export function releaseAlarms({ canary }: OperatorConfig, { faultsByMinute }: Metrics): AlarmSpec[] {
  if (canary === undefined) return [];
  const says = 'The server fails calls or tasks; a release that is being tried is rolled back.';
  return [{ name: 'release-faults', says, metric: faultsByMinute, above: canary.faults }];
}

export function alarmsOf({ alarms }: OperatorConfig, metrics: Metrics): AlarmSpec[] {
  const of = <T>(value: Configured<T>): T => (value instanceof Function ? value(alarms) : value);
  return ALARMS.map(({ says, metric, above, below, ...row }) => ({
    ...row,
    says: of(says),
    metric: metrics[metric],
    ...present({ above: of(above), below: of(below) }),
  })).filter(({ above, below }) => (above ?? below) !== undefined);
}
