import { type ClientRequest, request as httpRequest, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Bytes } from '../shared/codec/bytes.ts';
import { ConnectionFailure, connectionFailure } from './connection-failure.ts';

/** PEM texts of one party; a client without certificate gives `ca` only. */
export interface TlsIdentity {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** An object too large to go inline and to be held: it is sent as it is read. */
export interface SentFile {
  readonly size: number;
  /** Hexadecimal. */
  readonly sha256: string;
  /** Pieces, each of which may be overwritten once the next is asked for. */
  read(): AsyncIterable<Bytes>;
}

export interface Exchange {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Bytes | SentFile;
}

export interface Exchanged {
  readonly httpStatus: number;
  readonly octets: Buffer;
  readonly adminProtocol: string | undefined;
  /** Of a Retry-After in seconds (RFC 9110 section 10.2.3). */
  readonly retryAfterMs: number | undefined;
}

/**
 * Sends a request and takes the whole answer. Throws a `ConnectionFailure` where none comes, and what `body.read` throws as it
 * is: a file that cannot be read says nothing of the server.
 */
export async function exchange(
  call: Exchange,
  { tls = {}, timeoutMs }: { readonly tls?: TlsIdentity; readonly timeoutMs: number },
): Promise<Exchanged> {
  for (;;) {
    try {
      return await once(call, tls, timeoutMs);
    } catch (error) {
      // a connection that was kept and that the server closes at the very moment of its next call says nothing of the call
      if (!(error instanceof StaleConnection)) throw error;
    }
  }
}

function once(
  { method, url, headers, body = new Uint8Array() }: Exchange,
  tls: TlsIdentity,
  timeout: number,
): Promise<Exchanged> {
  const options: RequestOptions = {
    method,
    headers: { ...headers, ...(method === 'GET' ? {} : { 'Content-Length': lengthOf(body) }) },
    timeout,
  };
  return new Promise((resolve, reject) => {
    const request = open(url, options, tls);
    const hasConnected = connectedBy(request);
    const fail = (error: Error) => reject(connectionFailure(error, url, hasConnected()));
    request.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', fail);
      response.on('end', () =>
        resolve({
          httpStatus: response.statusCode ?? 0,
          octets: Buffer.concat(chunks),
          adminProtocol: response.headers['x-admin-protocol']?.toString(),
          retryAfterMs: retryAfterMs(response.headers['retry-after']),
        }),
      );
    });
    request.on('timeout', () => request.destroy(new ConnectionFailure('silent', url)));
    request.on('error', (error) => (isStale(request, error) ? reject(new StaleConnection()) : fail(error)));
    if (body instanceof Uint8Array) request.end(body);
    // an error of the connection has come to the request already, and what is thrown here first is of the file
    else void send(body, request, reject);
  });
}

/** One piece after the other, each once the one before is written. */
async function send(body: SentFile, request: ClientRequest, failed: (error: unknown) => void): Promise<void> {
  try {
    for await (const piece of readOf(body, failed)) await write(request, piece);
    request.end();
  } catch (error) {
    request.destroy(error as Error);
  }
}

/** Reads, and tells what goes wrong in it before the request hears of it. */
async function* readOf(body: SentFile, failed: (error: unknown) => void): AsyncGenerator<Bytes> {
  try {
    yield* body.read();
  } catch (error) {
    failed(error);
    throw error;
  }
}

const write = (request: ClientRequest, piece: Bytes) =>
  new Promise<void>((resolve, reject) => {
    request.write(piece, (error) => (error ? reject(error) : resolve()));
  });

/** Throws a `ConnectionFailure` where what TLS is given does not fit together. */
export function open(url: URL, options: RequestOptions, tls: TlsIdentity): ClientRequest {
  try {
    return url.protocol === 'https:'
      ? httpsRequest(url, { ...options, ...tls, minVersion: 'TLSv1.2' })
      : httpRequest(url, options);
  } catch (error) {
    throw connectionFailure(error as Error, url, false);
  }
}

/** Tells whether a request had a connection; ask once it has failed. */
export function connectedBy(request: ClientRequest): () => boolean {
  let connected = false;
  request.once('socket', (socket) => {
    if (!socket.connecting) connected = true;
    else
      socket.once('connect', () => {
        connected = true;
      });
  });
  return () => connected;
}

/** Milliseconds of a Retry-After that is a number of seconds. */
export const retryAfterMs = (header: string | undefined): number | undefined =>
  header !== undefined && /^\d+$/.test(header) ? 1_000 * Number(header) : undefined;

class StaleConnection extends Error {}

const isStale = ({ reusedSocket }: ClientRequest, error: Error) =>
  reusedSocket && 'code' in error && (error.code === 'ECONNRESET' || error.code === 'EPIPE');

const lengthOf = (body: Bytes | SentFile) => (body instanceof Uint8Array ? body.length : body.size);
