import {
  ChangeMessageVisibilityCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { awsClient } from '../aws/client-config.ts';
import { toFault } from '../aws/fault.ts';
import { Fault } from '../errors.ts';
import { decodeAttributes, encodeAttributes } from '../ledger/item.ts';
import { type NoticeMessage, noticeMessage } from '../service/records/notice.ts';
import type { Notifier } from './notifier.ts';

/** SQS takes ten messages in one call. */
const BATCH = 10;

/** The queue of notices: names only, since an address of the Operator's and an eUICC's result need not lie in it. */
export class NoticeQueue {
  readonly #url: string;
  readonly #client: SQSClient;

  /** Region, credentials and endpoint are those of the SDK's own configuration. */
  constructor(url: string, client = new SQSClient(awsClient())) {
    if (!/^https?:\/\/[^/]+\/\S+$/.test(url)) throw new Fault('configuration', 'sqs: is followed by a URL');
    this.#url = url;
    this.#client = client;
  }

  async askForSweep(): Promise<void> {
    await this.#client
      .send(new SendMessageCommand({ QueueUrl: this.#url, MessageBody: messageBody({ notices: [] }) }))
      .catch(fault);
  }

  /** A message for each call, with the names of its notices. Ten of them have some 110 KB at most. */
  async send(calls: readonly (readonly string[])[]): Promise<void> {
    for (let i = 0; i < calls.length; i += BATCH) {
      const Entries = calls
        .slice(i, i + BATCH)
        .map((notices, n) => ({ Id: String(n), MessageBody: messageBody({ notices }) }));
      const { Failed = [] } = await this.#client
        .send(new SendMessageBatchCommand({ QueueUrl: this.#url, Entries }))
        .catch(fault);
      if (Failed.length > 0) throw new Fault('notifier', 'the queue did not take all', { retryable: true });
    }
  }

  /** Lets a message that failed come back later than the queue would have it: whole seconds, up to twelve hours. */
  async postpone(receiptHandle: string, waitMs: number): Promise<void> {
    const VisibilityTimeout = Math.ceil(waitMs / 1_000);
    const command = new ChangeMessageVisibilityCommand({
      QueueUrl: this.#url,
      ReceiptHandle: receiptHandle,
      VisibilityTimeout,
    });
    await this.#client.send(command).catch(fault);
  }

  close(): void {
    this.#client.destroy();
  }
}

/**
 * The notifier on AWS: asks for a sweep of the outbox; the sweeper queues what waits, and the deliverer posts it. A
 * word that gets lost costs a minute: a schedule sweeps too.
 */
export class SqsNotifier implements Notifier {
  readonly #queue: NoticeQueue;
  #asking: Promise<void> = Promise.resolve();

  constructor(queue: NoticeQueue) {
    this.#queue = queue;
  }

  wake(): void {
    this.#asking = Promise.all([this.#asking, this.#queue.askForSweep().catch(() => undefined)]).then(
      () => undefined,
    );
  }

  flush(): Promise<void> {
    return this.#asking;
  }

  async close(): Promise<void> {
    await this.#asking;
    this.#queue.close();
  }
}

function messageBody(message: NoticeMessage): string {
  return encodeAttributes(noticeMessage.to(message));
}

/** What a message of the queue says: which notices to deliver; without any, that the outbox has some. */
export function readNoticeMessage(body: string): NoticeMessage {
  return noticeMessage.decode(decodeAttributes(body), {
    code: 'notifier',
    what: 'a message of',
    name: 'the notice queue',
  });
}

function fault(error: unknown): never {
  throw toFault('notifier', error);
}
