import type { Worker } from 'node:worker_threads';
import type { Bytes } from '../../../shared/codec/bytes.ts';
import type { Log, LogRecord } from '../../../shared/events/log-events.ts';
import { startThread } from '../../../shared/jobs/threads.ts';
import { errorOf, type TaskFailure } from '../../../shared/jobs/worker-lane.ts';
import type { RuntimeConfig } from '../../../shared/runtime-config.ts';
import type { Caller } from '../../../shared/service/api/caller.ts';
import type { BppAnswer } from '../../../shared/service/api/esbpp.ts';
import type { ReceivedRequest } from '../../../shared/service/esbpp/requests.ts';

/** A request as it crosses to the thread, which reads it again. */
export interface InTimeCall {
  readonly id: number;
  readonly caller: Caller;
  readonly der: Bytes;
}

/** What the thread is told: to bind, or to end once all is answered. */
export type InTimeOrder = InTimeCall | 'close';

/** What came of a call: its answer, if it has one here, and what it has read. */
export interface BoundThere {
  readonly answer: BppAnswer | undefined;
  readonly reads: number;
}

/** What the thread tells: that it has opened the stores or why not, what came of a call, that notices wait, a line of the log. */
export type InTimeMessage =
  | { readonly ready: true }
  | { readonly failure: TaskFailure }
  | (BoundThere & { readonly id: number })
  | { readonly id: number; readonly failed: TaskFailure }
  | { readonly notices: true }
  | { readonly log: LogRecord };

/** A call makes a few hundred kilobytes, of which nothing is left after it; what lies in buffers is not counted here. */
const HEAP = { maxYoungGenerationSizeMb: 32, maxOldGenerationSizeMb: 256 } as const;

interface Waiting {
  resolve(bound: BoundThere | 'died'): void;
  reject(error: Error): void;
}

/** One thread that binds just in time, and the calls that it has not answered yet. */
export class InTimeThread {
  /** Resolves when it is gone, with the error that ended it. */
  readonly ended: Promise<Error | undefined>;
  isReady = false;
  /** Whether it ever was. */
  wasReady = false;
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #next = 0;

  constructor(config: RuntimeConfig, log: Log, onNotices: () => void) {
    this.#worker = startThread(new URL('./in-time-worker.ts', import.meta.url), {
      workerData: config,
      resourceLimits: HEAP,
    });
    let cause: Error | undefined;
    this.#worker.on('message', (message: InTimeMessage) => {
      if ('id' in message) this.#settle(message);
      else if ('log' in message) log(message.log);
      else if ('notices' in message) onNotices();
      else if ('ready' in message) this.isReady = this.wasReady = true;
      else cause = errorOf(message.failure);
    });
    this.#worker.on('error', (error) => {
      cause = error;
    });
    this.ended = new Promise((resolve) => {
      this.#worker.once('exit', () => {
        this.isReady = false;
        for (const { resolve } of this.#waiting.values()) resolve('died');
        this.#waiting.clear();
        resolve(cause);
      });
    });
  }

  get inWork(): number {
    return this.#waiting.size;
  }

  /** What came of it there; `died` where the thread ended before it said so. */
  answer({ caller, der }: ReceivedRequest): Promise<BoundThere | 'died'> {
    if (!this.isReady) return Promise.resolve('died');
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      // octets alone: of a view the whole buffer beneath it would be copied
      this.#order({ id, caller, der: new Uint8Array(der) });
    });
  }

  /** Waits for what is in work, and takes nothing more. */
  async close(): Promise<void> {
    this.isReady = false;
    this.#order('close');
    await this.ended;
  }

  #order(order: InTimeOrder): void {
    this.#worker.postMessage(order);
  }

  #settle(message: Extract<InTimeMessage, { readonly id: number }>): void {
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if ('failed' in message) waiting?.reject(errorOf(message.failed));
    else waiting?.resolve(message);
  }
}
