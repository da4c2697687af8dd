import { parentPort, workerData } from 'node:worker_threads';
import type { Log } from '../../../shared/events/log-events.ts';
import { openRuntime } from '../../../shared/runtime.ts';
import { SharedCount } from '../admission/shared-count.ts';
import { HealthCheck } from '../health.ts';
import type { ListenerMessage } from '../listener-thread.ts';
import { CALLS_WRITTEN_MS, listenAsThread } from '../listener-worker.ts';
import { storeTrials } from '../store-trials.ts';
import type { FieldThreadData } from './field-thread.ts';
import { listenForField } from './listen-for-field.ts';

/** The thread of the field: opens the same stores, listens, and carries callbacks to Operators. */
const { runtime: config, field, partiesInWork } = workerData as FieldThreadData;
const port = parentPort!;
const tell = (message: ListenerMessage) => port.postMessage(message);

listenAsThread(port, async () => {
  const log: Log = (record) => tell({ log: record });
  const runtime = await openRuntime(config, { lanes: 'none', callsWrittenMs: CALLS_WRITTEN_MS, log });
  const health = new HealthCheck(storeTrials(runtime), () => performance.now());
  const { services } = runtime;
  const listener = await listenForField({ services, health: () => health.ask(), log })(
    field,
    new SharedCount(partiesInWork),
  );
  // also for what a thread before this one has left
  runtime.context.notifier.wake();
  return { runtime, listener };
});
