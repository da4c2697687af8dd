import { recordOf } from './record.ts';

/** What a ledger says of itself. */
export interface StandingRecord {
  /** Which ledger this is; a table that was restored has another name than the one that it is a copy of. */
  readonly name: string;
  /**
   * Name of an entry of the PPK vault that only the newest state of this ledger leads to: the PPK vault is in no
   * backup, so an older state names one that is gone. Embedded only.
   */
  readonly anchor?: string;
  readonly frozen?: Frozen;
  /** How often this ledger was restored. */
  readonly restored: number;
}

export interface Frozen {
  /** Milliseconds since 1970. */
  readonly since: number;
  readonly why: string;
  /** Sequence number of the last audit line that it had when it was found. */
  readonly auditHead: number;
}

export const standingRecord = recordOf<StandingRecord>();
