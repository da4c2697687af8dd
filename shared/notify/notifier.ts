/**
 * The notifier: callbacks to the Operator. A notice is written to the ledger in the same transaction as the state
 * change it tells of; the notifier only carries it, again and again, until it is taken or given up and kept.
 */
export interface Notice {
  readonly id: string;
  readonly url: string;
  /** JSON body of es2f.handleProfileLoadingInfo. */
  readonly body: Readonly<Record<string, unknown>>;
}

export interface Notifier {
  /** Says that notices wait. Losing this call loses nothing: waiting notices are found again. */
  wake(): void;
  /** Resolves when the word is out: a Lambda sleeps as soon as it has answered, and may wait for this before. */
  flush(): Promise<void>;
  close(): Promise<void>;
}
