import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import type { Bytes } from '../../shared/codec/bytes.ts';
import type { HttpFunction } from '../../shared/gsma/http-function.ts';
import type { Headers } from '../../shared/gsma/media-type.ts';
import type { Route } from './listener.ts';
import { readBody } from './read-body.ts';
import { respond } from './respond.ts';
import { TIMEOUTS } from './timeouts.ts';

/** Answers requests to one function. */
export function functionRoute(answer: HttpFunction): Route {
  return async (request, response) => {
    let body: Bytes | undefined;
    try {
      body = request.method === 'POST' ? await readBody(request) : new Uint8Array();
    } catch {
      return; // the peer is gone, and nobody is left to answer
    }
    const { method = '' } = request;
    const clientCertificate = certificateOf(request);
    const received = { method, headers: headersOf(request), body, clientCertificate };
    respond(request, response, await answer(received, TIMEOUTS.call));
  };
}

/** A header that came more than once has its values joined, as API Gateway does it (RFC 9110 section 5.3). */
function headersOf({ headersDistinct }: IncomingMessage): Headers {
  return Object.fromEntries(
    Object.entries(headersDistinct).map(([name, values]) => [name, values?.join(',')]),
  );
}

function certificateOf({ socket }: IncomingMessage): Bytes | undefined {
  return socket instanceof TLSSocket ? socket.getPeerX509Certificate()?.raw : undefined;
}
