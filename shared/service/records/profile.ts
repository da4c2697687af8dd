import { type RecordOf, recordOf } from './record.ts';
import { list, object, octets, oneOf, optional, text, whole } from './schema.ts';

const storedState = oneOf('Installed', 'Failed', 'Unreported', 'Deleted', 'Closed');

/** What is known of a profile after it was bound, or closed without being bound. */
export const profileRecord = recordOf('profile', {
  state: storedState,
  iccid: text,
  eid: optional(text),
  transactionId: optional(text),
  /** Why, in words; never a secret. */
  detail: optional(text),
  /** The signed result as received: BF37 or an OtherSignedNotification. */
  result: optional(octets),
  /** Milliseconds since 1970. */
  at: whole,
  /** The states that it was in before, of those that are stored, by time. */
  before: optional(list(object({ state: storedState, at: whole, detail: optional(text) }))),
});

export type ProfileRecord = RecordOf<typeof profileRecord>;
