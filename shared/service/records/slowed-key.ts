import { type RecordOf, recordOf } from './record.ts';
import { oneOf, text, whole } from './schema.ts';

/** When the calls to a key were slowed the last time, by call and reason: service/keys/slowed-keys.ts. */
export const slowedKey = recordOf('slowed key', {
  /** What the key service calls the key, or its URI. */
  key: text,
  call: text,
  reason: oneOf('throttled', 'transient', 'slow'),
  /** Calls within some seconds, and how long they took or waited together. */
  times: whole,
  waitedMs: whole,
  /** Milliseconds since 1970. */
  at: whole,
});

export type SlowedKeyRecord = RecordOf<typeof slowedKey>;
