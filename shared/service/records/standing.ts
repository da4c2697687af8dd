import { type RecordOf, recordOf } from './record.ts';
import { object, optional, type TypeOf, text, whole } from './schema.ts';

const frozen = object({
  /** Milliseconds since 1970. */
  since: whole,
  why: text,
  /** Sequence number of the last audit line that it had when it was found. */
  auditHead: whole,
});

export type Frozen = TypeOf<typeof frozen>;

/** What a ledger says of itself. */
export const standingRecord = recordOf('standing', {
  /** Which ledger this is; a table that was restored has another name than the one that it is a copy of. */
  name: text,
  /**
   * Name of an entry of the PPK vault that only the newest state of this ledger leads to: the PPK vault is in no
   * backup, so an older state names one that is gone. Embedded only.
   */
  anchor: optional(text),
  frozen: optional(frozen),
  /** How often this ledger was restored. */
  restored: whole,
});

export type StandingRecord = RecordOf<typeof standingRecord>;
