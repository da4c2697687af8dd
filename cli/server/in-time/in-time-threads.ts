import { randomUUID } from 'node:crypto';
import { addReads } from '../../../shared/call-cost.ts';
import { Fault } from '../../../shared/errors.ts';
import { errorRecords } from '../../../shared/events/error-record.ts';
import type { Log } from '../../../shared/events/log-events.ts';
import type { RuntimeConfig } from '../../../shared/runtime-config.ts';
import type { BppAnswer } from '../../../shared/service/api/esbpp.ts';
import type { InTime } from '../../../shared/service/esbpp/just-in-time/just-in-time.ts';
import type { ReceivedRequest } from '../../../shared/service/esbpp/requests.ts';
import { InTimeThread } from './in-time-thread.ts';

/** Calls in work at once that bring the threads up: a lone caller, or two, are served as quickly without. */
const AT_ONCE = 4;
/** Milliseconds after calls met for which one that finds nothing in work is taken for one of many all the same. */
const MEETING_MS = 1_000;
/** Milliseconds before a thread that died is replaced, and before another one tries to open what this one could not. */
const PAUSE_MS = { died: 1_000, failed: 60_000 } as const;

/** Unless the configuration says otherwise: none. That one is quicker has not been seen yet (docs/scale.md). */
export const defaultInTimeThreads = () => 0;

/**
 * Just in time in several threads, each with connections of its own to the same stores, as another process would have them:
 * the thread that answers the network keeps TLS, HTTP, who calls, what is admitted and the log, so that all of that counts
 * once, and hands on what is left of a request, which is most of it. Threads come up with the first calls that meet. A
 * call that comes alone is bound here, where it waits for nobody.
 *
 * A thread that dies is replaced, and its calls lose nothing: each is made again here, as a repeat of the caller would be (I4).
 */
export class InTimeThreads {
  readonly #count: number;
  readonly #log: Log;
  readonly #onNotices: () => void;
  #threads: InTimeThread[] = [];
  #inWork = 0;
  #metAt = Number.NEGATIVE_INFINITY;
  #notBefore = 0;
  #closed = false;

  /** `count` 0 has everything bound here. `log` gets the threads' lines, `onNotices` hears that notices wait for Operators. */
  constructor(count: number, log: Log, onNotices: () => void) {
    this.#count = count;
    this.#log = log;
    this.#onNotices = onNotices;
  }

  /** How many may be given calls at this moment. */
  get ready(): number {
    return this.#threads.filter((thread) => thread.isReady).length;
  }

  /** `here`, and the threads beside it. */
  beside(here: InTime, config: RuntimeConfig): InTime {
    if (this.#count === 0) return here;
    return { answer: (received, confirmed) => this.#answer(here, config, received, confirmed) };
  }

  /** Waits for what is in work. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#threads.map((thread) => thread.close()));
  }

  async #answer(
    here: InTime,
    config: RuntimeConfig,
    received: ReceivedRequest,
    confirmed: Promise<unknown>,
  ): Promise<BppAnswer | undefined> {
    if (this.#inWork > 0) this.#metAt = performance.now();
    const thread = received.request.items.length === 1 ? this.#freest() : undefined;
    this.#inWork += 1;
    try {
      if (this.#inWork >= AT_ONCE) this.#bringUp(config);
      if (thread === undefined) return await here.answer(received, confirmed);
      await confirmed;
      const bound = await thread.answer(received);
      if (bound === 'died') return await here.answer(received, confirmed);
      addReads(bound.reads);
      return bound.answer;
    } finally {
      this.#inWork -= 1;
    }
  }

  /**
   * The one with the fewest calls in work; undefined where none is ready, or the call is alone. Callers whose transactions
   * are one are answered at once, so that the next of them finds nothing in work.
   */
  #freest(): InTimeThread | undefined {
    if (performance.now() - this.#metAt > MEETING_MS) return undefined;
    const ready = this.#threads.filter((thread) => thread.isReady);
    return ready.sort((one, other) => one.inWork - other.inWork)[0];
  }

  #bringUp(config: RuntimeConfig): void {
    if (this.#closed || this.#threads.length >= this.#count || performance.now() < this.#notBefore) return;
    while (this.#threads.length < this.#count) this.#threads.push(this.#start(config));
  }

  #start(config: RuntimeConfig): InTimeThread {
    const thread = new InTimeThread(config, this.#log, this.#onNotices);
    void thread.ended.then((cause) => {
      this.#threads = this.#threads.filter((one) => one !== thread);
      if (this.#closed) return;
      this.#notBefore = performance.now() + PAUSE_MS[thread.wasReady ? 'died' : 'failed'];
      const died = new Fault('dispatcher', 'a thread that binds just in time ended', {
        retryable: true,
        cause,
      });
      this.#log({
        event: 'fault',
        incident: randomUUID(),
        function: 'server',
        errors: errorRecords(died),
      });
    });
    return thread;
  }
}
