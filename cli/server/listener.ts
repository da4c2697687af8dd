import { constants } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type ServerOptions } from 'node:https';
import { type AddressInfo, createServer as createProbe, type Socket } from 'node:net';
import { Fault } from '../../shared/errors.ts';
import type { Connections } from './admission/connections.ts';
import type { Health } from './health.ts';
import { respond, respondRefusal } from './respond.ts';
import { TIMEOUTS } from './timeouts.ts';

/** Answers one request; `path` is without the query. What it throws is answered with 500. */
export type Route = (request: IncomingMessage, response: ServerResponse, path: string) => Promise<void>;

export interface Listener {
  readonly port: number;
  /** Takes no new requests, lets those in work end, then closes. */
  close(): Promise<void>;
}

/** What of a listener is its own. */
export interface ListenerOptions {
  readonly host: string;
  readonly port: number;
  /** Whether others of this server listen there too: the system gives each new connection to one of them. */
  readonly isShared?: boolean;
  readonly tls: ServerOptions;
  /** Says which connections may stay, before TLS begins. */
  readonly connections: Connections;
  /** Milliseconds for the head of a request, also for the first one after TLS. */
  readonly headMs: number;
  readonly keepAliveMs: number;
  readonly health: () => Promise<Health>;
}

/**
 * TLS 1.3, and 1.2 with ephemeral keys and authenticated encryption only (RFC 9325 section 4.2); nobody renegotiates, which
 * would cost a handshake for some octets.
 */
const TLS: ServerOptions = {
  minVersion: 'TLSv1.2',
  ciphers: [
    'TLS_AES_256_GCM_SHA384',
    'TLS_CHACHA20_POLY1305_SHA256',
    'TLS_AES_128_GCM_SHA256',
    'ECDHE-ECDSA-AES256-GCM-SHA384',
    'ECDHE-RSA-AES256-GCM-SHA384',
    'ECDHE-ECDSA-CHACHA20-POLY1305',
    'ECDHE-RSA-CHACHA20-POLY1305',
    'ECDHE-ECDSA-AES128-GCM-SHA256',
    'ECDHE-RSA-AES128-GCM-SHA256',
  ].join(':'),
  secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
};

/** An HTTPS listener. `find` gives the route of a path; `/health` is answered everywhere and asks for no party. */
export async function listen(
  { host, port, isShared = false, tls, connections, headMs, keepAliveMs, health }: ListenerOptions,
  find: (path: string) => Route | undefined,
  onUnexpected: (error: unknown) => void,
): Promise<Listener> {
  let closing = false;
  const forHealth = healthRoute(() => closing, health);

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = (request.url ?? '').split('?', 1)[0]!;
    const route = path === '/health' ? forHealth : find(path);
    if (route !== undefined) await route(request, response, path);
    else respondRefusal(request, response, 404, 'functionUnknown', 'there is no function at this path');
  };

  const server = createServer(
    {
      ...TLS,
      handshakeTimeout: Math.min(TIMEOUTS.tlsHandshake, headMs),
      headersTimeout: headMs,
      connectionsCheckingInterval: TIMEOUTS.lookForLate,
      // Bodies have their own limits: one deadline would fit either a function call or a transfer.
      requestTimeout: 0,
      keepAliveTimeout: keepAliveMs,
      ...tls,
    },
    (request, response) => {
      request.on('error', () => {}); // a peer that leaves; the route sees its reading end
      // A connection that was busy when the server closed must not stay for its keep-alive time.
      response.once('close', () => {
        if (closing) setImmediate(() => server.closeIdleConnections());
      });
      serve(request, response).catch((error: unknown) => {
        onUnexpected(error);
        respond(request, response, { httpStatus: 500, headers: {}, body: '' });
      });
    },
  );
  server.prependListener('connection', (socket: Socket) => {
    if (!connections.admit(socket)) socket.destroy();
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => reject(cannotListen(host, port, cause)));
    server.listen({ port, host, reusePort: isShared }, resolve);
  });

  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        closing = true;
        const impatience = setTimeout(() => server.closeAllConnections(), TIMEOUTS.shutdown);
        server.close(() => {
          clearTimeout(impatience);
          resolve();
        });
        server.closeIdleConnections();
      }),
  };
}

/** A Fault where something listens on the port already. */
export async function requireFree(host: string, port: number): Promise<void> {
  const probe = createProbe();
  await new Promise<void>((resolve, reject) => {
    probe.once('error', (cause) => reject(cannotListen(host, port, cause)));
    probe.listen(port, host, resolve);
  });
  await new Promise((resolve) => probe.close(resolve));
}

const cannotListen = (host: string, port: number, cause: Error) =>
  new Fault('configuration', `cannot listen on ${host}:${port}`, { cause });

/** 200 where every store can be written; 503 with what is ill, so that a load balancer goes elsewhere. */
function healthRoute(isClosing: () => boolean, ask: () => Promise<Health>): Route {
  return async (request, response) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      respondRefusal(
        request,
        response,
        405,
        'functionUnsupported',
        'health is asked for by GET',
        'GET, HEAD',
      );
      return;
    }
    const health = isClosing() ? { status: 'closing' } : await ask();
    const ok = health.status === 'ok';
    respond(request, response, {
      httpStatus: ok ? 200 : 503,
      headers: {
        'content-type': 'application/json',
        'cache-control': 'no-store',
        ...(!ok && { 'retry-after': '5' }),
      },
      body: JSON.stringify(health),
    });
  };
}
