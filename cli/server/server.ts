import { randomUUID } from 'node:crypto';
import { errorRecords } from '../../shared/events/error-record.ts';
import type { Log } from '../../shared/events/log-events.ts';
import { functionAt, functionPaths } from '../../shared/gsma/functions/index.ts';
import { httpFunction } from '../../shared/gsma/http-function.ts';
import { type Side, sideOf } from '../../shared/gsma/interface-function.ts';
import { urlPaths } from '../../shared/gsma/paths.ts';
import type { CallOptions } from '../../shared/gsma/record-call.ts';
import type { Services } from '../../shared/service/api/services.ts';
import type { TransferGate } from '../../shared/vault/transfer.ts';
import type { Admission } from './admission/admission.ts';
import { FieldAdmission } from './admission/field-admission.ts';
import { type ChosenLimits, limitsOf } from './admission/limits.ts';
import { PartyAdmission } from './admission/party-admission.ts';
import { functionRoute } from './function-route.ts';
import { HealthCheck } from './health.ts';
import { type Listener, listen, type Route } from './listener.ts';
import { TIMEOUTS } from './timeouts.ts';
import { TRANSFER_PREFIX, transferRoute } from './transfer-route.ts';

export interface ServerConfiguration {
  readonly services: Services;
  /** PEM: the server's private key, and its certificate with what lies between it and a root. */
  readonly tls: { readonly key: string; readonly cert: string };
  /** Where parties call ES2f, Esed1 and Esbpp by mutual TLS. Port 0 takes a free one. */
  readonly listen: { readonly host: string; readonly port: number };
  /** Where devices in the field call ES9+ by server TLS, on the same host. */
  readonly field: { readonly port: number };
  /** What one caller may take (I13); the defaults where nothing is chosen. */
  readonly limits?: ChosenLimits | undefined;
  /** The stores, each with a trial that fails where it cannot be written; `GET /health` names those that are ill. */
  readonly stores?: Readonly<Record<string, () => Promise<void>>>;
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
  const field = new FieldAdmission(limits.field, now, () => parties.inWork);
  const forParties = routesOf('parties', services, parties, options);
  const forField = routesOf('field', services, field, options);
  const transfer = transferRoute(vault, services, log);
  const healthCheck = new HealthCheck(configuration.stores ?? {}, now);
  const health = () => healthCheck.ask();

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
        (path) => (path.startsWith(TRANSFER_PREFIX) ? transfer : forParties.get(path)),
        onUnexpected,
      ),
    );
    listeners.push(
      await listen(
        {
          host,
          port: configuration.field.port,
          tls,
          connections: field.connections,
          headMs: limits.field.headSeconds * 1000,
          keepAliveMs: TIMEOUTS.keepAliveField,
          health,
        },
        (path) => forField.get(path),
        onUnexpected,
      ),
    );
  } catch (error) {
    await close();
    throw error;
  }
  const [partiesUrl, fieldUrl] = listeners.map(({ port }) => `https://${urlHost(host)}:${port}`);
  return { urls: { parties: partiesUrl!, field: fieldUrl! }, close };
}

function routesOf(
  side: Side,
  services: Services,
  admission: Admission,
  options: CallOptions,
): ReadonlyMap<string, Route> {
  const functions = functionPaths.map(functionAt).filter((fn) => sideOf(fn) === side);
  return new Map(
    functions.flatMap((fn) => {
      const route = functionRoute(httpFunction(fn, services, options), admission);
      return urlPaths(fn).map((url) => [url, route]);
    }),
  );
}

/** A host as it stands in a URL: IPv6 addresses in brackets. */
function urlHost(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
