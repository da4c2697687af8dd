import { Duration, Stack } from 'aws-cdk-lib';
import {
  Alarm,
  type AlarmProps,
  ComparisonOperator,
  Dashboard,
  GraphWidget,
  type IMetric,
  Metric,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { FilterPattern, MetricFilter } from 'aws-cdk-lib/aws-logs';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';
import type { InterfaceApi } from './api.ts';
import type { OperatorConfig } from './config.ts';
import {
  type BackgroundName,
  FUNCTIONS,
  type FunctionName,
  functionNames,
  resourceName,
} from './functions.ts';
import type { Jobs } from './jobs.ts';
import type { StorageKey } from './keys.ts';
import type { Ledger } from './ledger.ts';
import type { Notify } from './notify.ts';
import { scheduledFunctions } from './schedules.ts';
import type { SmdpfFunction } from './smdpf-function.ts';

export interface WatchProps {
  readonly config: OperatorConfig;
  readonly storageKey: StorageKey;
  readonly functions: Readonly<Record<FunctionName, SmdpfFunction>>;
  readonly apis: Readonly<Record<'parties' | 'field', InterfaceApi>>;
  readonly ledger: Ledger;
  readonly jobs: Jobs;
  readonly notify: Notify;
}

/** Every alarm has a section of this name in docs/runbook.md; a test holds the two against each other. */
export interface AlarmSpec {
  readonly name: string;
  readonly says: string;
  readonly metric: IMetric;
  readonly above: number;
  /** Periods of the metric, one after the other. */
  readonly periods?: number;
}

/** Who could meet an object or a PPK that is damaged. */
const READERS = functionNames.filter(
  (name) => FUNCTIONS[name].vault !== undefined || FUNCTIONS[name].ppks !== undefined,
);
const PERIOD = Duration.minutes(5);
const RUNBOOK = 'docs/runbook.md';
const API_LATENCY_MS = 10_000;

/** What people look at, and what calls them. */
export class Watch extends Construct {
  readonly topic: Topic;
  readonly alarms: readonly Alarm[];

  constructor(scope: Construct, id: string, props: WatchProps) {
    super(scope, id);
    const { config, storageKey } = props;
    this.topic = new Topic(this, 'Topic', {
      topicName: `${config.name}-smdpf-alarms`,
      masterKey: storageKey.key,
      enforceSSL: true,
    });
    this.#letAlarmsPublish();
    if (config.alarms.email !== undefined)
      this.topic.addSubscription(new EmailSubscription(config.alarms.email));
    const metrics = this.#metrics(props);
    this.alarms = [
      ...alarmsOf(config, metrics).map((spec) => this.#alarm(config, spec)),
      ...releaseAlarms(config, metrics).map((spec) => this.#alarm(config, spec)),
      ...scheduledFunctions(config).map(({ lambda, minutes }) => this.#heartbeat(props, lambda, minutes)),
    ];
    this.#dashboard(config, metrics);
  }

  /** By the name that it has in docs/runbook.md. */
  readonly alarmNamed = (name: string): Alarm => {
    const found = this.alarms.find(({ node }) => node.id === name);
    if (found === undefined) throw new Error(`there is no alarm ${name}`);
    return found;
  };

  /** A policy of a topic's own replaces the one that SNS would give it, by which CloudWatch may publish. */
  #letAlarmsPublish(): void {
    const { account, region, partition } = Stack.of(this);
    this.topic.addToResourcePolicy(
      new PolicyStatement({
        principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
        actions: ['sns:Publish'],
        resources: [this.topic.topicArn],
        conditions: {
          StringEquals: { 'aws:SourceAccount': account },
          ArnLike: { 'aws:SourceArn': `arn:${partition}:cloudwatch:${region}:${account}:alarm:*` },
        },
      }),
    );
  }

  #alarm({ name }: OperatorConfig, { name: alarmName, says, metric, above, periods = 1 }: AlarmSpec): Alarm {
    return this.#tell(alarmName, {
      alarmName: `${name}-smdpf-${alarmName}`,
      alarmDescription: `${says} See ${RUNBOOK}#${alarmName}`,
      metric,
      threshold: above,
      comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
      evaluationPeriods: periods,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    });
  }

  /** What does not run fails nothing: a schedule that has stopped is seen by the runs that are missing. */
  #heartbeat({ config, functions }: WatchProps, lambda: BackgroundName, minutes: number): Alarm {
    const name = `stopped-${resourceName(lambda)}`;
    const period = Duration.minutes(Math.min(Math.max(2 * minutes, 15), 24 * 60));
    return this.#tell(name, {
      alarmName: `${config.name}-smdpf-${name}`,
      alarmDescription: `${lambda} has not run when it should have. See ${RUNBOOK}#stopped`,
      metric: functions[lambda].function.metricInvocations({ statistic: 'Sum', period }),
      threshold: 1,
      comparisonOperator: ComparisonOperator.LESS_THAN_THRESHOLD,
      evaluationPeriods: 1,
      treatMissingData: TreatMissingData.BREACHING,
    });
  }

  #tell(id: string, props: AlarmProps): Alarm {
    const alarm = new Alarm(this, id, props);
    alarm.addAlarmAction(new SnsAction(this.topic));
    return alarm;
  }

  #metrics({ config, functions, apis, ledger, jobs, notify }: WatchProps) {
    const namespace = `Smdpf/${config.name}`;
    const counted = (metricName: string, pattern: string, names: readonly FunctionName[] = functionNames) => {
      for (const name of names) {
        new MetricFilter(this, `${metricName}-${resourceName(name)}`, {
          logGroup: functions[name].logGroup,
          metricNamespace: namespace,
          metricName,
          filterPattern: FilterPattern.literal(pattern),
          metricValue: '1',
        });
      }
      return new Metric({ namespace, metricName, statistic: 'Sum', period: PERIOD });
    };
    const of = (name: FunctionName) => functions[name].function;
    const sum = { statistic: 'Sum', period: PERIOD };
    const faults = counted('Faults', '{ $.event = "fault" }');
    return {
      faults,
      faultsByMinute: faults.with({ period: Duration.minutes(1) }),
      keyThrottled: counted('KeyServiceThrottled', '{ $.errors[0].code = "keyProviderThrottled" }', [
        'jobs.runTask',
        'esbpp.requestBpp',
      ]),
      trustAlarms: counted('TrustAlarms', '{ $.event = "alarm.*" }', [
        'trust.fetchCrls',
        'jobs.runTask',
        'esbpp.requestBpp',
        'esed1.registerEuiccData',
      ]),
      keyAlarms: counted('KeyAlarms', '{ $.event = "alarm.*" }', ['keys.check']),
      damagedObjects: counted('DamagedObjects', '{ $.event = "alarm.object.damaged" }', READERS),
      verifyFindings: counted('VerifyFindings', '{ $.event = "alarm.verify.found" }', ['verify.scrub']),
      rewrapLate: counted('RewrapLate', '{ $.event = "alarm.key.rewrap" }', ['keys.rewrap']),
      taskRuns: of('jobs.runTask').metricInvocations(sum),
      taskErrors: of('jobs.runTask').metricErrors(sum),
      taskThrottles: of('jobs.runTask').metricThrottles(sum),
      taskDuration: of('jobs.runTask').metricDuration({ statistic: 'p99', period: PERIOD }),
      auditErrors: of('audit.chain').metricErrors(sum),
      auditAlarms: counted('AuditAlarms', '{ $.event = "alarm.*" }', ['audit.chain']),
      executionsFailed: jobs.stateMachine.metricFailed(sum),
      parkedCallbacks: counted('ParkedCallbacks', '{ $.event = "notice.parked" }', ['notify.deliver']),
      callbackAlarms: counted('CallbackAlarms', '{ $.event = "alarm.callback.unsent" }', ['notify.deliver']),
      deadLetters: notify.deadLetters.metricApproximateNumberOfMessagesVisible({
        statistic: 'Maximum',
        period: PERIOD,
      }),
      callbackAge: notify.queue.metricApproximateAgeOfOldestMessage({ statistic: 'Maximum', period: PERIOD }),
      ledgerReadsThrottled: ledger.table.metric('ReadThrottleEvents', sum),
      ledgerWritesThrottled: ledger.table.metric('WriteThrottleEvents', sum),
      apiFailures: apis.parties.api.metricServerError(sum),
      fieldFailures: apis.field.api.metricServerError(sum),
      apiLatency: apis.parties.api.metricLatency({ statistic: 'p99', period: PERIOD }),
    };
  }

  #dashboard({ name }: OperatorConfig, metrics: Metrics): void {
    const graph = (title: string, ...left: IMetric[]) =>
      new GraphWidget({ title, left, width: 8, height: 6 });
    new Dashboard(this, 'Dashboard', {
      dashboardName: `${name}-smdpf-${Stack.of(this).region}`,
      widgets: [
        [
          graph('Calls that failed', metrics.apiFailures, metrics.fieldFailures, metrics.faults),
          graph('Time to answer, p99', metrics.apiLatency),
          graph('Ledger throttled', metrics.ledgerReadsThrottled, metrics.ledgerWritesThrottled),
        ],
        [
          graph('Tasks', metrics.taskRuns, metrics.taskErrors, metrics.taskThrottles),
          graph('Time of a task, p99', metrics.taskDuration),
          graph('Executions not complete; keys throttled', metrics.executionsFailed, metrics.keyThrottled),
        ],
        [
          graph('Callbacks given up', metrics.parkedCallbacks, metrics.deadLetters),
          graph('Oldest callback, seconds', metrics.callbackAge),
          graph('Audit, trust and keys', metrics.auditErrors, metrics.trustAlarms, metrics.keyAlarms),
        ],
      ],
    });
  }
}

type Metrics = Readonly<
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
    | 'apiLatency',
    IMetric
  >
>;

type Configured<T> = T | ((alarms: OperatorConfig['alarms']) => T);

interface AlarmRow extends Omit<AlarmSpec, 'says' | 'metric' | 'above'> {
  readonly says: Configured<string>;
  readonly metric: keyof Metrics;
  readonly above: Configured<number>;
}

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
function releaseAlarms({ canary }: OperatorConfig, { faultsByMinute }: Metrics): AlarmSpec[] {
  if (canary === undefined) return [];
  const says = 'The server fails calls or tasks; a release that is being tried is rolled back.';
  return [{ name: 'release-faults', says, metric: faultsByMinute, above: canary.faults }];
}

function alarmsOf({ alarms }: OperatorConfig, metrics: Metrics): AlarmSpec[] {
  return ALARMS.map(({ says, metric, above, ...row }) => ({
    ...row,
    says: typeof says === 'function' ? says(alarms) : says,
    metric: metrics[metric],
    above: typeof above === 'function' ? above(alarms) : above,
  }));
}
