import type { WorkKind } from '../events/work-kinds.ts';
import type { Work } from '../service/records/work.ts';

export type { Work, WorkKind };

/**
 * The dispatcher: long work cut into tasks that stand by themselves. A task may run twice, at once or later; the
 * ledger's commits decide what counts, never the dispatcher's word.
 */
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
