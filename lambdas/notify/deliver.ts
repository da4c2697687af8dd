import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import { messageOf } from '../../shared/events/error-record.ts';
import type { Log } from '../../shared/events/log-events.ts';
import { PROTOCOL_VERSION } from '../../shared/ifpp-draft1/version.ts';
import type { Ledger } from '../../shared/ledger/ledger.ts';
import { type Carrier, httpCarrier } from '../../shared/notify/ledger-notifier.ts';
import { deliverNotice, sweepOutbox } from '../../shared/notify/outbox.ts';
import { type NoticeQueue, readNoticeMessage } from '../../shared/notify/sqs.ts';
import { backgroundEntry } from '../background.ts';
import { notifyStores } from './stores.ts';

export interface DeliverOptions {
  readonly ledger: Ledger;
  readonly queue: Pick<NoticeQueue, 'send' | 'postpone'>;
  readonly carry: Carrier;
  readonly log: Log;
}

/**
 * Takes messages of the notice queue: posts a notice, or sweeps the outbox where a message says that something waits.
 * What fails goes back to the queue by itself, later each time, and to the dead-letter queue in the end; the notice
 * stays in the ledger meanwhile.
 */
export async function deliver(
  { ledger, queue, carry, log }: DeliverOptions,
  event: Pick<SQSEvent, 'Records'>,
): Promise<SQSBatchResponse> {
  const outcomes = await Promise.all(
    event.Records.map(async (record) => {
      let id: string | undefined;
      try {
        const { notice } = readNoticeMessage(record.body);
        id = notice;
        if (notice !== undefined) await deliverNotice(ledger, carry, notice);
        else await sweepOutbox(ledger, (ids) => queue.send(ids), Date.now);
        return [];
      } catch (error) {
        log({ event: 'notice.delayed', id, attempts: attemptsOf(record), reason: messageOf(error) });
        await queue.postpone(record.receiptHandle, attemptsOf(record)).catch(() => undefined);
        return [{ itemIdentifier: record.messageId }];
      }
    }),
  );
  return { batchItemFailures: outcomes.flat() };
}

const attemptsOf = ({ attributes }: SQSRecord) => Number(attributes.ApproximateReceiveCount);

export const handler = backgroundEntry(
  'notify.deliver',
  async (event: SQSEvent, log) => {
    const { ledger, queue, callbackCa } = await notifyStores();
    const carry = httpCarrier(PROTOCOL_VERSION, callbackCa);
    return deliver({ ledger, queue, carry, log }, event);
  },
  {
    about: ({ Records }) => ({ messages: Records.length }),
    outcome: ({ batchItemFailures }) => ({ failed: batchItemFailures.length }),
  },
);
