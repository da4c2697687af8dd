import { rootCertificates } from 'node:tls';
import { Fault } from '../errors.ts';
import type { Destinations } from '../net/destinations.ts';
import { present } from '../present.ts';

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
}

/** Resolves when the message was taken (2xx). */
export type PostCallback = (message: CallbackMessage) => Promise<void>;

/** Milliseconds that a callback server may take. */
const TIMEOUT_MS = 20_000;

/**
 * Posts callbacks over HTTPS, to no address inside this network that the deployment does not allow. Redirects are not
 * followed: a callback goes where the order says, and nowhere else.
 */
export function postCallbacks(protocolVersion: string, destinations: Destinations): PostCallback {
  return ({ url, content, jws, client, ca }) =>
    new Promise((resolve, reject) => {
      const octets = Buffer.from(content);
      const secure = url.startsWith('https:');
      const request = destinations.request(url, {
        method: 'POST',
        timeout: TIMEOUT_MS,
        headers: {
          'content-type': 'application/json',
          'content-length': octets.length,
          'x-admin-protocol': protocolVersion,
          'x-jws-signature': jws,
        },
        ...(secure && { ...client, ...present({ ca }) }),
      });
      request.on('response', (response) => {
        response.resume();
        const status = response.statusCode ?? 0;
        if (status >= 200 && status < 300) resolve();
        else reject(failure(`the callback was answered with HTTP ${status}`));
      });
      request.on('timeout', () => request.destroy(failure('the callback was not answered in time')));
      request.on('error', (error) => reject(error instanceof Fault ? error : unreachable(error)));
      request.end(octets);
    });
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
