import { Fault } from '../errors.ts';
import type { Dispatcher, Work, WorkKind } from './dispatcher.ts';

/** One lane that runs tasks one after the other. */
export interface Lane {
  run(kind: WorkKind, id: string, task: number): Promise<void>;
  close(): Promise<void>;
}

export interface TaskQueueOptions {
  readonly lanes: readonly Lane[];
  readonly finish: (kind: WorkKind, id: string) => Promise<unknown>;
  /** Told of each task that failed and will be tried again, and of work that was given up until the next restart. */
  readonly onTrouble: (work: Work, task: number, error: unknown, givenUp: boolean) => void;
  /** Milliseconds before a failed task is tried again; doubles each time. */
  readonly retryMs?: number;
  readonly attempts?: number;
}

interface Running {
  readonly work: Work;
  readonly waiting: { task: number; attempt: number }[];
  open: number;
}

/**
 * The embedded dispatcher: tasks of all accepted work, taken in turn by the lanes. It remembers nothing across a
 * restart; what is open stands in the ledger and is submitted again.
 */
export class TaskQueue implements Dispatcher {
  readonly #options: TaskQueueOptions;
  readonly #running = new Map<string, Running>();
  readonly #idle: Lane[];
  readonly #timers = new Set<NodeJS.Timeout>();
  #closed = false;

  constructor(options: TaskQueueOptions) {
    this.#options = options;
    this.#idle = [...options.lanes];
  }

  async submit(work: Work): Promise<void> {
    if (this.#closed) throw new Fault('dispatcher', 'the dispatcher is closing', { retryable: true });
    const name = `${work.kind}#${work.id}`;
    if (this.#running.has(name)) return;
    const waiting = Array.from({ length: work.tasks }, (_, task) => ({ task, attempt: 1 }));
    this.#running.set(name, { work, waiting, open: work.tasks });
    this.#pump();
  }

  /** Waits for the tasks under way; the rest is found again at the next start. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const timer of this.#timers) clearTimeout(timer);
    await Promise.all(this.#options.lanes.map((lane) => lane.close()));
  }

  #pump(): void {
    while (!this.#closed && this.#idle.length > 0) {
      const entry = [...this.#running].find(([, { waiting }]) => waiting.length > 0);
      if (entry === undefined) return;
      const [name, running] = entry;
      // to the end of the line, so that a small job is not held up by a large one
      this.#running.delete(name);
      this.#running.set(name, running);
      void this.#runOn(this.#idle.pop()!, name, running, running.waiting.shift()!);
    }
  }

  async #runOn(
    lane: Lane,
    name: string,
    running: Running,
    next: { task: number; attempt: number },
  ): Promise<void> {
    const { work } = running;
    const { attempts = 8, retryMs = 250, onTrouble, finish } = this.#options;
    try {
      await lane.run(work.kind, work.id, next.task);
      running.open -= 1;
      if (running.open === 0) {
        this.#running.delete(name);
        await finish(work.kind, work.id);
      }
    } catch (error) {
      const givenUp = next.attempt >= attempts;
      if (!this.#closed) onTrouble(work, next.task, error, givenUp);
      if (givenUp) this.#running.delete(name);
      else
        this.#later(retryMs * 2 ** (next.attempt - 1), () =>
          running.waiting.push({ task: next.task, attempt: next.attempt + 1 }),
        );
    } finally {
      this.#idle.push(lane);
      this.#pump();
    }
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
