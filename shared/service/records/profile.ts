import { type RecordOf, recordOf } from './record.ts';
import { octets, oneOf, optional, text, whole } from './schema.ts';

/** What is known of a profile after it was bound, or closed without being bound. */
export const profileRecord = recordOf('profile', {
  state: oneOf('Installed', 'Failed', 'Unreported', 'Deleted', 'Closed'),
  iccid: text,
  eid: optional(text),
  transactionId: optional(text),
  /** Why, in words; never a secret. */
  detail: optional(text),
  /** The signed result as received: BF37 or an OtherSignedNotification. */
  result: optional(octets),
  /** Milliseconds since 1970. */
  at: whole,
});

export type ProfileRecord = RecordOf<typeof profileRecord>;
