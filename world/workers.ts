import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { makeCastOfSimulation } from './history.ts';
import { rememberPureCrypto } from './pure-crypto.ts';
import { type Made, make, type Task } from './simulation.ts';

const WORKER_FILE = fileURLToPath(new URL('./worker.ts', import.meta.url));

/** What a worker tells: a line about how it goes, or a history that it made. */
export type Told = { readonly line: string } | { readonly made: Made };

/** Makes histories, one after the other. */
export interface Worker {
  make(task: Task): Promise<Made>;
  close(): Promise<void>;
}

/** This process itself. */
export async function ownWorker(progress: (line: string) => void): Promise<Worker> {
  rememberPureCrypto();
  const cast = await makeCastOfSimulation();
  return { make: (task) => make(cast, task, progress), close: async () => undefined };
}

/** A process of its own, since a simulation takes clock, timers and randomness over. */
export function forkedWorker(progress: (line: string) => void): Worker {
  const child = fork(WORKER_FILE, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  return {
    async make(task) {
      const made = answerOf(child, progress);
      child.send(task);
      return await made;
    },
    async close() {
      const ended = once(child, 'exit');
      child.disconnect();
      await ended;
    },
  };
}

function answerOf(child: ChildProcess, progress: (line: string) => void): Promise<Made> {
  return new Promise((resolve, reject) => {
    const onMessage = (told: Told) => {
      if ('line' in told) return progress(told.line);
      child.off('message', onMessage).off('exit', onExit);
      resolve(told.made);
    };
    const onExit = (code: number | null) => reject(new Error(`a worker ended with ${code}`));
    child.on('message', onMessage).on('exit', onExit);
  });
}

/**
 * Everything that is to be made, by these workers; of a seed that has broken a rule nothing later is begun, and nothing at
 * all once `stop` says so.
 */
export async function makeAll(
  tasks: Iterable<Task>,
  workers: readonly Worker[],
  onMade: (made: Made) => void,
  stop: AbortSignal,
): Promise<void> {
  const left = tasks[Symbol.iterator]();
  const broken = new Set<number>();
  const work = async (one: Worker) => {
    for (let next = left.next(); next.done !== true && !stop.aborted; next = left.next()) {
      if (broken.has(next.value.seed)) continue;
      const made = await one.make(next.value);
      if (made.violation !== undefined) broken.add(made.task.seed);
      onMade(made);
    }
  };
  try {
    await Promise.all(workers.map(work));
  } finally {
    await Promise.all(workers.map((one) => one.close()));
  }
}
