import type { IncomingMessage, ServerResponse } from 'node:http';
import { callFailure } from '../../shared/gsma/failure.ts';
import { type HttpAnswer, writeFailure } from '../../shared/gsma/http-answer.ts';
import { TransportRefusal, type TransportStatus } from '../../shared/gsma/transport-refusal.ts';
import { ifPresent, present } from '../../shared/present.ts';
import type { StatusName } from '../../shared/status-codes.ts';
import { TIMEOUTS } from './timeouts.ts';

/** How much of an unread body is thrown away, in octets and milliseconds, for its peer to read why. */
export interface Linger {
  readonly octets: number;
  readonly ms: number;
}

/** From a party as much as comes in time, from others what is under way. */
export const LINGER = {
  party: { octets: Number.POSITIVE_INFINITY, ms: TIMEOUTS.linger },
  anyone: { octets: 256 * 1024, ms: TIMEOUTS.lingerAnyone },
} as const satisfies Record<string, Linger>;

/**
 * Writes an answer. Where the request's body was not read to its end, the rest is read and thrown away for a moment
 * before the connection ends: closed at once, the octets under way would reset it, and a peer that sends its whole
 * body before it reads would never see the answer.
 */
export function respond(
  request: IncomingMessage,
  response: ServerResponse,
  { httpStatus, headers, body }: HttpAnswer,
  linger: Linger = LINGER.anyone,
): void {
  if (response.destroyed || response.headersSent) return;
  const unread = !request.complete;
  const length = present({ 'content-length': ifPresent(body, (octets) => Buffer.byteLength(octets)) });
  response.writeHead(httpStatus, { ...headers, ...length, ...(unread && { connection: 'close' }) });
  if (!unread) {
    response.end(body);
    return;
  }
  // The length tells the peer that this is all; the end would make node close the socket.
  if (body === undefined) response.flushHeaders();
  else response.write(body);
  const impatience = setTimeout(() => request.socket.destroy(), linger.ms).unref();
  request.once('close', () => {
    clearTimeout(impatience);
    response.end();
  });
  let thrownAway = 0;
  request.on('data', (chunk: Buffer) => {
    thrownAway += chunk.length;
    if (thrownAway > linger.octets) request.socket.destroy();
  });
  request.resume();
}

/** Answers what no function was reached for. `allow` names the methods that a 405 would take. */
export function respondRefusal(
  request: IncomingMessage,
  response: ServerResponse,
  httpStatus: TransportStatus,
  code: StatusName,
  message: string,
  allow = 'POST',
): void {
  const refusal = new TransportRefusal(httpStatus, code, message);
  const answer = writeFailure(callFailure(refusal, () => ''));
  const headers = httpStatus === 405 ? { ...answer.headers, allow } : answer.headers;
  respond(request, response, { ...answer, headers });
}
