import { parentPort, workerData } from 'node:worker_threads';
import { openRuntime } from '../runtime.ts';
import type { RuntimeConfig } from '../runtime-config.ts';
import type { WorkKind } from './dispatcher.ts';
import { taskFailure, type WorkerAnswer } from './worker-lane.ts';

/** A worker thread of the embedded server: opens the same stores and runs one task at a time. */
type Message = 'close' | { id: number; kind: WorkKind; workId: string; task: number };

const port = parentPort!;
const runtime = openRuntime(workerData as RuntimeConfig, {
  lanes: 'none',
  log: (record) => port.postMessage(record satisfies WorkerAnswer),
});
let last: Promise<unknown> = runtime;

port.on('message', (message: Message) => {
  last = last.then(async () => {
    if (message === 'close') {
      await (await runtime).close();
      port.close();
    } else {
      port.postMessage(await run(message));
    }
  });
});

async function run({ id, kind, workId, task }: Exclude<Message, 'close'>): Promise<WorkerAnswer> {
  try {
    await (await runtime).work.runTask(kind, workId, task);
    return { id, done: true };
  } catch (error) {
    return { id, done: false, failure: taskFailure(error) };
  }
}
