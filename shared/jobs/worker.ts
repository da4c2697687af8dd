import { parentPort, workerData } from 'node:worker_threads';
import { notifierElsewhere } from '../notify/notifier.ts';
import { openRuntime } from '../runtime.ts';
import type { RuntimeConfig } from '../runtime-config.ts';
import type { WorkKind } from './dispatcher.ts';
import { taskFailure, type WorkerAnswer } from './worker-lane.ts';

/** A worker thread of the embedded server: opens the same stores and runs one task at a time. */
type Message = 'close' | { id: number; kind: WorkKind; workId: string; task: number };

const port = parentPort!;
const tell = (answer: WorkerAnswer) => port.postMessage(answer);
const runtime = openRuntime(workerData as RuntimeConfig, {
  lanes: 'none',
  log: tell,
  notifier: notifierElsewhere(() => tell({ notices: true })),
});
let last: Promise<unknown> = runtime;

port.on('message', (message: Message) => {
  last = last.then(async () => {
    if (message === 'close') {
      await (await runtime).close();
      port.close();
    } else {
      tell(await run(message));
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
