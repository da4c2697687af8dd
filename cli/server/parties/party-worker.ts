import { parentPort, workerData } from 'node:worker_threads';
import type { Log } from '../../../shared/events/log-events.ts';
import { notifierElsewhere } from '../../../shared/notify/notifier.ts';
import { openRuntime } from '../../../shared/runtime.ts';
import { ownHealth } from '../../deployment/own-health.ts';
import { transferGate } from '../../deployment/transfer-gate.ts';
import { SharedCount } from '../admission/shared-count.ts';
import { HealthCheck } from '../health.ts';
import type { ListenerMessage } from '../listener-thread.ts';
import { CALLS_WRITTEN_MS, listenAsThread } from '../listener-worker.ts';
import { storeTrials } from '../store-trials.ts';
import { listenForParties } from './listen-for-parties.ts';
import type { PartyThreadData } from './party-thread.ts';

/** A thread that answers parties: opens the same stores and listens on the port of the others. */
const { runtime: config, parties, inWork } = workerData as PartyThreadData;
const port = parentPort!;
const tell = (message: ListenerMessage) => port.postMessage(message);

listenAsThread(port, async () => {
  const log: Log = (record) => tell({ log: record });
  const runtime = await openRuntime(config, {
    lanes: 'none',
    callsWrittenMs: CALLS_WRITTEN_MS,
    log,
    notifier: notifierElsewhere(() => tell({ notices: true })),
    dispatcher: { submit: async (work) => tell({ work }), close: async () => undefined },
  });
  Object.assign(runtime.ofProcess, ownHealth(runtime, parties.tls.cert));
  const { services, context } = runtime;
  const health = new HealthCheck(storeTrials(runtime), () => performance.now());
  const listenHere = listenForParties({
    services,
    vault: transferGate(context.vault),
    health: () => health.ask(),
    ready: () => services.inventory.getHealth(),
    log,
  });
  return { runtime, listener: await listenHere(parties, new SharedCount(inWork)) };
});
