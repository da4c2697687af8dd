import type { MessagePort } from 'node:worker_threads';
import { collectWhileIdle } from '../../shared/garbage.ts';
import { taskFailure } from '../../shared/jobs/worker-lane.ts';
import type { Runtime } from '../../shared/runtime.ts';
import type { Listener } from './listener.ts';
import type { ListenerMessage, ListenerOrder } from './listener-thread.ts';

/** What a thread that listens has opened. */
export interface Listening {
  readonly runtime: Runtime;
  readonly listener: Listener;
}

/** Whoever is asked who called what knows of another thread what that has written down: as fresh as other figures. */
export const CALLS_WRITTEN_MS = 2_000;

/** The thread's side of listener-thread.ts: tells where it listens, or why not, and does what it is told, to its end. */
export function listenAsThread(port: MessagePort, open: () => Promise<Listening>): void {
  const tell = (message: ListenerMessage) => port.postMessage(message);
  const opened = open();
  collectWhileIdle();
  opened.then(
    ({ listener }) => tell({ port: listener.port }),
    (error: unknown) => {
      tell({ failure: taskFailure(error) });
      port.close();
    },
  );
  port.on('message', (order: ListenerOrder) => {
    void opened.then(async ({ runtime, listener }) => {
      if (order === 'notices') return runtime.context.notifier.wake();
      await listener.close();
      await runtime.close();
      port.close();
    });
  });
}
