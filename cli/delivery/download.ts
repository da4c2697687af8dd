import { open, rename, rm, stat } from 'node:fs/promises';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { type Bytes, release } from '../../shared/codec/bytes.ts';
import { Fault } from '../../shared/errors.ts';
import type { Part } from '../../shared/ifpp-draft1/batch-manifest.ts';
import type { TlsIdentity } from '../../sim/index.ts';
import { isPart } from './batch-folder.ts';

const IDLE_MS = 30_000;
/** The party asks more often than it may; a moment later it may again. */
const TOO_MANY_REQUESTS = 429;

/**
 * Fetches a part into `file`. What an earlier run left in `file.partial` is gone on from, by a Range header
 * (RFC 9110 section 14.2); the file gets its name once its size and SHA-256 are those of the manifest.
 */
export async function downloadPart(url: string, file: string, part: Part, tls: TlsIdentity): Promise<void> {
  const partial = `${file}.partial`;
  const have = (await stat(partial).catch(() => undefined))?.size ?? 0;
  if (have < part.size) await fetchFrom(url, partial, have, tls);
  if (await isPart(partial, part)) return await rename(partial, file);
  await rm(partial, { force: true });
  throw new Fault('vault', 'a part did not arrive as the manifest has it; what came is discarded', {
    retryable: true,
  });
}

async function fetchFrom(url: string, file: string, have: number, tls: TlsIdentity): Promise<void> {
  const response = await get(new URL(url), have === 0 ? {} : { range: `bytes=${have}-` }, tls);
  const status = response.statusCode ?? 0;
  if (status !== 200 && status !== 206) {
    response.resume();
    const retryable = status >= 500 || status === TOO_MANY_REQUESTS;
    throw new Fault('vault', `a part was answered with HTTP ${status}`, { retryable });
  }
  // a server may answer with the whole
  const output = await open(file, status === 206 ? 'a' : 'w');
  try {
    for await (const piece of response as AsyncIterable<Bytes>) {
      await output.appendFile(piece);
      release(piece);
    }
  } finally {
    await output.close();
  }
}

function get(url: URL, headers: Record<string, string>, tls: TlsIdentity): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const options = { headers, timeout: IDLE_MS };
    const request =
      url.protocol === 'https:'
        ? httpsRequest(url, { ...options, ...tls, minVersion: 'TLSv1.2' })
        : httpRequest(url, options);
    request.on('timeout', () =>
      request.destroy(new Fault('vault', 'the server is silent', { retryable: true })),
    );
    request.on('response', resolve);
    request.on('error', (cause) =>
      // a link may lead to another host than the server that was asked
      reject(
        cause instanceof Fault
          ? cause
          : new Fault('vault', `${url.host} cannot be reached: ${cause.message}`, { cause, retryable: true }),
      ),
    );
    request.end();
  });
}
