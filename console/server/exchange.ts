import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Bytes } from '../../shared/codec/bytes.ts';
import { securityHeaders } from './headers.ts';

/** A request as the console sees it, whatever has taken it. */
export interface ConsoleRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  /** From `?` on; empty where there is none. */
  readonly query: string;
  /** By their names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Of the client certificate, where TLS has asked for one and got it. */
  readonly clientCertificate: Bytes | string | undefined;
  /** Of the body; undefined where there are more than `limit`. Refuses a body without its end. */
  readBody(limit: number): Promise<Bytes | string | undefined>;
}

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string | Bytes;
}

/** An answer in JSON, kept by nobody. */
export const json = (status: number, document: unknown, headers: Answer['headers'] = {}): Answer => ({
  status,
  headers: { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers },
  body: JSON.stringify(document),
});

/** A refusal that the console itself makes; the functions have their own. */
export const refusal = (status: number, message: string, headers: Answer['headers'] = {}): Answer =>
  json(status, { error: message }, headers);

export function redirect(location: string, headers: Answer['headers'] = {}): Answer {
  return { status: 303, headers: { location, 'cache-control': 'no-store', ...headers } };
}

/** The same with what every answer of the console carries. */
export const secured = (answer: Answer): Answer => ({
  ...answer,
  headers: { ...securityHeaders(), ...answer.headers },
});

export function send(request: IncomingMessage, response: ServerResponse, answer: Answer): void {
  if (response.destroyed || response.headersSent) return;
  const { status, headers = {}, body = '' } = answer;
  const length = Buffer.byteLength(body);
  for (const [name, value] of Object.entries(headers))
    response.setHeader(name, typeof value === 'string' ? value : [...value]);
  // what was not read of a request would be taken for the next one
  if (!request.complete) response.setHeader('connection', 'close');
  response.writeHead(status, { 'content-length': length });
  response.end(request.method === 'HEAD' ? undefined : body);
}
