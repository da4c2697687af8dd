import type { Worker } from 'node:worker_threads';
import { Fault, type FaultCode, Refusal, type RefusalDetails } from '../errors.ts';
import { messageOf } from '../events/error-record.ts';
import type { Log, LogRecord } from '../events/log-events.ts';
import { present } from '../present.ts';
import type { RuntimeConfig } from '../runtime-config.ts';
import type { StatusName } from '../status-codes.ts';
import type { WorkKind } from './dispatcher.ts';
import type { Lane } from './task-queue.ts';
import { startThread } from './threads.ts';

/** What a worker answers to a task, and what it tells besides: that notices wait, a line of the log. */
export type WorkerAnswer = TaskAnswer | { readonly notices: true } | LogRecord;

type TaskAnswer =
  | { readonly id: number; readonly done: true }
  | { readonly id: number; readonly done: false; readonly failure: TaskFailure };

type RefusalFacts = Omit<RefusalDetails, 'cause'>;

/** An error as it crosses to another thread. */
export type TaskFailure =
  | { readonly refusal: StatusName; readonly message: string; readonly details: RefusalFacts }
  | { readonly fault: FaultCode; readonly retryable: boolean; readonly message: string };

export function taskFailure(error: unknown): TaskFailure {
  if (error instanceof Refusal) {
    const { code, message, subjectIdentifier, offset, defect, retryAfterSeconds } = error;
    const details = present({ subjectIdentifier, offset, defect, retryAfterSeconds });
    return { refusal: code, message, details };
  }
  if (error instanceof Fault)
    return { fault: error.code, retryable: error.retryable, message: error.message };
  return {
    fault: 'dispatcher',
    retryable: false,
    message: messageOf(error),
  };
}

export function errorOf(failure: TaskFailure): Error {
  return 'refusal' in failure
    ? new Refusal(failure.refusal, failure.message, failure.details)
    : new Fault(failure.fault, failure.message, { retryable: failure.retryable });
}

/** A worker thread and the tasks that it has not answered yet. */
interface Running {
  readonly worker: Worker;
  readonly waiting: Map<number, { resolve: () => void; reject: (error: Error) => void }>;
}

/**
 * What keeps resident memory flat over a work of any length: with room for gigabytes V8 lets garbage lie until they are
 * filled. A task needs a few dozen megabytes of objects at once; octets in buffers are not counted here.
 */
const HEAP = { maxYoungGenerationSizeMb: 12, maxOldGenerationSizeMb: 512 } as const;

/** Runs tasks in a worker thread with connections of its own to the same stores; a worker that dies is replaced. */
export class WorkerLane implements Lane {
  /** A chunk is committed, kept and finished by several flushes of the medium, one after the other, and is small. */
  readonly atOnce = { job: 2 } as const;
  readonly #config: RuntimeConfig;
  readonly #log: Log;
  readonly #onNotices: () => void;
  #running: Running | undefined;
  #next = 0;
  #closed = false;

  /** `log` gets the worker's lines, `onNotices` hears that notices wait for Operators. */
  constructor(config: RuntimeConfig, log: Log, onNotices: () => void = () => undefined) {
    this.#config = config;
    this.#log = log;
    this.#onNotices = onNotices;
  }

  run(kind: WorkKind, id: string, task: number): Promise<void> {
    if (this.#closed)
      return Promise.reject(new Fault('dispatcher', 'the dispatcher is closing', { retryable: true }));
    this.#running ??= this.#start();
    const { worker, waiting } = this.#running;
    const number = this.#next++;
    return new Promise((resolve, reject) => {
      waiting.set(number, { resolve, reject });
      worker.postMessage({ id: number, kind, workId: id, task });
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#running === undefined) return;
    const { worker } = this.#running;
    const exited = new Promise((resolve) => worker.once('exit', resolve));
    worker.postMessage('close');
    await exited;
  }

  #start(): Running {
    const worker = startThread(new URL('./worker.ts', import.meta.url), {
      workerData: this.#config,
      resourceLimits: HEAP,
    });
    const running: Running = { worker, waiting: new Map() };
    worker.on('message', (answer: WorkerAnswer) => {
      if ('event' in answer) return this.#log(answer);
      if ('notices' in answer) return this.#onNotices();
      const waiting = running.waiting.get(answer.id);
      running.waiting.delete(answer.id);
      if (answer.done) waiting?.resolve();
      else waiting?.reject(errorOf(answer.failure));
    });
    // told twice of a worker that fails, first by its error: the second time its successor may be at work
    const lost = (error: Error) => {
      if (this.#running === running) this.#running = undefined;
      for (const { reject } of running.waiting.values()) reject(error);
      running.waiting.clear();
    };
    worker.on('error', lost);
    worker.on('exit', () =>
      lost(new Fault('dispatcher', 'a worker ended in the middle of its task', { retryable: true })),
    );
    return running;
  }
}
