import { nextTick as realTick } from 'node:process';
import { setImmediate as realImmediate } from 'node:timers';
import { Random } from './random.ts';

interface Timer {
  readonly at: number;
  readonly order: number;
  readonly act: () => void;
  cancelled: boolean;
}

/** Nothing waits for a store or for a clock, and yet the work is not done. */
export class Stuck extends Error {}

/** Milliseconds of real time for which the scheduler waits for what runs outside of it, such as a module being loaded. */
const OUTSIDE_MS = 20_000;

/**
 * Time and order of a simulated world. Whatever a process asks of a store, a key or the clock waits here, and one thing
 * at a time goes on, drawn by the seed: the same seed gives the same order. The clock moves only when nothing else can.
 */
export class Scheduler {
  /** Milliseconds since 1970. */
  now: number;
  /** Things that went on: the measure of how much a history did. */
  turns = 0;
  #random = new Random(0);
  readonly #ready: (() => unknown)[] = [];
  /** A hash of what was chosen from how much and when, of one history and the next: two runs of a seed have the same. */
  trace = 0x811c9dc5;
  readonly #timers: Timer[] = [];
  #order = 0;

  constructor(now: number) {
    this.now = now;
  }

  /** From here on the order is drawn by this seed. */
  reseed(seed: number): void {
    this.#random = new Random(seed);
  }

  /** Nothing else goes on until what it does is done. */
  ready(act: () => unknown): void {
    this.#ready.push(act);
  }

  /** Acts in so many milliseconds of simulated time; the answer takes it back. */
  after(ms: number, act: () => void): () => void {
    const timer: Timer = {
      at: this.now + Math.ceil(Math.max(0, ms)),
      order: this.#order++,
      act,
      cancelled: false,
    };
    let index = this.#timers.length;
    while (index > 0 && this.#timers[index - 1]!.at > timer.at) index--;
    this.#timers.splice(index, 0, timer);
    return () => {
      timer.cancelled = true;
    };
  }

  /** Moves the clock, and lets what is due meanwhile go on. */
  pass(ms: number): void {
    this.now += ms;
    this.#due();
  }

  /** Lets things go on, one at a time, until the work is done. */
  async until<T>(work: Promise<T>): Promise<T> {
    let done = false;
    const finished = work.finally(() => {
      done = true;
    });
    finished.catch(() => undefined);
    let idleSince: number | undefined;
    for (;;) {
      await this.#quiet();
      if (done) return await finished;
      if (await this.#turn()) {
        idleSince = undefined;
        continue;
      }
      idleSince ??= performance.now();
      if (performance.now() - idleSince > OUTSIDE_MS) throw new Stuck('nothing goes on');
    }
  }

  /** Lets things go on until nothing is left that does not wait for the clock. */
  async settle(): Promise<void> {
    for (;;) {
      await this.#quiet();
      if (this.#ready.length === 0) return;
      await this.#turn();
    }
  }

  /**
   * Until whatever went on waits for something again. Ticks come once no promise has anything left to do; where nothing is
   * ready then, the event loop turns too, for what waits for it.
   */
  async #quiet(): Promise<void> {
    await new Promise<void>((resolve) => realTick(resolve));
    for (let turns = 0; turns < 2 && this.#ready.length === 0; turns++)
      await new Promise<void>((resolve) => realImmediate(resolve));
  }

  async #turn(): Promise<boolean> {
    if (this.#ready.length === 0) {
      const next = this.#timers.find(({ cancelled }) => !cancelled);
      if (next === undefined) return false;
      this.now = Math.max(this.now, next.at);
      this.#due();
    }
    const { length } = this.#ready;
    if (length === 0) return true;
    this.turns += 1;
    const chosen = this.#random.below(length);
    for (const part of [chosen, length, this.now]) this.trace = Math.imul(this.trace ^ part, 0x01000193);
    const [act] = this.#ready.splice(chosen, 1);
    const doing = act!();
    if (doing instanceof Promise) await doing;
    return true;
  }

  #due(): void {
    while (this.#timers.length > 0 && this.#timers[0]!.at <= this.now) {
      const { act, cancelled } = this.#timers.shift()!;
      if (!cancelled) act();
    }
  }
}
