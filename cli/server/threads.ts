import { type EventLoopUtilization, performance } from 'node:perf_hooks';
import type { Measure } from '../../shared/events/metrics.ts';

/** A thread that answers, as whoever started it sees it. */
export interface AnsweringThread {
  readonly isUp: boolean;
  /** Since the thread began, or since an earlier look at it. */
  loop(since?: EventLoopUtilization): EventLoopUtilization;
}

interface Known {
  thread: AnsweringThread;
  /** At the last look; undefined of a thread that was not looked at. */
  last: EventLoopUtilization | undefined;
}

/** The first one, which has started all others. */
const FIRST: AnsweringThread = {
  isUp: true,
  loop: (since) =>
    since === undefined
      ? performance.eventLoopUtilization()
      : performance.eventLoopUtilization(performance.eventLoopUtilization(), since),
};

/** All threads that answer, by name, for whoever watches the server: each has a loop of its own. */
export class AnsweringThreads {
  readonly #known = new Map<string, Known>([[threadOfParties(1), { thread: FIRST, last: undefined }]]);

  /** The thread takes the place of one of the same name that has died. */
  isIn(name: string, thread: AnsweringThread): void {
    this.#known.set(name, { thread, last: undefined });
  }

  /** Whether each is there, and what part of the time since the last look it was busy. */
  measures(): Measure[] {
    return [...this.#known].flatMap(([thread, known]): Measure[] => {
      const { isUp } = known.thread;
      const up: Measure = { metric: 'smdpf_thread_up', value: isUp ? 1 : 0, labels: { thread } };
      if (!isUp) return [up];
      const { utilization } = known.thread.loop(known.last);
      known.last = known.thread.loop();
      return [up, { metric: 'smdpf_thread_busy_ratio', value: utilization, labels: { thread } }];
    });
  }
}

/** The name of a thread of parties, of which the first one is 1. */
export function threadOfParties(number: number): string {
  return `parties ${number}`;
}
/** The name of the thread of the field. */
export const FIELD_THREAD = 'field';
