import type { IncomingMessage } from 'node:http';
import { rootCertificates } from 'node:tls';
import { Fault } from '../errors.ts';
import type { Destinations } from '../net/destinations.ts';
import { present } from '../present.ts';
import { RefusedAsWhole } from './notifier.ts';

/** A callback as it goes over the wire. */
export interface CallbackMessage {
  readonly url: string;
  /** JSON. */
  readonly content: string;
  /** For the header X-JWS-Signature. */
  readonly jws: string;
  /** PEM: what TLS shows to the callback server. */
  readonly client?: { readonly cert: string; readonly key: string };
  /** PEM of the CAs that the callback server's certificate is verified with; the public ones where it is absent. */
  readonly ca?: string;
  /** Octets that the answer may have; where this is absent it is not read. */
  readonly answer?: number;
}

/**
 * Resolves when the message was taken (2xx), with the answer as text, empty where it is not read. A `RefusedAsWhole` where the
 * server answered that it does not take what it got.
 */
export type PostCallback = (message: CallbackMessage) => Promise<string>;

/** Milliseconds that a callback server may take for the whole of its answer. */
const TIMEOUT_MS = 20_000;

/** Answers of 4xx that say nothing of the content: who calls, where to, when. */
const NOT_OF_CONTENT = [401, 403, 404, 405, 407, 408, 421, 425, 429];
const isOfContent = (status: number) =>
  status === 500 || (status >= 400 && status < 500 && !NOT_OF_CONTENT.includes(status));

/**
 * Posts callbacks over HTTPS, to no address inside this network that the deployment does not allow. Redirects are not
 * followed: a callback goes where the order says, and nowhere else.
 */
export function postCallbacks(
  protocolVersion: string,
  destinations: Destinations,
  timeoutMs = TIMEOUT_MS,
): PostCallback {
  return ({ url, content, jws, client, ca, answer }) =>
    new Promise((resolve, reject) => {
      const octets = Buffer.from(content);
      const secure = url.startsWith('https:');
      const request = destinations.request(url, {
        method: 'POST',
        timeout: timeoutMs,
        headers: {
          'content-type': 'application/json',
          'content-length': octets.length,
          'x-admin-protocol': protocolVersion,
          'x-jws-signature': jws,
        },
        ...(secure && { ...client, ...present({ ca }) }),
      });
      request.on('response', (response) => {
        const status = response.statusCode ?? 0;
        const isTaken = status >= 200 && status < 300;
        if (isTaken && answer !== undefined) return resolve(textOf(response, answer));
        response.resume();
        if (isTaken) return resolve('');
        const message = `the callback was answered with HTTP ${status}`;
        reject(
          isOfContent(status)
            ? new RefusedAsWhole('notifier', message, { retryable: true })
            : failure(message),
        );
      });
      const late = () => request.destroy(failure('the callback was not answered in time'));
      // the timeout of the socket begins anew with each octet
      const deadline = setTimeout(late, timeoutMs);
      request.on('timeout', late);
      request.on('close', () => clearTimeout(deadline));
      request.on('error', (error) => reject(error instanceof Fault ? error : unreachable(error)));
      request.end(octets);
    });
}

/** Where it breaks off, nothing of it counts. */
async function textOf(response: IncomingMessage, limit: number): Promise<string> {
  const parts: Buffer[] = [];
  let octets = 0;
  try {
    for await (const part of response) {
      if (!Buffer.isBuffer(part)) continue;
      octets += part.length;
      if (octets > limit) throw failure(`the answer to the callback has more than ${limit} octets`);
      parts.push(part);
    }
  } catch (error) {
    throw error instanceof Fault ? error : failure('the answer to the callback broke off', error);
  }
  return Buffer.concat(parts).toString('utf8');
}

/** CAs that a deployment trusts for callback servers: the public ones, and its own. */
export const withPublicCas = (ca: string) => [...rootCertificates, ca].join('\n');

const failure = (message: string, cause?: unknown) =>
  new Fault('notifier', message, { retryable: true, cause });

/** TLS and the network by their codes: such as DEPTH_ZERO_SELF_SIGNED_CERT, ECONNREFUSED. Nothing that a peer wrote. */
function unreachable(error: Error): Fault {
  const { code = error.name } = error as NodeJS.ErrnoException;
  const tls = /CERT|SIGN|TLS|SSL|ISSUER|ALERT/.test(code);
  return failure(`the callback server ${tls ? 'and TLS do not agree' : 'is out of reach'} (${code})`, error);
}
