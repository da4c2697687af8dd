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

/** Carries one notice. */
export interface Courier {
  /**
   * The notice as it is sent, the same on each attempt: what is still missing of it is stored before this resolves.
   * Undefined where it is not there any more. What this throws is a matter of this server, and no attempt.
   */
  prepare(notice: Item): Promise<Item | undefined>;
  /** Resolves when the notice was taken (2xx). */
  post(notice: Item): Promise<void>;
}
