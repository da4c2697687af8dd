import { Fault } from '../../shared/errors.ts';
import { NoticeQueue } from '../../shared/notify/sqs.ts';
import type { RuntimeConfig } from '../../shared/runtime-config.ts';

/** The queue that a configuration names as its notifier. */
export function noticeQueue({ notifier = '' }: RuntimeConfig): NoticeQueue {
  if (!notifier.startsWith('sqs:')) throw new Fault('configuration', 'the notifier is not a queue');
  return new NoticeQueue(notifier.slice('sqs:'.length));
}
