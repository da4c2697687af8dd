import { type RecordOf, recordOf } from './record.ts';
import { list, object, optional, text, whole } from './schema.ts';

/** Notices that one call carries at most, where an order lets it carry several. */
export const BATCH_LIMIT = 100;
/** Octets of its body, at most: of one notice alone they are never so many. */
export const BATCH_OCTETS = 256 * 1024;

const noticeMembers = {
  orderId: text,
  url: text,
  /**
   * How many may go with it in one call, itself included; absent where the order lets each have a call of its own. Becomes
   * less where a call was refused as a whole.
   */
  batch: optional(whole),
  /** Body of es2f.handleProfileLoadingInfo, JSON: these octets are posted at each attempt. */
  content: text,
  /**
   * The detached JWS over `content` (service/callbacks/message.ts), stored before the first attempt so that each one
   * carries the same, and the URI of the delivery key that endorses its key. One that goes with others is signed with them.
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

/** A message of the queue on AWS: names of the notices of a call; without any, the word that the outbox has some. */
export const noticeMessage = recordOf('notice message', { notices: list(text) });

export type NoticeMessage = RecordOf<typeof noticeMessage>;
