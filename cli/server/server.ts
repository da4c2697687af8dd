import type { Log } from '../../shared/events/log-events.ts';
import type { Health as Readiness } from '../../shared/service/api/ops.ts';
import type { Services } from '../../shared/service/api/services.ts';
import type { TransferGate } from '../../shared/vault/transfer.ts';
import { type ChosenLimits, limitsOf, partOf } from './admission/limits.ts';
import { SharedCount } from './admission/shared-count.ts';
import { type ListenForField, listenForField } from './field/listen-for-field.ts';
import { HealthCheck } from './health.ts';
import { type Listener, requireFree } from './listener.ts';
import { type ListenForParties, listenForParties } from './parties/listen-for-parties.ts';

export interface ServerConfiguration {
  readonly services: Services;
  /** PEM: the server's private key, and its certificate with what lies between it and a root. */
  readonly tls: { readonly key: string; readonly cert: string };
  /** Where parties call ES2f, Esed1 and Esbpp by mutual TLS. Port 0 takes a free one. */
  readonly listen: { readonly host: string; readonly port: number };
  /** Threads that answer parties beside this one, on the same port; none unless given. */
  readonly beside?: readonly ListenForParties[];
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
  const { services, tls, vault, log, ready, beside = [] } = configuration;
  const { host, port } = configuration.listen;
  const limits = limitsOf(configuration.limits);
  const healthCheck = new HealthCheck(configuration.stores ?? {}, () => performance.now());
  const health = () => healthCheck.ask();
  const forParties = [listenForParties({ services, vault, health, ready, log }), ...beside];
  const forField = configuration.field.listen ?? listenForField({ services, health, log });
  const inWork = new SharedCount();

  const listeners: Listener[] = [];
  const close = async () => {
    await Promise.all(listeners.map((listener) => listener.close()));
  };
  try {
    // listeners that share a port would share it with those of another server too
    if (forParties.length > 1) await requireFree(host, port);
    const parties = {
      host,
      tls,
      limits: partOf(limits.parties, forParties.length),
      isShared: forParties.length > 1,
    };
    for (const listenHere of forParties)
      listeners.push(await listenHere({ ...parties, port: listeners[0]?.port ?? port }, inWork));
    listeners.push(
      await forField({ host, port: configuration.field.port, tls, limits: limits.field }, inWork),
    );
  } catch (error) {
    await close();
    throw error;
  }
  const [partiesUrl, fieldUrl] = [listeners[0]!, listeners.at(-1)!].map(
    (listener) => `https://${urlHost(host)}:${listener.port}`,
  );
  return { urls: { parties: partiesUrl!, field: fieldUrl! }, close };
}

/** A host as it stands in a URL: IPv6 addresses in brackets. */
function urlHost(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
