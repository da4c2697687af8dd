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
import { type AlarmSpec, alarmsOf, type Metrics, releaseAlarms } from './alarms.ts';
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

/** Who could meet an object or a PPK that is damaged. */
const READERS = functionNames.filter(
  (name) => FUNCTIONS[name].vault !== undefined || FUNCTIONS[name].ppks !== undefined,
);
const PERIOD = Duration.minutes(5);
const RUNBOOK = 'docs/runbook.md';

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

  #alarm(
    { name }: OperatorConfig,
    { name: alarmName, says, metric, above, below = 0, periods = 1 }: AlarmSpec,
  ): Alarm {
    return this.#tell(alarmName, {
      alarmName: `${name}-smdpf-${alarmName}`,
      alarmDescription: `${says} See ${RUNBOOK}#${alarmName}`,
      metric,
      threshold: above ?? below,
      comparisonOperator:
        above === undefined
          ? ComparisonOperator.LESS_THAN_THRESHOLD
          : ComparisonOperator.GREATER_THAN_THRESHOLD,
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
    const counted = (metricName: string, pattern: string, names: readonly FunctionName[]) => {
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
    // what each Lambda tells of itself with the lines of its log (lambdas/telemetry.ts, docs/metrics.md)
    const told = (metricName: string, statistic: 'Sum' | 'Maximum' | 'Minimum', period = PERIOD) =>
      new Metric({
        namespace: 'smdpf',
        metricName,
        dimensionsMap: { service: config.name },
        statistic,
        period,
      });
    const faults = told('Faults', 'Sum');
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
      ready: told('Ready', 'Minimum'),
      profilesAvailable: told('ProfilesAvailable', 'Minimum'),
      oneTimeKeysShort: told('OneTimeKeysShort', 'Maximum'),
      slowKeys: told('SlowKeys', 'Maximum'),
      openWorkOldest: told('OpenWorkOldest', 'Maximum'),
      itemsRefused: told('ItemsRefused', 'Sum', Duration.hours(1)),
      itemsDone: told('ItemsDone', 'Sum'),
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
          graph('Profiles in stock', metrics.profilesAvailable),
          graph('Profiles, eUICCs and results: done, refused', metrics.itemsDone, metrics.itemsRefused),
          graph('Ready; profiles without a one-time key', metrics.ready, metrics.oneTimeKeysShort),
        ],
        [
          graph('Oldest work under way, seconds', metrics.openWorkOldest),
          graph('Slow keys', metrics.slowKeys),
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
