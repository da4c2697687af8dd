import type { LogRecord } from '../events/log-events.ts';

/** What a call was about, as far as the log may tell: identifiers, never content. */
export type CallSubject = Pick<LogRecord<'call'>, 'orderId' | 'requestId' | 'batchId' | 'reportId'>;
