import { randomUUID } from 'node:crypto';
import type { Worker } from 'node:worker_threads';
import { Fault } from '../../../shared/errors.ts';
import { errorRecords } from '../../../shared/events/error-record.ts';
import type { Log, LogRecord } from '../../../shared/events/log-events.ts';
import { startThread } from '../../../shared/jobs/threads.ts';
import { errorOf, type TaskFailure } from '../../../shared/jobs/worker-lane.ts';
import { notifierElsewhere } from '../../../shared/notify/notifier.ts';
import type { RuntimeConfig } from '../../../shared/runtime-config.ts';
import type { SharedCount } from '../admission/shared-count.ts';
import type { FieldConfiguration, ListenForField } from './listen-for-field.ts';

/** What the thread begins with. */
export interface FieldThreadData {
  readonly runtime: RuntimeConfig;
  readonly field: FieldConfiguration;
  readonly partiesInWork: SharedArrayBuffer;
}

/** What the thread tells: where it listens or why not, a line of the log. */
export type FieldThreadMessage =
  | { readonly port: number }
  | { readonly failure: TaskFailure }
  | { readonly log: LogRecord };

/** What the thread is told: that notices wait for Operators, or to end. */
export type FieldThreadOrder = 'notices' | 'close';

/** Strangers' connections and bodies are limited; what lies in buffers is not counted here. */
const HEAP = { maxYoungGenerationSizeMb: 16, maxOldGenerationSizeMb: 256 } as const;
/** Milliseconds before a thread that died is replaced. */
const PAUSE_MS = 1_000;

/** Says to the thread of the field, while there is one, that notices wait; it looks by itself as well. */
export class CallbackThread {
  #thread: FieldThread | undefined;
  readonly notifier = notifierElsewhere(() => this.#thread?.order('notices'));

  isIn(thread: FieldThread): void {
    this.#thread = thread;
  }
}

/**
 * The listener of the field in a thread of its own, with connections of its own to the same stores: handshakes, bodies and
 * signatures of whoever calls there take nothing of the loop that answers parties, and neither do callbacks, which are
 * signed and posted there too (I13). A thread that dies is replaced, on the same port.
 */
export function fieldThread(runtime: RuntimeConfig, callbacks: CallbackThread, log: Log): ListenForField {
  return async (field, partiesInWork) => {
    let closing = false;
    let current: FieldThread | undefined;
    const start = async (port: number): Promise<number> => {
      const thread = new FieldThread({ runtime, field: { ...field, port }, partiesInWork }, log);
      callbacks.isIn(thread);
      current = thread;
      const listening = await thread.listening;
      void thread.ended.then(() => replace(listening));
      return listening;
    };
    const replace = async (port: number): Promise<void> => {
      if (closing) return;
      const died = new Fault('dispatcher', 'the thread of the field ended', { retryable: true });
      log({ event: 'fault', incident: randomUUID(), function: 'server', errors: errorRecords(died) });
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS).unref());
      if (!closing) await start(port).catch(() => replace(port));
    };
    return {
      port: await start(field.port),
      async close() {
        closing = true;
        await current?.close();
      },
    };
  };
}

class FieldThread {
  /** The port; rejects where the thread cannot listen. */
  readonly listening: Promise<number>;
  /** Resolves when the thread is gone. */
  readonly ended: Promise<void>;
  readonly #worker: Worker;

  constructor(
    data: Omit<FieldThreadData, 'partiesInWork'> & { readonly partiesInWork: SharedCount },
    log: Log,
  ) {
    const workerData: FieldThreadData = { ...data, partiesInWork: data.partiesInWork.memory };
    this.#worker = startThread(new URL('./field-worker.ts', import.meta.url), {
      workerData,
      resourceLimits: HEAP,
    });
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    this.listening = promise;
    this.ended = new Promise((gone) => this.#worker.once('exit', () => gone()));
    this.#worker.on('message', (message: FieldThreadMessage) => {
      if ('port' in message) resolve(message.port);
      else if ('failure' in message) reject(errorOf(message.failure));
      else log(message.log);
    });
    this.#worker.on('error', reject);
    void this.ended.then(() => reject(new Fault('dispatcher', 'the thread of the field ended')));
  }

  order(order: FieldThreadOrder): void {
    this.#worker.postMessage(order);
  }

  async close(): Promise<void> {
    this.order('close');
    await this.ended;
  }
}
