import { parentPort, workerData } from 'node:worker_threads';
import { collectWhileIdle } from '../garbage.ts';
import { notifierElsewhere } from '../notify/notifier.ts';
import { openRuntime } from '../runtime.ts';
import type { RuntimeConfig } from '../runtime-config.ts';
import type { WorkKind, WorkRunner } from './dispatcher.ts';
import { taskFailure, type WorkerAnswer } from './worker-lane.ts';

/** A worker thread of the embedded server: opens the same stores and runs what tasks it is sent. */
type Message = 'close' | { id: number; kind: WorkKind; workId: string; task: number };

const port = parentPort!;
const tell = (answer: WorkerAnswer) => port.postMessage(answer);
const runtime = openRuntime(workerData as RuntimeConfig, {
  lanes: 'none',
  log: tell,
  notifier: notifierElsewhere(() => tell({ notices: true })),
});
const underWay = new Set<Promise<void>>();
collectWhileIdle();

port.on('message', (message: Message) => {
  if (message === 'close') return void close();
  // where the stores do not open nobody waits for this: the thread ends by the error
  const task = runtime.then(({ work }) => run(work, message)).then(tell);
  underWay.add(task);
  void task.finally(() => underWay.delete(task));
});

async function close(): Promise<void> {
  await Promise.all(underWay);
  await (await runtime).close();
  port.close();
}

async function run(
  work: WorkRunner,
  { id, kind, workId, task }: Exclude<Message, 'close'>,
): Promise<WorkerAnswer> {
  try {
    await work.runTask(kind, workId, task);
    return { id, done: true };
  } catch (error) {
    return { id, done: false, failure: taskFailure(error) };
  }
}
