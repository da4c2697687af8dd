import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import {
  CreateQueueCommand,
  DeleteQueueCommand,
  ReceiveMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { awsClient } from '../../../shared/aws/client-config.ts';
import { elementOf, pagesOf, type SignedCalls } from '../signed-calls.ts';
import type { StackDescription } from '../stack-description.ts';
import { bad, type Check, type Finding, good, type Looking, unchecked } from './check.ts';

const CLOUDWATCH = 'GraniteServiceVersion20100801';
const ARRIVES_WITHIN_MS = 60_000;
/** A subscription that was just made may miss the first: the alarm is rung again. */
const RING_AGAIN_MS = 15_000;
/** SQS takes no calls about a new queue before. */
const QUEUE_READY_MS = 1_000;

/**
 * An alarm is rung, and has to come out of the topic: its action, the policy of the topic and that of its key all have to
 * let it through. A queue that lives for the check subscribes to the topic. Whoever else subscribes is told of it too.
 */
export const testAlarm: Check = {
  name: 'a test alarm arrives',
  wayOut: 'Attach the output DoctorPolicy to the role you call with.',
  async look(looking) {
    const { stack, calls } = looking;
    const sqs = new SQSClient({ ...awsClient(), region: stack.region });
    const name = `${stack.description.name}-smdpf-doctor-${randomUUID().slice(0, 8)}`;
    const { QueueUrl } = await sqs.send(
      new CreateQueueCommand({
        QueueName: name,
        Attributes: { Policy: letTopicSend(stack.description.topic, name), MessageRetentionPeriod: '300' },
      }),
    );
    try {
      await pause(QUEUE_READY_MS);
      return await ring(looking, sqs, QueueUrl!, name);
    } finally {
      await setState(calls, stack.description, 'OK').catch(() => undefined);
      await sqs.send(new DeleteQueueCommand({ QueueUrl })).finally(() => sqs.destroy());
    }
  },
};

async function ring(
  { stack, calls }: Looking,
  sqs: SQSClient,
  QueueUrl: string,
  name: string,
): Promise<Finding> {
  const { topic, testAlarm: alarm, target } = stack.description;
  const subscribed = await calls.query('sns', '2010-03-31', 'Subscribe', {
    TopicArn: topic,
    Protocol: 'sqs',
    Endpoint: queueArn(topic, name),
    ReturnSubscriptionArn: 'true',
  });
  const SubscriptionArn = elementOf(subscribed, 'SubscriptionArn') ?? '';
  try {
    const until = Date.now() + ARRIVES_WITHIN_MS;
    let next = 0;
    while (Date.now() < until) {
      if (Date.now() >= next) {
        // actions belong to a change: an alarm that rings already would say nothing
        await setState(calls, stack.description, 'OK');
        await setState(calls, stack.description, 'ALARM');
        next = Date.now() + RING_AGAIN_MS;
      }
      const receive = new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 2, MaxNumberOfMessages: 10 });
      const { Messages = [] } = await sqs.send(receive);
      if (Messages.some(({ Body = '' }) => Body.includes(alarm)))
        return good(`${alarm} came out of the topic`);
    }
  } finally {
    await calls.query('sns', '2010-03-31', 'Unsubscribe', { SubscriptionArn });
  }
  return target === 'emulator'
    ? unchecked('this emulator did not publish the alarm')
    : bad(
        `${alarm} was rung and did not come out of the topic within a minute`,
        "Nobody hears this stack's alarms. Deploy again: the policies of topic and storage key have to let cloudwatch.amazonaws.com publish.",
      );
}

const queueArn = (topic: string, name: string) =>
  [...topic.split(':').slice(0, -1), name].join(':').replace(':sns:', ':sqs:');

const letTopicSend = (topic: string, name: string) =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Principal: { Service: 'sns.amazonaws.com' },
        Action: 'sqs:SendMessage',
        Resource: queueArn(topic, name),
        Condition: { ArnEquals: { 'aws:SourceArn': topic } },
      },
    ],
  });

const setState = (
  calls: SignedCalls,
  { testAlarm: AlarmName }: StackDescription,
  StateValue: 'OK' | 'ALARM',
) =>
  calls.json('monitoring', '1.0', `${CLOUDWATCH}.SetAlarmState`, {
    AlarmName,
    StateValue,
    StateReason: 'smdpf aws doctor',
  });

interface AlarmState {
  readonly AlarmName: string;
  readonly StateValue: string;
  readonly ActionsEnabled?: boolean;
  /** Seconds since 1970. */
  readonly AlarmConfigurationUpdatedTimestamp?: number;
  /** Seconds. */
  readonly Period?: number;
  readonly EvaluationPeriods?: number;
}

/** Whether an alarm on what is missing rings only because what it watches was not due yet, as after a first deployment. */
function isEarly({
  AlarmConfigurationUpdatedTimestamp: since,
  Period,
  EvaluationPeriods = 1,
}: AlarmState): boolean {
  return (
    since !== undefined && Period !== undefined && Date.now() < 1_000 * (since + Period * EvaluationPeriods)
  );
}

interface RuleState {
  readonly Name: string;
  readonly State: string;
  readonly ScheduleExpression?: string;
}

const rulesOf = (calls: SignedCalls, NamePrefix: string): Promise<RuleState[]> =>
  pagesOf<RuleState>('Rules', (more) =>
    calls.json('events', '1.1', 'AWSEvents.ListRules', { NamePrefix, ...more }),
  );

const alarmsOf = (calls: SignedCalls, AlarmNamePrefix: string): Promise<AlarmState[]> =>
  pagesOf<AlarmState>('MetricAlarms', (more) =>
    calls.json('monitoring', '1.0', `${CLOUDWATCH}.DescribeAlarms`, { AlarmNamePrefix, ...more }),
  );

/** Alarms that ring now, and those whose actions somebody has switched off. */
export const ringing: Check = {
  name: 'alarms',
  wayOut: 'Attach the output DoctorPolicy to the role you call with.',
  async look({ stack, calls }) {
    const prefix = `${stack.description.name}-smdpf-`;
    const alarms = (await alarmsOf(calls, prefix)).filter(
      ({ AlarmName }) => !AlarmName.includes('-stopped-'),
    );
    const mute = alarms
      .filter(({ ActionsEnabled }) => ActionsEnabled === false)
      .map(({ AlarmName }) => AlarmName);
    const rings = alarms.filter(({ StateValue }) => StateValue === 'ALARM').map(({ AlarmName }) => AlarmName);
    if (alarms.length === 0) return bad('there are none', 'Deploy the stack again.');
    if (mute.length > 0)
      return bad(`mute: ${mute.join(', ')}`, 'aws cloudwatch enable-alarm-actions --alarm-names …');
    if (rings.length > 0)
      return bad(`ringing: ${rings.join(', ')}`, 'docs/runbook.md has a section for each.');
    return good(`${alarms.length} alarms, none rings`);
  },
};

/** Each schedule has an alarm on the runs that are missing; a rule may also be disabled. */
export const schedules: Check = {
  name: 'schedules are alive',
  wayOut: 'Attach the output DoctorPolicy to the role you call with.',
  async look({ stack, calls }) {
    const { name, target } = stack.description;
    const rules = await rulesOf(calls, `${name}-smdpf-`);
    const off = rules.filter(({ State }) => State !== 'ENABLED').map((rule) => rule.Name);
    if (off.length > 0) return bad(`disabled: ${off.join(', ')}`, `aws events enable-rule --name ${off[0]}`);
    const hearts = await alarmsOf(calls, `${name}-smdpf-stopped-`);
    const ring = hearts.filter(({ StateValue }) => StateValue === 'ALARM');
    const still = ring.filter((heart) => !isEarly(heart)).map(({ AlarmName }) => AlarmName);
    if (hearts.length === 0) return bad('no alarm watches them', 'Deploy the stack again.');
    const timed = rules.filter(({ ScheduleExpression }) => ScheduleExpression !== undefined).length;
    if (timed < hearts.length)
      return bad(`of ${hearts.length} rules ${hearts.length - timed} are missing`, 'Deploy the stack again.');
    const unknown = hearts.filter(({ StateValue }) => StateValue === 'INSUFFICIENT_DATA');
    const early = unknown.length + ring.length - still.length;
    if (still.length + early > 0 && target === 'emulator')
      return unchecked('this emulator counts no runs of Lambdas');
    if (still.length > 0) return bad(`has not run: ${still.join(', ')}`, 'See docs/runbook.md#stopped.');
    return good(
      `${hearts.length} schedules${early > 0 ? `, ${early} of which were not due yet` : ' have run in time'}`,
    );
  },
};
