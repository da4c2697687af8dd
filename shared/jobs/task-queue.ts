import { Fault } from '../errors.ts';
import type { Dispatcher, Work, WorkKind } from './dispatcher.ts';

/** Runs tasks: a thread, or this one. */
export interface Lane {
  /**
   * How many tasks it has under way at once where all of them are of such a kind: while one waits for the medium, another has the
   * processor. One, where nothing is said.
   */
  readonly atOnce?: Readonly<Partial<Record<WorkKind, number>>>;
  run(kind: WorkKind, id: string, task: number): Promise<void>;
  close(): Promise<void>;
}

export interface TaskQueueOptions {
  readonly lanes: readonly Lane[];
  readonly finish: (kind: WorkKind, id: string) => Promise<unknown>;
  /**
   * Told of each task that failed and will be tried again, and of each that was given up until its work is submitted
   * again or the next restart. The task after the last one is the finish, numbered −1.
   */
  readonly onTrouble: (work: Work, task: number, error: unknown, givenUp: boolean) => void;
  /** Milliseconds before a failed task is tried again; doubles each time, to half a minute. */
  readonly retryMs?: number;
  /** Of a task whose error is not a Fault that passes by itself. */
  readonly attempts?: number;
}

/** A job goes on this soon after its key or store is back. */
const LONGEST_RETRY_MS = 30_000;

interface Task {
  readonly task: number;
  /** Counted from 1. */
  readonly attempt: number;
}

interface Running {
  readonly work: Work;
  readonly waiting: Task[];
  /** Tasks that are neither done nor given up. */
  open: number;
  givenUp: number;
}

/** A lane, and of which kinds the tasks are that it has under way. */
interface Place {
  readonly lane: Lane;
  readonly kinds: WorkKind[];
}

/** Stands for the finish of a work among its tasks. */
const FINISH = -1;

/**
 * The embedded dispatcher: tasks of all accepted work, taken in turn by the lanes. It remembers nothing across a
 * restart; what is open stands in the ledger and is submitted again. A task that is given up holds up no other one,
 * but its work stays open.
 */
export class TaskQueue implements Dispatcher {
  readonly #options: TaskQueueOptions;
  readonly #running = new Map<string, Running>();
  readonly #places: readonly Place[];
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #underWay = new Set<Promise<void>>();
  #closed = false;

  constructor(options: TaskQueueOptions) {
    this.#options = options;
    this.#places = options.lanes.map((lane) => ({ lane, kinds: [] }));
  }

  async submit(work: Work): Promise<void> {
    if (this.#closed) throw new Fault('dispatcher', 'the dispatcher is closing', { retryable: true });
    const name = `${work.kind}#${work.id}`;
    if (this.#running.has(name)) return;
    const waiting = Array.from({ length: work.tasks }, (_, task) => ({ task, attempt: 1 }));
    this.#running.set(name, { work, waiting, open: work.tasks, givenUp: 0 });
    this.#pump();
  }

  /** Waits for the tasks under way; the rest is found again at the next start. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const timer of this.#timers) clearTimeout(timer);
    await Promise.all(this.#options.lanes.map((lane) => lane.close()));
    await Promise.all(this.#underWay);
  }

  #pump(): void {
    while (!this.#closed) {
      const next = this.#next();
      if (next === undefined) return;
      const { name, running, place } = next;
      // to the end of the line, so that a small job is not held up by a large one
      this.#running.delete(name);
      this.#running.set(name, running);
      const run = this.#runOn(place, name, running, running.waiting.shift()!);
      this.#underWay.add(run);
      void run.finally(() => this.#underWay.delete(run));
    }
  }

  /** The first work in the line that has a task waiting and a lane with room for it. */
  #next(): { name: string; running: Running; place: Place } | undefined {
    for (const [name, running] of this.#running) {
      const place = running.waiting.length > 0 ? this.#placeFor(running.work.kind) : undefined;
      if (place !== undefined) return { name, running, place };
    }
    return undefined;
  }

  /** Of the lanes with room for such a task, one with as little under way as any. */
  #placeFor(kind: WorkKind): Place | undefined {
    let least: Place | undefined;
    for (const place of this.#places)
      if (hasRoom(place, kind) && (least === undefined || place.kinds.length < least.kinds.length))
        least = place;
    return least;
  }

  async #runOn({ lane, kinds }: Place, name: string, running: Running, next: Task): Promise<void> {
    const { kind, id } = running.work;
    kinds.push(kind);
    try {
      if (next.task === FINISH) await this.#options.finish(kind, id);
      else await lane.run(kind, id, next.task);
      this.#settled(name, running, next);
    } catch (error) {
      this.#failed(name, running, next, error);
    } finally {
      kinds.splice(kinds.indexOf(kind), 1);
      this.#pump();
    }
  }

  #failed(name: string, running: Running, { task, attempt }: Task, error: unknown): void {
    const { attempts = 8, retryMs = 250, onTrouble } = this.#options;
    if (this.#closed) return;
    // what passes by itself, such as a token that was pulled out, is waited for however long it takes
    const givenUp = attempt >= attempts && !(error instanceof Fault && error.retryable);
    onTrouble(running.work, task, error, givenUp);
    if (givenUp) {
      running.givenUp += 1;
      this.#settled(name, running, { task, attempt });
    } else
      this.#later(Math.min(LONGEST_RETRY_MS, retryMs * 2 ** (attempt - 1)), () =>
        running.waiting.push({ task, attempt: attempt + 1 }),
      );
  }

  /** After the last task comes the finish, tried as often as a task; work that is not complete has none. */
  #settled(name: string, running: Running, { task }: Task): void {
    if (task !== FINISH) running.open -= 1;
    if (running.open > 0) return;
    if (task === FINISH || running.givenUp > 0) this.#running.delete(name);
    else running.waiting.push({ task: FINISH, attempt: 1 });
  }

  #later(ms: number, then: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      then();
      this.#pump();
    }, ms);
    this.#timers.add(timer);
  }
}

function hasRoom({ lane: { atOnce = {} }, kinds }: Place, kind: WorkKind): boolean {
  return [kind, ...kinds].every((one) => kinds.length < (atOnce[one] ?? 1));
}
