import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { Console, type ConsoleFunctions, type ConsoleOptions } from '../../console/server/console.ts';
import { callerOf, isConsoleRole, type Login } from '../../console/server/login.ts';
import { refuse } from '../../shared/errors.ts';
import { errorRecords } from '../../shared/events/error-record.ts';
import type { Log } from '../../shared/events/log-events.ts';
import { functionAt, functionPaths } from '../../shared/gsma/functions/index.ts';
import { httpFunction } from '../../shared/gsma/http-function.ts';
import { identifyCaller } from '../../shared/gsma/identify-caller.ts';
import type { InterfaceFunction } from '../../shared/gsma/interface-function.ts';
import { urlPaths } from '../../shared/gsma/paths.ts';
import type { CallOptions } from '../../shared/gsma/record-call.ts';
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
    functions: consoleFunctions(services, { log, now, newIncident: randomUUID }, limits),
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
    () => console.serve,
    (error) =>
      log({ event: 'fault', incident: randomUUID(), function: 'console', errors: errorRecords(error) }),
  );
  return { url: configuration.url, makeLink: (who) => console.makeLink(who), close: () => listener.close() };
}

/**
 * What the console may call: the functions for its roles, by their URL paths. Transfer links are for whoever has a client
 * certificate, and so for nobody here.
 */
const FUNCTIONS: ReadonlyMap<string, InterfaceFunction> = new Map(
  functionPaths
    .map(functionAt)
    .filter(({ role, path }) => isConsoleRole(role) && !path.endsWith('.openTransfer'))
    .flatMap((fn) => urlPaths(fn).map((path) => [path, fn])),
);

function consoleFunctions(
  services: Services,
  options: CallOptions,
  limits: ConnectionLimits,
): ConsoleFunctions {
  return {
    kindOf(path) {
      const fn = FUNCTIONS.get(path);
      return fn && (fn.role === 'viewer' ? 'reads' : 'changes');
    },
    async call(path, login, request) {
      const answer = httpFunction(FUNCTIONS.get(path)!, services, options, async () => callerOf(login));
      const { httpStatus, headers, body } = await answer(
        {
          method: request.method ?? '',
          headers: headersOf(request),
          clientCertificate: undefined,
          readBody: (limit) => readBody(request, limit, limits.bodySeconds * 1000),
        },
        TIMEOUTS.call,
      );
      return { status: httpStatus, headers, body: body ?? '' };
    },
  };
}

async function loginOf({ parties }: Services, request: IncomingMessage): Promise<Login> {
  const { identifier, name, role } = await identifyCaller(parties, {
    clientCertificate: certificateOf(request),
  });
  if (!isConsoleRole(role))
    refuse('requesterNotAllowed', 'the certificate is that of no viewer or administrator');
  return { person: name ?? identifier, role, by: 'certificate' };
}
