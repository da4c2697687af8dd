import { ownText } from '../../shared/events/error-record.ts';
import type { Log } from '../../shared/events/log-events.ts';
import { present } from '../../shared/present.ts';
import type { Runtime } from '../../shared/runtime.ts';
import { CallbackThread, fieldThread } from '../server/field/field-thread.ts';
import { Meters } from '../server/meters.ts';
import { partyThread, requireThreads } from '../server/parties/party-thread.ts';
import { type RunningServer, startServer } from '../server/server.ts';
import { storeTrials } from '../server/store-trials.ts';
import { AnsweringThreads, FIELD_THREAD, threadOfParties } from '../server/threads.ts';
import type { DeploymentFolder } from './folder.ts';
import { freePort } from './free-port.ts';
import { type OpenedConsole, openConsole, type WantedConsole } from './open-console.ts';
import { type OpenedManagement, openManagement } from './open-management.ts';
import { ownHealth } from './own-health.ts';
import { DevelopmentPki } from './tls.ts';
import { transferGate } from './transfer-gate.ts';
import { startUpkeep } from './upkeep.ts';

export interface RunningDeployment {
  readonly runtime: Runtime;
  readonly pki: DevelopmentPki;
  readonly urls: RunningServer['urls'];
  /** Where the configuration does not say that there is none. */
  readonly management?: OpenedManagement;
  /** Where it was asked for. */
  readonly console?: OpenedConsole;
  /** Jobs and orders that an earlier run had left open. */
  readonly resumed: number;
  close(): Promise<void>;
}

/** Starts the embedded server on a deployment folder and takes up what was left open. */
export async function startDeployment(
  deployment: DeploymentFolder,
  told: Log,
  ports: { readonly port?: number; readonly fieldPort?: number; readonly console?: WantedConsole } = {},
): Promise<RunningDeployment> {
  const meters = new Meters();
  const log: Log = (record) => {
    meters.take(record);
    told(record);
  };
  const { server: configured } = deployment.config;
  const { host } = configured;
  const port = await freePort(host, ports.port ?? configured.port);
  const fieldPort = await freePort(host, ports.fieldPort ?? configured.fieldPort);
  const pki = await DevelopmentPki.open(deployment.path('tls'));
  const tls = await pki.server([
    ...new Set([host, 'localhost', '127.0.0.1', deployment.config.runtime.address]),
  ]);
  const callbacks = new CallbackThread();
  const runtime = await deployment.openRuntime(
    { lanes: 'workers', log, notifier: callbacks.notifier },
    { publicUrl: configured.publicUrl ?? `https://${host}:${port}`, callbackCa: pki.caCertificate },
  );
  const threads = new AnsweringThreads();
  let server: RunningServer | undefined;
  let console: OpenedConsole | undefined;
  let management: OpenedManagement | undefined;
  Object.assign(runtime.ofProcess, ownHealth(runtime, tls.cert));
  try {
    server = await startServer({
      services: runtime.services,
      tls,
      listen: { host, port },
      beside: Array.from({ length: requireThreads(configured.threads) - 1 }, (_, before) =>
        partyThread(runtime, log, (thread) => threads.isIn(threadOfParties(before + 2), thread)),
      ),
      field: {
        port: fieldPort,
        listen: fieldThread(runtime.config, callbacks, log, (thread) => threads.isIn(FIELD_THREAD, thread)),
      },
      limits: configured.limits,
      stores: storeTrials(runtime),
      ready: () => runtime.services.inventory.getHealth(),
      vault: transferGate(runtime.context.vault),
      log,
    });
    management = await openManagement(deployment.config, { runtime, tls, meters, threads, log, port });
    console = await openConsole(deployment, { runtime, tls, log }, ports.console);
  } catch (error) {
    await management?.close();
    await server?.close();
    await runtime.close();
    throw error;
  }
  const frozen = await runtime.standing.why();
  if (frozen === undefined) await runtime.standing.renewAnchor();
  else log({ event: 'alarm.ledger.frozen', message: ownText(frozen) });
  if (frozen === undefined) await ensureCallbackClient(runtime, pki);
  const resumed = frozen === undefined ? await runtime.work.resume() : 0;
  runtime.context.notifier.wake();
  const upkeep = frozen === undefined ? startUpkeep(runtime, deployment.config, log) : [];
  return {
    runtime,
    pki,
    urls: server.urls,
    ...present({ console, management }),
    resumed,
    async close() {
      await console?.close();
      await management?.close();
      await server.close();
      await Promise.all(upkeep.map((rounds) => rounds.stop()));
      if (frozen === undefined) await runtime.audit.chain();
      await runtime.close();
    },
  };
}

/** A deployment that was given no client certificate for callbacks has one of its own CA. */
async function ensureCallbackClient({ services, config }: Runtime, pki: DevelopmentPki): Promise<void> {
  const { client } = services.callbacks;
  if ((await client.inUse()) === undefined)
    await client.replace('server', async (spki) => [await pki.issueClient(config.address, spki)]);
}
