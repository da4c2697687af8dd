import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Bytes } from '../../shared/codec/bytes.ts';
import { securityHeaders } from './headers.ts';

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

export function send(request: IncomingMessage, response: ServerResponse, answer: Answer): void {
  if (response.destroyed || response.headersSent) return;
  const { status, headers = {}, body = '' } = answer;
  const length = Buffer.byteLength(body);
  for (const [name, value] of Object.entries({ ...securityHeaders(), ...headers }))
    response.setHeader(name, typeof value === 'string' ? value : [...value]);
  // what was not read of a request would be taken for the next one
  if (!request.complete) response.setHeader('connection', 'close');
  response.writeHead(status, { 'content-length': length });
  response.end(request.method === 'HEAD' ? undefined : body);
}

/** The text of a body; undefined where there are more octets than `limit`, or its peer left. */
export async function readText(request: IncomingMessage, limit: number): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > limit) return undefined;
      chunks.push(chunk);
    }
  } catch {
    return undefined;
  }
  return Buffer.concat(chunks).toString('utf8');
}
