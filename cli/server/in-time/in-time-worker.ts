import { parentPort, workerData } from 'node:worker_threads';
import { CallCost, counting } from '../../../shared/call-cost.ts';
import { taskFailure } from '../../../shared/jobs/worker-lane.ts';
import { notifierElsewhere } from '../../../shared/notify/notifier.ts';
import { openRuntime } from '../../../shared/runtime.ts';
import type { RuntimeConfig } from '../../../shared/runtime-config.ts';
import type { InTimeCall, InTimeMessage, InTimeOrder } from './in-time-thread.ts';

/** A thread that binds just in time: opens the same stores, and binds as many profiles at once as it is told to. */
const port = parentPort!;
const tell = (message: InTimeMessage) => port.postMessage(message);
const opened = openRuntime(workerData as RuntimeConfig, {
  lanes: 'none',
  log: (record) => tell({ log: record }),
  notifier: notifierElsewhere(() => tell({ notices: true })),
});
const inWork = new Set<Promise<void>>();

opened.then(
  () => tell({ ready: true }),
  (error: unknown) => {
    tell({ failure: taskFailure(error) });
    port.close();
  },
);

port.on('message', (order: InTimeOrder) => {
  if (order === 'close') return void close();
  const call = bind(order);
  inWork.add(call);
  void call.then(() => inWork.delete(call));
});

async function bind({ id, caller, der }: InTimeCall): Promise<void> {
  const cost = new CallCost();
  try {
    const { inTime } = await opened;
    const answer = await counting(cost, () => inTime.answerAgain(caller, der));
    tell({ id, answer, reads: cost.reads });
  } catch (error) {
    tell({ id, failed: taskFailure(error) });
  }
}

async function close(): Promise<void> {
  await Promise.all(inWork);
  await (await opened.catch(() => undefined))?.close();
  port.close();
}
