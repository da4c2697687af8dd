import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import { messageOf } from '../../shared/events/error-record.ts';
import type { Log } from '../../shared/events/log-events.ts';
import { PROTOCOL_VERSION } from '../../shared/ifpp-draft1/version.ts';
import type { Ledger } from '../../shared/ledger/ledger.ts';
import { originOf } from '../../shared/net/destinations.ts';
import type { Courier } from '../../shared/notify/notifier.ts';
import { deliverNotice, sweepOutbox } from '../../shared/notify/outbox.ts';
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
 * Takes messages of the notice queue: posts a notice, or sweeps the outbox where a message says that something waits.
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
        const { notice } = readNoticeMessage(record.body);
        if (notice === undefined) {
          await sweepOutbox(ledger, (names) => queue.send(names), now);
          return [];
        }
        const outcome = await deliverNotice({ ledger, courier, now }, notice);
        if (outcome.kind === 'taken') return [];
        const { reason } = outcome;
        if (outcome.kind === 'parked') {
          log({ event: 'notice.parked', id: notice, url: originOf(outcome.url), reason });
          return [];
        }
        log({ event: 'notice.delayed', id: notice, attempts: outcome.attempts, reason });
        return await again(record, outcome.waitMs);
      } catch (error) {
        log({ event: 'alarm.callback.unsent', message: messageOf(error) });
        return await again(record, pauseAfter(receivedTimes(record)) ?? LONGEST_MS);
      }
    }),
  );
  return { batchItemFailures: outcomes.flat() };
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
