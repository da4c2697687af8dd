import { open, rename, rm, stat } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { type Bytes, release } from '../../shared/codec/bytes.ts';
import { Fault } from '../../shared/errors.ts';
import {
  ConnectionFailure,
  connectedBy,
  connectionFailure,
  LinkRefused,
  openRequest,
  retryAfterMs,
  type TlsIdentity,
} from '../../sim/index.ts';
import { isPart } from './batch-folder.ts';
import type { PartFile } from './pulled-manifest.ts';

const IDLE_MS = 30_000;

/**
 * Fetches a part into `file`. What an earlier run left in `file.partial` is gone on from, by a Range header
 * (RFC 9110 section 14.2); the file gets its name once its size and SHA-256 are those of the manifest.
 */
export async function downloadPart(
  url: string,
  file: string,
  part: PartFile,
  tls: TlsIdentity,
): Promise<void> {
  const partial = `${file}.partial`;
  const have = (await stat(partial).catch(() => undefined))?.size ?? 0;
  if (have < part.size) await fetchFrom(url, partial, have, tls);
  if (await isPart(partial, part)) return await rename(partial, file);
  await rm(partial, { force: true });
  throw new Fault('vault', 'a part did not arrive as the manifest has it; what came is discarded', {
    retryable: true,
  });
}

/** Whether another attempt at the same part may come through: what was refused for good, and what this machine lacks, does not. */
export function mayPass(error: unknown): boolean {
  if (error instanceof LinkRefused) return error.httpStatus >= 500 || error.httpStatus === 429;
  if (error instanceof ConnectionFailure) return error.kind !== 'tls' && error.kind !== 'notHttp';
  return error instanceof Fault && error.retryable;
}

/** Throws what this machine cannot write as its own error, with the path: it says nothing of the server. */
async function fetchFrom(url: string, file: string, have: number, tls: TlsIdentity): Promise<void> {
  const from = new URL(url);
  const response = await get(from, have === 0 ? {} : { range: `bytes=${have}-` }, tls);
  const status = response.statusCode ?? 0;
  if (status !== 200 && status !== 206) {
    response.resume();
    throw new LinkRefused('download', status, retryAfterMs(response.headers['retry-after']));
  }
  const pieces = piecesOf(response, from);
  // a server may answer with the whole
  const output = await open(file, status === 206 ? 'a' : 'w').catch((error: unknown) => {
    response.destroy();
    throw error;
  });
  try {
    for await (const piece of pieces) {
      await output.appendFile(piece).catch((error: Error) => {
        throw Object.assign(error, { path: file });
      });
      release(piece);
    }
  } finally {
    await output.close();
  }
}

async function* piecesOf(response: IncomingMessage, url: URL): AsyncGenerator<Bytes> {
  try {
    yield* response as AsyncIterable<Bytes>;
  } catch (error) {
    throw connectionFailure(error as Error, url, true);
  }
}

function get(url: URL, headers: Record<string, string>, tls: TlsIdentity): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = openRequest(url, { headers, timeout: IDLE_MS }, tls);
    const hasConnected = connectedBy(request);
    request.on('timeout', () => request.destroy(new ConnectionFailure('silent', url)));
    request.on('response', resolve);
    request.on('error', (error) => reject(connectionFailure(error, url, hasConnected())));
    request.end();
  });
}
