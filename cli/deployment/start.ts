import { createServer } from 'node:net';
import type { Log } from '../../shared/gsma/call-log.ts';
import { httpFetch } from '../../shared/net/http-fetch.ts';
import { MAX_CRL } from '../../shared/pki/crl.ts';
import type { Runtime } from '../../shared/runtime.ts';
import { CrlFetcher } from '../../shared/service/trust/crl-fetcher.ts';
import type { TransferGate } from '../../shared/vault/transfer.ts';
import { type RunningServer, startServer } from '../server/server.ts';
import type { DeploymentFolder } from './folder.ts';
import { type Rounds, startRounds } from './rounds.ts';
import { DevelopmentPki } from './tls.ts';

/** Milliseconds between moves of waiting audit lines into the chain. */
const AUDIT_MS = 500;
/** Milliseconds between archives of the audit log. */
const ARCHIVE_MS = 600_000;
/** Milliseconds between checks of all keys and certificates; the first is at the start. */
const KEY_CHECK_MS = 6 * 60 * 60_000;
/** Milliseconds between looks for data keys that are to move to a new wrapping key. */
const REWRAP_MS = 60_000;
const CRL_TIMEOUT_MS = 30_000;

export interface RunningDeployment {
  readonly runtime: Runtime;
  readonly pki: DevelopmentPki;
  readonly urls: RunningServer['urls'];
  /** Jobs and orders that an earlier run had left open. */
  readonly resumed: number;
  close(): Promise<void>;
}

/** One line of the server's log: a call, or what the server itself has to tell. */
export type ServerLog = (record: Readonly<Record<string, unknown>>) => void;

/** Starts the embedded server on a deployment folder and takes up what was left open. */
export async function startDeployment(
  deployment: DeploymentFolder,
  log: ServerLog,
  ports: { readonly port?: number; readonly fieldPort?: number } = {},
): Promise<RunningDeployment> {
  const { server: configured } = deployment.config;
  const { host } = configured;
  const port = await chosenPort(host, ports.port ?? configured.port);
  const fieldPort = await chosenPort(host, ports.fieldPort ?? configured.fieldPort);
  const pki = await DevelopmentPki.open(deployment.path('tls'));
  const tls = await pki.server([
    ...new Set([host, 'localhost', '127.0.0.1', deployment.config.runtime.address]),
  ]);
  const runtime = await deployment.openRuntime(
    { lanes: 'workers', log: (event, about) => log({ event, ...about }) },
    { publicUrl: configured.publicUrl ?? `https://${host}:${port}`, callbackCa: pki.caCertificate },
  );
  let server: RunningServer;
  try {
    server = await startServer({
      services: runtime.services,
      tls,
      listen: { host, port },
      field: { port: fieldPort },
      vault: runtime.context.vault as unknown as TransferGate,
      log: log as unknown as Log,
    });
  } catch (error) {
    await runtime.close();
    throw error;
  }
  const frozen = await runtime.standing.why();
  if (frozen === undefined) await runtime.standing.renewAnchor();
  else log({ event: 'alarm.ledger.frozen', message: frozen });
  const resumed = frozen === undefined ? await runtime.work.resume() : 0;
  runtime.context.notifier.wake();
  const upkeep = frozen === undefined ? startUpkeep(runtime, deployment, log) : [];
  return {
    runtime,
    pki,
    urls: server.urls,
    resumed,
    async close() {
      await server.close();
      await Promise.all(upkeep.map((rounds) => rounds.stop()));
      if (frozen === undefined) await runtime.audit.chain();
      await runtime.close();
    },
  };
}

/** What runs beside the calls: audit chain and archive, care for keys, and revocation lists where they are fetched. */
function startUpkeep(
  { audit, trust, keyInventory, wrappingRotation }: Runtime,
  { config }: DeploymentFolder,
  log: ServerLog,
): Rounds[] {
  const tell = (event: string) => (error: Error) => log({ event, message: error.message });
  const rounds = [
    startRounds(() => audit.chain(), AUDIT_MS, tell('audit.delayed')),
    startRounds(() => audit.archive(), ARCHIVE_MS, tell('audit.delayed')),
    startRounds(() => keyInventory.check(), KEY_CHECK_MS, tell('alarm.key.unchecked')),
    startRounds(() => wrappingRotation.rewrap(), REWRAP_MS, tell('key.wrapping.delayed')),
  ];
  const minutes = config.crlFetchMinutes ?? 0;
  if (minutes > 0) {
    const fetcher = new CrlFetcher(
      trust,
      httpFetch({ timeoutMs: CRL_TIMEOUT_MS, maxOctets: MAX_CRL }),
      (event, about) => log({ event, ...about }),
    );
    rounds.push(startRounds(() => fetcher.round(), minutes * 60_000, tell('alarm.crl.fetchFailed')));
  }
  return rounds;
}

/** Transfer links name the port before the server listens, so port 0 is settled here. */
async function chosenPort(host: string, port: number): Promise<number> {
  if (port !== 0) return port;
  const probe = createServer();
  await new Promise<void>((resolve, reject) => probe.once('error', reject).listen(0, host, resolve));
  const { port: free } = probe.address() as { port: number };
  await new Promise((resolve) => probe.close(resolve));
  return free;
}
