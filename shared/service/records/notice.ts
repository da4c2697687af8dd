import { type RecordOf, recordOf } from './record.ts';
import { anyValue, dictionary, optional, text, whole } from './schema.ts';

const noticeMembers = {
  url: text,
  /** JSON body of es2f.handleProfileLoadingInfo. */
  body: dictionary(anyValue),
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
