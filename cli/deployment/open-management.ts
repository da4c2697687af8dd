import type { Log } from '../../shared/events/log-events.ts';
import type { Measure } from '../../shared/events/metrics.ts';
import { AddressList, LOOPBACK } from '../../shared/net/address-list.ts';
import type { Runtime } from '../../shared/runtime.ts';
import { observe, observeStock } from '../../shared/service/inventory/observe.ts';
import { limitsOf } from '../server/admission/limits.ts';
import { freeSpace } from '../server/disk-space.ts';
import { HealthCheck } from '../server/health.ts';
import type { Listener } from '../server/listener.ts';
import { startManagement } from '../server/management.ts';
import type { Meters } from '../server/meters.ts';
import { storeTrials } from '../server/store-trials.ts';
import type { AnsweringThreads } from '../server/threads.ts';
import type { FolderConfig } from './config-file.ts';
import { freePort } from './free-port.ts';

export interface OpenedManagement extends Pick<Listener, 'close'> {
  readonly url: string;
}

interface Behind {
  readonly runtime: Runtime;
  /** PEM, as the other listeners have it. */
  readonly tls: { readonly key: string; readonly cert: string };
  readonly meters: Meters;
  readonly threads: Pick<AnsweringThreads, 'measures'>;
  readonly log: Log;
  /** The port that parties call. */
  readonly port: number;
}

const HOST = '127.0.0.1';
/** From the port of parties: beside that of the field and of the console. */
const NEXT = 3;
/** Figures that are read of the ledger stand for so long. */
const LOOK_MS = 5_000;

/**
 * Opens the management port: that of `management` in config.json, else the third after that of the parties, or a free one
 * where that is taken. Undefined where the configuration wants none.
 */
export async function openManagement(
  { management = {}, server }: FolderConfig,
  { runtime, tls, meters, threads, log, port: partiesPort }: Behind,
): Promise<OpenedManagement | undefined> {
  if (management.enabled === false) return undefined;
  const { host = HOST, readers = LOOPBACK } = management;
  const { services } = runtime;
  const trials = new HealthCheck(storeTrials(runtime), () => performance.now());
  const ready = () => services.inventory.getHealth();
  const gauges = remembered(async () => [...(await gaugesOf(runtime)), ...threads.measures()]);
  const start = (port: number) =>
    startManagement({
      services,
      tls,
      listen: { host, port },
      limits: limitsOf(server.limits).field,
      readers: new AddressList(readers, 'management.readers'),
      health: () => trials.ask(),
      ready,
      metrics: async () => ({ text: await meters.text(await gauges()), contentType: meters.contentType }),
      log,
    });
  const next = partiesPort + NEXT > 65_535 ? 0 : partiesPort + NEXT;
  const listener =
    management.port === undefined
      ? await start(next).catch(async () => start(await freePort(host, 0)))
      : await start(management.port);
  return {
    url: `https://${host.includes(':') ? `[${host}]` : host}:${listener.port}`,
    close: listener.close,
  };
}

/** What is read of the stores at a look. */
async function gaugesOf(runtime: Runtime): Promise<readonly Measure[]> {
  const { context, trust, services, ofProcess, config } = runtime;
  const { ledger, vault, ppks } = config;
  const space = await freeSpace({ ledger, vault, 'PPK vault': ppks });
  const health = await services.inventory.getHealth();
  return [
    ...(await observe(context, trust, ofProcess.certificates ?? [], health)),
    ...(await observeStock(context)),
    ...Object.entries(space).map(
      ([store, value]): Measure => ({ metric: 'smdpf_disk_free_octets', value, labels: { store } }),
    ),
  ];
}

/** However often somebody asks, one look at a time, and none while the last one is fresh. */
function remembered<T>(look: () => Promise<T>): () => Promise<T> {
  let last: { readonly answer: Promise<T>; endedAt: number | undefined } | undefined;
  return () => {
    const fresh = last?.endedAt === undefined || performance.now() - last.endedAt < LOOK_MS;
    if (last !== undefined && fresh) return last.answer;
    const begun: NonNullable<typeof last> = { answer: look(), endedAt: undefined };
    const end = () => {
      begun.endedAt = performance.now();
    };
    begun.answer.then(end, end);
    last = begun;
    return begun.answer;
  };
}
