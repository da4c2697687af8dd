import { randomUUID } from 'node:crypto';
import { errorRecords } from '../../shared/events/error-record.ts';
import type { Log } from '../../shared/events/log-events.ts';
import type { Health as Readiness } from '../../shared/service/api/ops.ts';
import type { Services } from '../../shared/service/api/services.ts';
import type { TransferGate } from '../../shared/vault/transfer.ts';
import { type ChosenLimits, limitsOf } from './admission/limits.ts';
import { PartyAdmission } from './admission/party-admission.ts';
import { type ListenForField, listenForField } from './field/listen-for-field.ts';
import { HealthCheck } from './health.ts';
import { type Listener, listen } from './listener.ts';
import { readyRoute } from './ready.ts';
import { routesOf } from './routes.ts';
import { TIMEOUTS } from './timeouts.ts';
import { TRANSFER_PREFIX, transferRoute } from './transfer-route.ts';

export interface ServerConfiguration {
  readonly services: Services;
  /** PEM: the server's private key, and its certificate with what lies between it and a root. */
  readonly tls: { readonly key: string; readonly cert: string };
  /** Where parties call ES2f, Esed1 and Esbpp by mutual TLS. Port 0 takes a free one. */
  readonly listen: { readonly host: string; readonly port: number };
  /** Where devices in the field call ES9+ by server TLS, on the same host: in this thread, or where `listen` has it. */
  readonly field: { readonly port: number; readonly listen?: ListenForField };
  /** What one caller may take (I13); the defaults where nothing is chosen. */
  readonly limits?: ChosenLimits | undefined;
  /** The stores, each with a trial that fails where it cannot be written; `GET /health` names those that are ill. */
  readonly stores?: Readonly<Record<string, () => Promise<void>>>;
  /** What `GET /health/ready` answers parties, whom it tells names alone. */
  readonly ready?: () => Promise<Readiness>;
  /** Answers the transfer links. */
  readonly vault: TransferGate;
  readonly log: Log;
}

export interface RunningServer {
  readonly urls: { readonly parties: string; readonly field: string };
  /** Lets calls in work end, then closes both listeners. Services and vault stay open: they are the caller's. */
  close(): Promise<void>;
}

/**
 * The embedded server: two HTTPS listeners in front of the functions of the interfaces.
 *
 * On the parties' listener TLS asks for a client certificate and takes any: it proves possession of the key, and who
 * that is says the party register, by fingerprint, on every call (I7). Chains of client certificates say nothing here;
 * the register revokes, and what has expired is refused. What one caller may take of the server is in admission/ (I13).
 */
export async function startServer(configuration: ServerConfiguration): Promise<RunningServer> {
  const { services, tls, vault, log } = configuration;
  const { host } = configuration.listen;
  const onUnexpected = (error: unknown) =>
    log({ event: 'fault', incident: randomUUID(), function: 'server', errors: errorRecords(error) });

  const now = () => performance.now();
  const options = { log, now, newIncident: randomUUID };
  const limits = limitsOf(configuration.limits);
  const parties = new PartyAdmission(limits.parties, now);
  const forParties = routesOf('parties', services, parties, options);
  const healthCheck = new HealthCheck(configuration.stores ?? {}, now);
  const health = () => healthCheck.ask();
  const forField = configuration.field.listen ?? listenForField({ services, health, log });
  const forReady = configuration.ready && readyRoute(configuration.ready);
  const transfer = transferRoute(vault, services, parties, log);

  const listeners: Listener[] = [];
  const close = async () => {
    await Promise.all(listeners.map((listener) => listener.close()));
  };
  try {
    listeners.push(
      await listen(
        {
          ...configuration.listen,
          tls: { ...tls, requestCert: true, rejectUnauthorized: false },
          connections: parties.connections,
          headMs: limits.parties.headSeconds * 1000,
          keepAliveMs: TIMEOUTS.keepAlive,
          health,
        },
        (path) => {
          if (path === '/health/ready') return forReady;
          return path.startsWith(TRANSFER_PREFIX) ? transfer : forParties.get(path);
        },
        onUnexpected,
      ),
    );
    listeners.push(
      await forField({ host, port: configuration.field.port, tls, limits: limits.field }, parties.inWork),
    );
  } catch (error) {
    await close();
    throw error;
  }
  const [partiesUrl, fieldUrl] = listeners.map(({ port }) => `https://${urlHost(host)}:${port}`);
  return { urls: { parties: partiesUrl!, field: fieldUrl! }, close };
}

/** A host as it stands in a URL: IPv6 addresses in brackets. */
function urlHost(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
