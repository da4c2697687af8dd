import { Worker } from 'node:worker_threads';
import { Fault, Refusal } from '../errors.ts';
import type { RuntimeConfig } from '../runtime-config.ts';
import type { StatusName } from '../status-codes.ts';
import type { WorkKind } from './dispatcher.ts';
import type { Lane } from './task-queue.ts';

/** What a worker answers to a task. An error comes as what is safe to log. */
export type WorkerAnswer = TaskAnswer | LogLine;

export interface LogLine {
  readonly event: string;
  readonly about: Readonly<Record<string, unknown>>;
}

type TaskAnswer =
  | { readonly id: number; readonly done: true }
  | { readonly id: number; readonly done: false; readonly refusal?: StatusName; readonly message: string };

/** Runs tasks in a worker thread with connections of its own to the same stores; a worker that dies is replaced. */
export class WorkerLane implements Lane {
  readonly #config: RuntimeConfig;
  readonly #log: (event: string, about: Readonly<Record<string, unknown>>) => void;
  readonly #waiting = new Map<number, { resolve: () => void; reject: (error: Error) => void }>();
  #worker: Worker | undefined;
  #next = 0;
  #closed = false;

  /** `log` gets what the worker has to tell besides its answers. */
  constructor(config: RuntimeConfig, log: (event: string, about: Readonly<Record<string, unknown>>) => void) {
    this.#config = config;
    this.#log = log;
  }

  run(kind: WorkKind, id: string, task: number): Promise<void> {
    if (this.#closed)
      return Promise.reject(new Fault('dispatcher', 'the dispatcher is closing', { retryable: true }));
    this.#worker ??= this.#start();
    const worker = this.#worker;
    const number = this.#next++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(number, { resolve, reject });
      worker.postMessage({ id: number, kind, workId: id, task });
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    const worker = this.#worker;
    if (worker === undefined) return;
    const exited = new Promise((resolve) => worker.once('exit', resolve));
    worker.postMessage('close');
    await exited;
  }

  #start(): Worker {
    const worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData: this.#config });
    worker.on('message', (answer: WorkerAnswer) => {
      if ('event' in answer) return this.#log(answer.event, answer.about);
      const waiting = this.#waiting.get(answer.id);
      this.#waiting.delete(answer.id);
      if (answer.done) waiting?.resolve();
      else
        waiting?.reject(
          answer.refusal
            ? new Refusal(answer.refusal, answer.message)
            : new Fault('dispatcher', answer.message, { retryable: true }),
        );
    });
    const lost = (error: Error) => {
      if (this.#worker === worker) this.#worker = undefined;
      for (const { reject } of this.#waiting.values()) reject(error);
      this.#waiting.clear();
    };
    worker.on('error', lost);
    worker.on('exit', () =>
      lost(new Fault('dispatcher', 'a worker ended in the middle of its task', { retryable: true })),
    );
    return worker;
  }
}
