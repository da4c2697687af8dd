import { Fault } from '../../../shared/errors.ts';
import type { Log } from '../../../shared/events/log-events.ts';
import type { Runtime } from '../../../shared/runtime.ts';
import type { RuntimeConfig } from '../../../shared/runtime-config.ts';
import { type ListenerThread, listenInThread } from '../listener-thread.ts';
import type { ListenForParties, PartiesConfiguration } from './listen-for-parties.ts';

/** Systems on which several threads may listen on one port. */
const SHARE_PORTS: readonly NodeJS.Platform[] = ['linux', 'freebsd', 'sunos', 'aix'];
/** More would take memory for nothing: the ledger has one writer at a time. */
const MOST_THREADS = 8;

/** How many threads answer parties, of which one is the first: `server.threads` of config.json, 1 unless given. */
export function requireThreads(threads = 1, platform = process.platform): number {
  if (threads < 1 || threads > MOST_THREADS)
    throw new Fault('configuration', `server.threads: ${threads} is not from 1 to ${MOST_THREADS}`);
  if (threads > 1 && !SHARE_PORTS.includes(platform))
    throw new Fault(
      'configuration',
      'server.threads: on this system one thread alone listens on a port: leave it out',
    );
  return threads;
}

/** What the thread begins with. */
export interface PartyThreadData {
  readonly runtime: RuntimeConfig;
  readonly parties: PartiesConfiguration;
  readonly inWork: SharedArrayBuffer;
}

/** What calls of parties hold at once is limited; what lies in buffers is not counted here. */
const HEAP = { maxYoungGenerationSizeMb: 48, maxOldGenerationSizeMb: 512 } as const;

/**
 * A listener of parties in a thread beside the one that answers, on the same port and with connections of its own to the
 * same stores: the system gives each new connection to one of them. Long work that the thread takes on, and callbacks of
 * which it hears, are done where they are without it. `isIn` hears of each thread, also of those that replace one.
 */
export function partyThread(
  { config, context }: Runtime,
  log: Log,
  isIn?: (thread: ListenerThread) => void,
): ListenForParties {
  return (parties, inWork) =>
    listenInThread<PartyThreadData>(
      {
        module: new URL('./party-worker.ts', import.meta.url),
        heap: HEAP,
        of: 'parties',
        log,
        onNotices: () => context.notifier.wake(),
        // what cannot be taken on now stands in the ledger, and is found again at the next start
        onWork: (work) => void context.dispatcher.submit(work).catch(() => undefined),
      },
      parties.port,
      (port) => ({ runtime: config, parties: { ...parties, port }, inWork: inWork.memory }),
      isIn,
    );
}
