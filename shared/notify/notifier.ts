import { Fault } from '../errors.ts';
import type { Item } from '../ledger/ledger.ts';

/**
 * The notifier: callbacks to the Operator. A notice is written to the ledger in the same transaction as the state
 * change it tells of; the notifier only carries it, again and again, until it is taken or given up and kept.
 */
export interface Notifier {
  /** Says that notices wait. Losing this call loses nothing: waiting notices are found again. */
  wake(): void;
  /** Resolves when the word is out: a Lambda sleeps as soon as it has answered, and may wait for this before. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

/** Where another thread carries the notices: all that there is to do is to tell it. */
export const notifierElsewhere = (wake: () => void): Notifier => ({
  wake,
  flush: async () => undefined,
  close: async () => undefined,
});

/** Carries notices. */
export interface Courier {
  /**
   * The call for the notices that go together (calls.ts). What is still missing of a notice with a call of its own is stored
   * before this resolves, so that each attempt is the same. Undefined where it is not there any more. What this throws is a
   * matter of this server, and no attempt.
   */
  prepare(notices: readonly Item[]): Promise<PreparedCall | undefined>;
}

export interface PreparedCall {
  /**
   * Names of the notices that the receiver refused, while it took all others. Throws where it took none; a `RefusedAsWhole`
   * where it may be for one of them.
   */
  post(): Promise<ReadonlySet<string>>;
}

/** A call that the receiver answered, and refused for what was in it: with fewer notices it may be taken. */
export class RefusedAsWhole extends Fault {}
