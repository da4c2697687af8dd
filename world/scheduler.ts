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
  readonly #ready: (() => void)[] = [];
  readonly #timers: Timer[] = [];
  #order = 0;

  constructor(now: number) {
    this.now = now;
  }

  /** From here on the order is drawn by this seed. */
  reseed(seed: number): void {
    this.#random = new Random(seed);
  }

  ready(act: () => void): void {
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
      await new Promise<void>((resolve) => realImmediate(resolve));
      if (done) return await finished;
      if (this.#turn()) {
        idleSince = undefined;
        continue;
      }
      idleSince ??= performance.now();
      if (performance.now() - idleSince > OUTSIDE_MS) throw new Stuck('nothing goes on');
    }
  }

  /** Lets things go on until nothing is left that does not wait for the clock. */
  async settle(): Promise<void> {
    for (let idle = 0; idle < 2; ) {
      await new Promise<void>((resolve) => realImmediate(resolve));
      if (this.#ready.length === 0) idle += 1;
      else {
        idle = 0;
        this.#turn();
      }
    }
  }

  #turn(): boolean {
    if (this.#ready.length === 0) {
      const next = this.#timers.find(({ cancelled }) => !cancelled);
      if (next === undefined) return false;
      this.now = Math.max(this.now, next.at);
      this.#due();
    }
    const { length } = this.#ready;
    if (length === 0) return true;
    this.turns += 1;
    const [act] = this.#ready.splice(this.#random.below(length), 1);
    act!();
    return true;
  }

  #due(): void {
    while (this.#timers.length > 0 && this.#timers[0]!.at <= this.now) {
      const { act, cancelled } = this.#timers.shift()!;
      if (!cancelled) act();
    }
  }
}
