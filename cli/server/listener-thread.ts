import type { EventLoopUtilization } from 'node:perf_hooks';
import type { Worker } from 'node:worker_threads';
import { Fault } from '../../shared/errors.ts';
import type { Log, LogRecord } from '../../shared/events/log-events.ts';
import type { Work } from '../../shared/jobs/dispatcher.ts';
import { startThread } from '../../shared/jobs/threads.ts';
import { errorOf, type TaskFailure } from '../../shared/jobs/worker-lane.ts';
import type { Listener } from './listener.ts';
import { logServerFault } from './server-fault.ts';
import type { AnsweringThread } from './threads.ts';

/** What a thread that listens tells: where, or why not; a line of the log; that notices wait; work that it has taken on. */
export type ListenerMessage =
  | { readonly port: number }
  | { readonly failure: TaskFailure }
  | { readonly log: LogRecord }
  | { readonly notices: true }
  | { readonly work: Work };

/** What such a thread is told: that notices wait for Operators, or to end. */
export type ListenerOrder = 'notices' | 'close';

/** Milliseconds before a thread that died is replaced. */
const PAUSE_MS = 1_000;

export interface ThreadOptions {
  /** The module that the thread begins with. */
  readonly module: URL;
  /** Of its heap; what lies in buffers is not counted here. */
  readonly heap: { readonly maxYoungGenerationSizeMb: number; readonly maxOldGenerationSizeMb: number };
  /** For faults, after "the thread of". */
  readonly of: string;
  readonly log: Log;
  readonly onNotices?: () => void;
  readonly onWork?: (work: Work) => void;
}

/**
 * A listener in a thread of its own, with connections of its own to the same stores. A thread that dies is replaced, on the same
 * port. `data` is what the thread begins with, for the port that it is to take; `isIn` hears of each thread.
 */
export async function listenInThread<Data>(
  options: ThreadOptions,
  wanted: number,
  data: (port: number) => Data,
  isIn: (thread: ListenerThread) => void = () => undefined,
): Promise<Listener> {
  const { of, log } = options;
  let closing = false;
  let current: ListenerThread | undefined;
  const start = async (port: number): Promise<number> => {
    const thread = new ListenerThread(options, data(port));
    isIn(thread);
    current = thread;
    const listening = await thread.listening;
    void thread.ended.then(() => replace(listening));
    return listening;
  };
  const replace = async (port: number): Promise<void> => {
    if (closing) return;
    const died = new Fault('dispatcher', `the thread of ${of} ended`, { retryable: true });
    logServerFault(log, died);
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS).unref());
    if (!closing) await start(port).catch(() => replace(port));
  };
  return {
    port: await start(wanted),
    async close() {
      closing = true;
      await current?.close();
    },
  };
}

export class ListenerThread implements AnsweringThread {
  /** The port; rejects where the thread cannot listen. */
  readonly listening: Promise<number>;
  /** Resolves when the thread is gone. */
  readonly ended: Promise<void>;
  readonly #worker: Worker;
  #isListening = false;

  constructor({ module, heap, of, log, onNotices, onWork }: ThreadOptions, workerData: unknown) {
    this.#worker = startThread(module, { workerData, resourceLimits: heap });
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    this.listening = promise;
    this.ended = new Promise((gone) =>
      this.#worker.once('exit', () => {
        this.#isListening = false;
        gone();
      }),
    );
    this.#worker.on('message', (message: ListenerMessage) => {
      if ('port' in message) {
        this.#isListening = true;
        resolve(message.port);
      } else if ('failure' in message) reject(errorOf(message.failure));
      else if ('notices' in message) onNotices?.();
      else if ('work' in message) onWork?.(message.work);
      else log(message.log);
    });
    this.#worker.on('error', reject);
    void this.ended.then(() => reject(new Fault('dispatcher', `the thread of ${of} ended`)));
  }

  /** Whether it listens: not while it begins, and not once it has died. */
  get isUp(): boolean {
    return this.#isListening;
  }

  loop(since?: EventLoopUtilization): EventLoopUtilization {
    const { performance } = this.#worker;
    const now = performance.eventLoopUtilization();
    return since === undefined ? now : performance.eventLoopUtilization(now, since);
  }

  order(order: ListenerOrder): void {
    this.#worker.postMessage(order);
  }

  async close(): Promise<void> {
    this.order('close');
    await this.ended;
  }
}
