import { type RequestOptions, request } from 'node:https';
import { type JsonAnswer, jsonOf } from './function-call.ts';
import type { SelfSigned } from './self-signed.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly body: Buffer;
  readonly json: () => JsonAnswer;
}

export interface Send extends RequestOptions {
  readonly certificate?: SelfSigned | undefined;
  readonly body?: string | Uint8Array;
}

/** A request over TLS of its own to a server with this certificate, and the whole answer. */
export function httpsSend(server: SelfSigned, url: string, send: Send = {}): Promise<Answer> {
  const { certificate, body, ...options } = send;
  return new Promise((resolve, reject) => {
    const outgoing = request(
      url,
      {
        ca: server.cert,
        agent: false,
        ...(certificate === undefined ? {} : { key: certificate.key, cert: certificate.cert }),
        ...options,
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const whole = Buffer.concat(chunks);
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: whole,
            json: () => jsonOf({ body: whole.toString() }),
          });
        });
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}
