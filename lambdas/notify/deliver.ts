import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import { messageOf } from '../../shared/events/error-record.ts';
import type { Log } from '../../shared/events/log-events.ts';
import { PROTOCOL_VERSION } from '../../shared/ifpp-draft1/version.ts';
import type { Ledger } from '../../shared/ledger/ledger.ts';
import { originOf } from '../../shared/net/destinations.ts';
import type { Courier } from '../../shared/notify/notifier.ts';
import { type Delivery, deliverNotices, sweepOutbox } from '../../shared/notify/outbox.ts';
import { postCallbacks } from '../../shared/notify/post.ts';
import { pauseAfter } from '../../shared/notify/schedule.ts';
import { type NoticeQueue, readNoticeMessage } from '../../shared/notify/sqs.ts';
import { CallbackCourier } from '../../shared/service/callbacks/courier.ts';
import { backgroundEntry } from '../background.ts';
import { sharedRuntime } from '../runtime.ts';
import { noticeQueue } from './queue.ts';

export interface DeliverOptions {
  readonly ledger: Ledger;
  readonly queue: Pick<NoticeQueue, 'send' | 'postpone'>;
  readonly courier: Courier;
  readonly now: () => number;
  readonly log: Log;
}

/**
 * Takes messages of the notice queue: posts the notices of one, or sweeps the outbox where a message says that something waits.
 * What was not taken goes back to the queue until its time has come; how often it was tried, and why in vain, stands in the
 * ledger with the notice, which is parked there in the end.
 */
export async function deliver(
  { ledger, queue, courier, now, log }: DeliverOptions,
  event: Pick<SQSEvent, 'Records'>,
): Promise<SQSBatchResponse> {
  const again = async (record: SQSRecord, waitMs: number) => {
    await queue.postpone(record.receiptHandle, waitMs).catch(() => undefined);
    return [{ itemIdentifier: record.messageId }];
  };
  const outcomes = await Promise.all(
    event.Records.map(async (record) => {
      try {
        const { notices } = readNoticeMessage(record.body);
        if (notices.length === 0) {
          await sweepOutbox(ledger, (calls) => queue.send(calls), now);
          return [];
        }
        const deliveries = await deliverNotices({ ledger, courier, now }, notices);
        for (const [id, delivery] of deliveries) tell(log, id, delivery);
        const waits = [...deliveries.values()].flatMap((one) => ('waitMs' in one ? one.waitMs : []));
        return waits.length === 0 ? [] : await again(record, Math.min(...waits));
      } catch (error) {
        log({ event: 'alarm.callback.unsent', message: messageOf(error) });
        return await again(record, pauseAfter(receivedTimes(record)) ?? LONGEST_MS);
      }
    }),
  );
  return { batchItemFailures: outcomes.flat() };
}

function tell(log: Log, id: string, delivery: Delivery): void {
  if (delivery.kind === 'parked')
    log({ event: 'notice.parked', id, url: originOf(delivery.url), reason: delivery.reason });
  if (delivery.kind === 'delayed')
    log({ event: 'notice.delayed', id, attempts: delivery.attempts, reason: delivery.reason });
}

const LONGEST_MS = 3_600_000;

const receivedTimes = ({ attributes }: SQSRecord) => Number(attributes.ApproximateReceiveCount);

let opened: Promise<Omit<DeliverOptions, 'log'>> | undefined;

/** Kept with the execution environment: keys and connections are opened once. */
function opening(): Promise<Omit<DeliverOptions, 'log'>> {
  opened ??= sharedRuntime()
    .then(({ config, context }) => ({
      ledger: context.ledger,
      queue: noticeQueue(config),
      courier: new CallbackCourier(
        context,
        postCallbacks(PROTOCOL_VERSION, context.settings.destinations),
        config.callbackCa,
      ),
      now: context.now,
    }))
    .catch((error: unknown) => {
      opened = undefined;
      throw error;
    });
  return opened;
}

export const handler = backgroundEntry(
  'notify.deliver',
  async (event: SQSEvent, log) => deliver({ ...(await opening()), log }, event),
  {
    about: ({ Records }) => ({ messages: Records.length }),
    outcome: ({ batchItemFailures }) => ({ failed: batchItemFailures.length }),
  },
);
