import { Duration } from 'aws-cdk-lib';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { SCHEDULE } from '../shared/notify/schedule.ts';
import type { StorageKey } from './keys.ts';
import type { SmdpfFunction } from './smdpf-function.ts';

/**
 * A notice that nobody takes is parked in the ledger when its attempts are spent (shared/notify/schedule.ts); what is
 * received more often than that is no notice that could ever be posted, and goes to the dead-letter queue.
 */
export const RECEIVED_AT_MOST = 3 * SCHEDULE.attempts;
const BATCH = 10;
/** AWS asks for six times the timeout of the function. */
const VISIBILITY_S = 360;

/** Callbacks to the Operator: a queue of notices, and one of messages that are none. */
export class Notify extends Construct {
  readonly queue: Queue;
  readonly deadLetters: Queue;
  readonly #storageKey: StorageKey;

  constructor(scope: Construct, id: string, storageKey: StorageKey) {
    super(scope, id);
    this.#storageKey = storageKey;
    const encryption = {
      encryption: QueueEncryption.KMS,
      encryptionMasterKey: storageKey.key,
      enforceSSL: true,
    };
    this.deadLetters = new Queue(this, 'DeadLetters', { ...encryption, retentionPeriod: Duration.days(14) });
    this.queue = new Queue(this, 'Queue', {
      ...encryption,
      retentionPeriod: Duration.days(4),
      visibilityTimeout: Duration.seconds(VISIBILITY_S),
      deadLetterQueue: { queue: this.deadLetters, maxReceiveCount: RECEIVED_AT_MOST },
    });
  }

  /** The right to put notices into the queue. */
  grantTo(fn: SmdpfFunction): void {
    fn.allow(['sqs:SendMessage'], [this.queue.queueArn]);
    fn.grant([this.#storageKey.rights('sqs')], (config) => ({
      ...config,
      notifier: `sqs:${this.queue.queueUrl}`,
    }));
  }

  /** Has the function called with what is in the queue. */
  deliverBy(fn: SmdpfFunction, callbackCa: string | undefined): void {
    if (callbackCa !== undefined) fn.grant([], (config) => ({ ...config, callbackCa }));
    fn.allow(['sqs:ChangeMessageVisibility'], [this.queue.queueArn]);
    fn.function.addEventSource(
      new SqsEventSource(this.queue, { batchSize: BATCH, reportBatchItemFailures: true, maxConcurrency: 10 }),
    );
  }
}
