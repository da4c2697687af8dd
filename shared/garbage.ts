import { type EventLoopUtilization, performance } from 'node:perf_hooks';
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Milliseconds between two looks. */
const LOOK_MS = 2_000;
/** Idle is a thread that worked for less than this part of the time between two looks. */
const IDLE = 0.25;
/** Octets beyond what the last collection has left, for which another one is worth its 5 to 30 ms. */
const WORTH_COLLECTING = 8_000_000;

/** V8's young generation: a thread that works fills it within milliseconds, and V8 itself empties it. */
const YOUNG = new Set(['new_space', 'new_large_object_space']);

/**
 * The garbage of this thread that V8 leaves lying: the old generation, and buffers.
 *
 * V8 marks them by how much a thread allocates. What the start of a server leaves in its first thread, or a job in those that bind, lies
 * there for as long as that thread then only waits; and a client that takes one page of a large answer after another keeps those before.
 */
export class Garbage {
  readonly #collect: () => void;
  #left = 0;

  constructor(collect: () => void = collector()) {
    this.#collect = collect;
  }

  /** Where there may be so much that it is worth it. */
  collect(): void {
    const there = oldOctets();
    // V8 may have collected by itself
    this.#left = Math.min(this.#left, there);
    if (there < this.#left + WORTH_COLLECTING) return;
    this.#collect();
    this.#left = oldOctets();
  }

  /** `utilization` is the part of the time since the last look, 0 to 1, that the thread worked. */
  collectIfIdle(utilization: number): void {
    if (utilization <= IDLE) this.collect();
  }
}

/** For the life of this thread, which it does not keep alive. */
export function collectWhileIdle(): void {
  const garbage = new Garbage();
  let before: EventLoopUtilization = performance.eventLoopUtilization();
  setInterval(() => {
    const now = performance.eventLoopUtilization();
    garbage.collectIfIdle(performance.eventLoopUtilization(now, before).utilization);
    before = now;
  }, LOOK_MS).unref();
}

function oldOctets(): number {
  const old = getHeapSpaceStatistics().filter(({ space_name }) => !YOUNG.has(space_name));
  return old.reduce((sum, { space_used_size }) => sum + space_used_size, process.memoryUsage().arrayBuffers);
}

/** V8's own function, which only a context that begins after the flag has. */
function collector(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
}
