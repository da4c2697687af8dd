import type { Log } from '../../../shared/events/log-events.ts';
import { notifierElsewhere } from '../../../shared/notify/notifier.ts';
import type { RuntimeConfig } from '../../../shared/runtime-config.ts';
import { type ListenerThread, listenInThread } from '../listener-thread.ts';
import type { FieldConfiguration, ListenForField } from './listen-for-field.ts';

/** What the thread begins with. */
export interface FieldThreadData {
  readonly runtime: RuntimeConfig;
  readonly field: FieldConfiguration;
  readonly partiesInWork: SharedArrayBuffer;
}

/** Strangers' connections and bodies are limited and small; what lies in buffers is not counted here. */
const HEAP = { maxYoungGenerationSizeMb: 6, maxOldGenerationSizeMb: 256 } as const;

/** Says to the thread of the field, while there is one, that notices wait; it looks by itself as well. */
export class CallbackThread {
  #thread: ListenerThread | undefined;
  readonly notifier = notifierElsewhere(() => this.#thread?.order('notices'));

  isIn(thread: ListenerThread): void {
    this.#thread = thread;
  }
}

/**
 * The listener of the field in a thread of its own, with connections of its own to the same stores: handshakes, bodies and
 * signatures of whoever calls there take nothing of the loop that answers parties, and neither do callbacks, which are
 * signed and posted there too (I13).
 */
export function fieldThread(
  runtime: RuntimeConfig,
  callbacks: CallbackThread,
  log: Log,
  isIn: (thread: ListenerThread) => void = () => undefined,
): ListenForField {
  const module = new URL('./field-worker.ts', import.meta.url);
  return (field, partiesInWork) =>
    listenInThread<FieldThreadData>(
      { module, heap: HEAP, of: 'the field', log },
      field.port,
      (port) => ({ runtime, field: { ...field, port }, partiesInWork: partiesInWork.memory }),
      (thread) => {
        callbacks.isIn(thread);
        isIn(thread);
      },
    );
}
