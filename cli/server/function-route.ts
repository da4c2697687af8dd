import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import { CallCost, counting } from '../../shared/call-cost.ts';
import type { Bytes } from '../../shared/codec/bytes.ts';
import type { HttpFunction } from '../../shared/gsma/http-function.ts';
import type { Headers } from '../../shared/gsma/media-type.ts';
import type { HttpRequest } from '../../shared/gsma/received-call.ts';
import type { Admission } from './admission/admission.ts';
import type { Route } from './listener.ts';
import { LINGER, respond } from './respond.ts';
import { TIMEOUTS } from './timeouts.ts';

/** Answers requests to one function, as far as they are admitted. */
export function functionRoute(answer: HttpFunction, admission: Admission): Route {
  return async (request, response) => {
    const call = admission.open(request);
    const { method = '' } = request;
    let known = false;
    let octets = 0;
    const cost = new CallCost();
    // octets of an answer are held until the peer has taken them
    const ended = new Promise((resolve) => response.once('finish', resolve).once('close', resolve));
    try {
      const asked: HttpRequest = {
        method,
        headers: headersOf(request),
        clientCertificate: certificateOf(request),
        readBody: (limit, caller) => {
          known = caller !== undefined;
          return call.readBody(limit, caller);
        },
      };
      const answered = await counting(cost, () => answer(asked, TIMEOUTS.call));
      octets = answered.body === undefined ? 0 : Buffer.byteLength(answered.body);
      // who is no party, or asks for more than is admitted, does not keep a connection by that
      if (!known && answered.httpStatus >= 400) response.shouldKeepAlive = false;
      request.setTimeout(TIMEOUTS.idle);
      respond(request, response, answered, known ? LINGER.party : LINGER.anyone);
      if (!response.destroyed) await ended;
    } finally {
      call.end(octets, cost.reads);
    }
  };
}

/** A header that came more than once has its values joined, as API Gateway does it (RFC 9110 section 5.3). */
export function headersOf({ headersDistinct }: IncomingMessage): Headers {
  return Object.fromEntries(
    Object.entries(headersDistinct).map(([name, values]) => [name, values?.join(',')]),
  );
}

/** Of connections; nobody renegotiates, so that it stays the same. */
const certificates = new WeakMap<TLSSocket, Bytes>();

export function certificateOf({ socket }: IncomingMessage): Bytes | undefined {
  if (!(socket instanceof TLSSocket)) return undefined;
  let raw: Bytes | undefined = certificates.get(socket);
  if (raw === undefined) {
    raw = socket.getPeerX509Certificate()?.raw;
    if (raw !== undefined) certificates.set(socket, raw);
  }
  return raw;
}
