import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Refusal } from '../../shared/errors.ts';
import { errorRecords } from '../../shared/events/error-record.ts';
import type { Log } from '../../shared/events/log-events.ts';
import { identifyCaller } from '../../shared/gsma/identify-caller.ts';
import type { AddressList } from '../../shared/net/address-list.ts';
import type { PartyRole } from '../../shared/service/api/caller.ts';
import type { Health as Readiness } from '../../shared/service/api/ops.ts';
import type { Services } from '../../shared/service/api/services.ts';
import { Connections } from './admission/connections.ts';
import type { ConnectionLimits } from './admission/limits.ts';
import { certificateOf } from './function-route.ts';
import type { Health } from './health.ts';
import { type Listener, listen, type Route } from './listener.ts';
import { readyAnswer } from './ready.ts';
import { respond, respondRefusal } from './respond.ts';
import { TIMEOUTS } from './timeouts.ts';

export interface ManagementConfiguration {
  readonly services: Pick<Services, 'parties'>;
  readonly tls: { readonly key: string; readonly cert: string };
  readonly listen: { readonly host: string; readonly port: number };
  readonly limits: ConnectionLimits;
  /** Who may read without a certificate, by address. */
  readonly readers: AddressList;
  readonly health: () => Promise<Health>;
  readonly ready: () => Promise<Readiness>;
  /** The text format of Prometheus, and its media type. */
  readonly metrics: () => Promise<{ readonly text: string; readonly contentType: string }>;
  readonly log: Log;
}

/** Who may read from anywhere, by the client certificate of a party. */
const READERS: readonly PartyRole[] = ['viewer', 'administrator', 'auditor'];

/**
 * `/metrics` and `/health/ready` on a port of their own, for whoever watches this server: those whose address is among the
 * readers, which are this machine alone unless the configuration names others, and parties that look at it by `ops`. No
 * function and no transfer can be reached here.
 */
export async function startManagement(configuration: ManagementConfiguration): Promise<Listener> {
  const { tls, limits, health, ready, metrics, log } = configuration;
  const routes: Readonly<Record<string, Route>> = {
    '/metrics': async (request, response) => {
      const { text, contentType } = await metrics();
      const headers = { 'content-type': contentType, 'cache-control': 'no-store' };
      respond(request, response, { httpStatus: 200, headers, body: text });
    },
    '/health/ready': async (request, response) => {
      respond(request, response, readyAnswer(await ready(), 'whole'));
    },
  };
  return await listen(
    {
      ...configuration.listen,
      tls: { ...tls, requestCert: true, rejectUnauthorized: false },
      connections: new Connections(limits, () => performance.now()),
      headMs: limits.headSeconds * 1000,
      keepAliveMs: TIMEOUTS.keepAlive,
      health,
    },
    (path) => {
      const route = Object.hasOwn(routes, path) ? routes[path] : undefined;
      return route && forReaders(configuration, route);
    },
    (error) =>
      log({ event: 'fault', incident: randomUUID(), function: 'management', errors: errorRecords(error) }),
  );
}

function forReaders({ readers, services }: ManagementConfiguration, route: Route): Route {
  return async (request, response, path) => {
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return respondRefusal(
        request,
        response,
        405,
        'functionUnsupported',
        'this is asked for by GET',
        'GET, HEAD',
      );
    if (readers.has(request.socket.remoteAddress ?? '') || (await isReader(services, request)))
      return await route(request, response, path);
    refuseReader(request, response);
  };
}

async function isReader({ parties }: Pick<Services, 'parties'>, request: IncomingMessage): Promise<boolean> {
  const clientCertificate = certificateOf(request);
  if (clientCertificate === undefined) return false;
  try {
    return READERS.includes((await identifyCaller(parties, { clientCertificate })).role);
  } catch (error) {
    if (error instanceof Refusal) return false;
    throw error;
  }
}

const refuseReader = (request: IncomingMessage, response: ServerResponse) =>
  respondRefusal(
    request,
    response,
    403,
    'requesterNotAllowed',
    'neither the address nor a client certificate is that of a reader: `management.readers` of the configuration',
  );
