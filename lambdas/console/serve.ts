import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Context } from 'aws-lambda';
import { Console, type ConsoleOptions } from '../../console/server/console.ts';
import { DynamoDbStore } from '../../console/server/dynamodb-store.ts';
import { type Answer, type ConsoleRequest, refusal, secured } from '../../console/server/exchange.ts';
import { consoleFunctions } from '../../console/server/functions.ts';
import { callerOf } from '../../console/server/login.ts';
import { readSite } from '../../console/server/site.ts';
import type { ConsoleStore } from '../../console/server/store.ts';
import { errorRecords } from '../../shared/events/error-record.ts';
import type { Log } from '../../shared/events/log-events.ts';
import { personOf } from '../../shared/service/api/actor.ts';
import type { Services } from '../../shared/service/api/services.ts';
import { noteSession } from '../../shared/service/parties/session-journal.ts';
import type { Event, Result } from '../api-gateway.ts';
import { settle, sharedRuntime } from '../runtime.ts';
import { type ConsoleSettings, readSettings } from './settings.ts';

/** What the console stands on. */
export interface ConsoleEnvironment {
  readonly settings: ConsoleSettings;
  readonly services: Services;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly onSession: ConsoleOptions['onSession'];
  readonly store: ConsoleStore;
  /** Folder of the built pages. */
  readonly site: string;
  readonly log: Log;
}

type Lambda = (event: Event, context: Pick<Context, 'getRemainingTimeInMillis'>) => Promise<Result>;

/**
 * The console behind API Gateway: the same as on the embedded server, with sessions in a table and no links. A failure of ours is
 * answered 500 with the incident that the log has.
 */
export function consoleHandler(open: () => Promise<ConsoleEnvironment>): Lambda {
  let opened: Promise<Opened> | undefined;
  return async (event, context) => {
    const remainingMs = () => context.getRemainingTimeInMillis();
    try {
      opened ??= open().then(openConsole);
      const { consoleFor, log } = await opened;
      const answer = await (await consoleFor(event)).call(requestOf(event), remainingMs);
      await settle(log, 'call');
      return resultOf(answer, event.requestContext.http.method);
    } catch (error) {
      const incident = randomUUID();
      const log = await opened?.then((one) => one.log).catch(() => undefined);
      if (log === undefined) opened = undefined;
      const record = { event: 'fault', incident, function: 'console', errors: errorRecords(error) } as const;
      (log ?? ((line) => console.log(JSON.stringify(line))))(record);
      return resultOf(secured(refusal(500, `the console failed; the log has incident ${incident}`)), 'GET');
    }
  };
}

interface Opened {
  readonly log: Log;
  consoleFor(event: Event): Promise<Served>;
}

interface Served {
  call(request: ConsoleRequest, remainingMs: () => number): Promise<Answer>;
}

async function openConsole(environment: ConsoleEnvironment): Promise<Opened> {
  const { settings, services, store, site, log, now, onSession } = environment;
  const pages = await readSite(site);
  let remaining: () => number = () => 0;
  const options = { log, now: () => performance.now(), newIncident: randomUUID };
  // an environment of Lambda has one call at a time
  const functions = consoleFunctions(services, options, () => remaining());
  const make = (url: string) =>
    new Console({
      url,
      site: pages,
      functions,
      oidc: settings.oidc,
      links: false,
      store,
      now,
      onSession,
    });
  let made: { readonly url: string; readonly console: Console } | undefined;
  return {
    log,
    async consoleFor(event) {
      // only an emulator has no name of its own for it
      const url = settings.url ?? `https://${event.requestContext.domainName}`;
      if (made?.url !== url) made = { url, console: make(url) };
      const { console: served } = made;
      return {
        call(request, remainingMs) {
          remaining = remainingMs;
          return served.answer(request);
        },
      };
    },
  };
}

/** API Gateway gives cookies apart, and has read the body within its own limits. */
function requestOf({
  headers,
  cookies,
  rawPath,
  rawQueryString,
  body = '',
  isBase64Encoded,
  requestContext,
}: Event): ConsoleRequest {
  const octets = Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8');
  return {
    method: requestContext.http.method,
    path: rawPath,
    query: rawQueryString === '' ? '' : `?${rawQueryString}`,
    headers: { ...headers, cookie: cookies === undefined ? headers.cookie : cookies.join('; ') },
    clientCertificate: undefined,
    readBody: async (limit) => (octets.length > limit ? undefined : octets),
  };
}

function resultOf({ status, headers = {}, body = '' }: Answer, method: string): Result {
  const { 'set-cookie': cookies = [], ...rest } = headers;
  const octets =
    typeof body === 'string' ? Buffer.from(body) : Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  return {
    statusCode: status,
    headers: Object.fromEntries(Object.entries(rest).map(([name, value]) => [name, String(value)])),
    cookies: [cookies].flat(),
    body: method === 'HEAD' ? '' : octets.toString('base64'),
    isBase64Encoded: true,
  };
}

let instrumented: Promise<Lambda> | undefined;

/** What Lambda calls. */
export const handler: Lambda = async (event, context) => {
  instrumented ??= import('../telemetry.ts').then(({ instrument, log }) => {
    const open = async (): Promise<ConsoleEnvironment> => {
      const settings = readSettings();
      const { services, context } = await sharedRuntime();
      const { now } = context;
      return {
        settings,
        services,
        now,
        onSession: (what, login) => noteSession(context, what, personOf(callerOf(login)), login.role),
        store: new DynamoDbStore(settings.table, now),
        site: join(import.meta.dirname, 'site'),
        log,
      };
    };
    const serve = consoleHandler(open);
    return instrument((of: Event, by) => serve(of, by)) as Lambda;
  });
  return (await instrumented)(event, context);
};
