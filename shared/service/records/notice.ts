import { type RecordOf, recordOf } from './record.ts';
import { object, optional, text, whole } from './schema.ts';

const noticeMembers = {
  orderId: text,
  url: text,
  /** Body of es2f.handleProfileLoadingInfo, JSON: these octets are posted at each attempt. */
  content: text,
  /**
   * The detached JWS over `content` (service/callbacks/message.ts), stored before the first attempt so that each one
   * carries the same, and the URI of the delivery key that endorses its key.
   */
  signed: optional(object({ jws: text, deliveryKey: text })),
  /** Milliseconds since 1970: when what it tells of happened. */
  createdAt: whole,
  /** Attempts that failed. */
  attempts: whole,
  /** Milliseconds since 1970: not posted before. */
  dueAt: whole,
  /** Why the last attempt failed. */
  reason: optional(text),
  /** Milliseconds since 1970: when it was put into a queue. */
  queuedAt: optional(whole),
};

/** A callback to the Operator that waits to be taken. */
export const noticeRecord = recordOf('notice', noticeMembers);

export type NoticeRecord = RecordOf<typeof noticeRecord>;

/** One that was given up after all attempts. */
export const parkedNotice = recordOf('parked notice', {
  ...noticeMembers,
  /** Milliseconds since 1970. */
  parkedAt: whole,
});

/** A message of the queue on AWS: the name of a notice to deliver; without one, the word that the outbox has some. */
export const noticeMessage = recordOf('notice message', { notice: optional(text) });

export type NoticeMessage = RecordOf<typeof noticeMessage>;
