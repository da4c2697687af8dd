/**
 * The dispatcher: long work cut into tasks that stand by themselves. A task may run twice, at once or later; the
 * ledger's commits decide what counts, never the dispatcher's word.
 */
/** `rows` checks the rows of an order; `order` makes its packs after that. */
export type WorkKind = 'job' | 'order' | 'rows' | 'euiccData' | 'report';

export interface Work {
  readonly kind: WorkKind;
  readonly id: string;
  /** Tasks 0 to tasks − 1: chunks of a job, packs of an order, slices of a batch of eUICC data or of a report. */
  readonly tasks: number;
}

export interface Dispatcher {
  /** Starts the work; resolves when it is accepted, not when it is done. Submitting it again is harmless. */
  submit(work: Work): Promise<void>;
  close(): Promise<void>;
}

/** What a dispatcher runs. Implemented by the services; both calls may be repeated. */
export interface WorkRunner {
  /** Returns at once if the task is committed already. */
  runTask(kind: WorkKind, id: string, task: number): Promise<void>;
  /** After all tasks: completes the work and takes it off the open list; false if not all are committed. */
  finish(kind: WorkKind, id: string): Promise<boolean>;
}
