import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import { Fault } from '../../shared/errors.ts';
import { respond, respondRefusal } from './respond.ts';
import { TIMEOUTS } from './timeouts.ts';

/** Answers one request; `path` is without the query. What it throws is answered with 500. */
export type Route = (request: IncomingMessage, response: ServerResponse, path: string) => Promise<void>;

export interface Listener {
  readonly port: number;
  /** Takes no new requests, lets those in work end, then closes. */
  close(): Promise<void>;
}

/** An HTTPS listener. `find` gives the route of a path; `/health` is answered everywhere and asks for no party. */
export async function listen(
  address: { readonly host: string; readonly port: number },
  tls: ServerOptions,
  find: (path: string) => Route | undefined,
  onUnexpected: (error: unknown) => void,
): Promise<Listener> {
  let closing = false;
  const health = healthRoute(() => closing);

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = (request.url ?? '').split('?', 1)[0]!;
    const route = path === '/health' ? health : find(path);
    if (route !== undefined) await route(request, response, path);
    else respondRefusal(request, response, 404, 'functionUnknown', 'there is no function at this path');
  };

  const server = createServer(
    {
      minVersion: 'TLSv1.2',
      handshakeTimeout: TIMEOUTS.tlsHandshake,
      headersTimeout: TIMEOUTS.headers,
      // Bodies have their own limits: one deadline would fit either a function call or a transfer.
      requestTimeout: 0,
      keepAliveTimeout: TIMEOUTS.keepAlive,
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
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) =>
      reject(new Fault('configuration', `cannot listen on ${address.host}:${address.port}`, { cause })),
    );
    server.listen(address.port, address.host, resolve);
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

function healthRoute(isClosing: () => boolean): Route {
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
    const closing = isClosing();
    respond(request, response, {
      httpStatus: closing ? 503 : 200,
      headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
      body: JSON.stringify({ status: closing ? 'closing' : 'ok' }),
    });
  };
}
