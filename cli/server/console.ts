import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { Console, type ConsoleOptions } from '../../console/server/console.ts';
import { type ConsoleRequest, send } from '../../console/server/exchange.ts';
import { consoleFunctions } from '../../console/server/functions.ts';
import { isConsoleRole, type Login } from '../../console/server/login.ts';
import { refuse } from '../../shared/errors.ts';
import { errorRecords } from '../../shared/events/error-record.ts';
import type { Log } from '../../shared/events/log-events.ts';
import { identifyCaller } from '../../shared/gsma/identify-caller.ts';
import type { Services } from '../../shared/service/api/services.ts';
import { Connections } from './admission/connections.ts';
import type { ConnectionLimits } from './admission/limits.ts';
import { certificateOf, headersOf } from './function-route.ts';
import type { Health } from './health.ts';
import { type Listener, listen } from './listener.ts';
import { readBody } from './read-body.ts';
import { TIMEOUTS } from './timeouts.ts';

export interface ConsoleConfiguration extends Omit<ConsoleOptions, 'functions' | 'byCertificate'> {
  readonly services: Services;
  readonly tls: { readonly key: string; readonly cert: string };
  readonly listen: { readonly host: string; readonly port: number };
  readonly limits: ConnectionLimits;
  readonly health: () => Promise<Health>;
  readonly log: Log;
}

export interface RunningConsole {
  readonly url: string;
  /** A link that logs in once. */
  makeLink(who: Pick<Login, 'person' | 'role'>): string;
  close(): Promise<void>;
}

/**
 * The console on a port of its own: an HTTPS listener that asks for a client certificate and needs none, in front of
 * console/server. What an administrator of the register brings logs in as such, and a viewer's as a viewer.
 */
export async function startConsole(configuration: ConsoleConfiguration): Promise<RunningConsole> {
  const { services, tls, limits, health, log } = configuration;
  const now = () => performance.now();
  const console = new Console({
    ...configuration,
    functions: consoleFunctions(services, { log, now, newIncident: randomUUID }, () => TIMEOUTS.call),
    byCertificate: (request) => loginOf(services, request),
  });
  const listener: Listener = await listen(
    {
      ...configuration.listen,
      tls: { ...tls, requestCert: true, rejectUnauthorized: false },
      connections: new Connections(limits, now),
      headMs: limits.headSeconds * 1000,
      keepAliveMs: TIMEOUTS.keepAlive,
      health,
    },
    () => async (incoming, response, path) =>
      send(incoming, response, await console.answer(requestOf(incoming, path, limits.bodySeconds))),
    (error) =>
      log({ event: 'fault', incident: randomUUID(), function: 'console', errors: errorRecords(error) }),
  );
  return { url: configuration.url, makeLink: (who) => console.makeLink(who), close: () => listener.close() };
}

/** A request as the console sees it. */
const requestOf = (incoming: IncomingMessage, path: string, bodySeconds: number): ConsoleRequest => ({
  method: incoming.method ?? '',
  path,
  query: /\?.*$/s.exec(incoming.url ?? '')?.[0] ?? '',
  headers: headersOf(incoming),
  clientCertificate: certificateOf(incoming),
  readBody: (limit) => readBody(incoming, limit, bodySeconds * 1000),
});

async function loginOf(services: Services, request: ConsoleRequest): Promise<Login> {
  const { identifier, name, role } = await identifyCaller(services.parties, request);
  if (!isConsoleRole(role))
    refuse('requesterNotAllowed', 'the certificate is that of no viewer or administrator');
  return { person: name ?? identifier, role, by: 'certificate' };
}
