import type { IncomingMessage } from 'node:http';
import type { Bytes } from '../../shared/codec/bytes.ts';
import { MAX_BODY } from '../../shared/gsma/limits.ts';
import { TIMEOUTS } from './timeouts.ts';

/**
 * The octets of a body, counted while they come in; undefined as soon as there are more than MAX_BODY, announced or
 * sent. A body that is not complete in time ends its connection; throws where the peer is gone.
 */
export async function readBody(request: IncomingMessage): Promise<Bytes | undefined> {
  if (Number(request.headers['content-length'] ?? 0) > MAX_BODY) return undefined;
  const deadline = setTimeout(() => request.destroy(), TIMEOUTS.body);
  try {
    const chunks: Bytes[] = [];
    let size = 0;
    // Leaving the loop must not destroy the request: its socket still carries the answer.
    for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Bytes>) {
      size += chunk.length;
      if (size > MAX_BODY) return undefined;
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  } finally {
    clearTimeout(deadline);
  }
}
