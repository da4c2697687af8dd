import { Duration } from 'aws-cdk-lib';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { StorageKey } from './keys.ts';
import type { SmdpfFunction } from './smdpf-function.ts';

/** Attempts before a notice goes to the dead-letter queue: with pauses of 30 s to an hour, more than half a day. */
export const ATTEMPTS = 20;
const BATCH = 10;
/** AWS asks for six times the timeout of the function. */
const VISIBILITY_S = 360;

/** Callbacks to the Operator: a queue of notices, and one of those that failed for good. */
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
      deadLetterQueue: { queue: this.deadLetters, maxReceiveCount: ATTEMPTS },
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
