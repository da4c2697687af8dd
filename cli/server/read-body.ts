import type { IncomingMessage } from 'node:http';
import type { Bytes } from '../../shared/codec/bytes.ts';
import { MAX_BODY } from '../../shared/gsma/limits.ts';
import { bodyTooLarge } from '../../shared/gsma/received-call.ts';
import { TIMEOUTS } from './timeouts.ts';

/**
 * The octets of a body, counted while they come in: 413 as soon as there are too many, announced or sent. A body
 * that is not complete in time ends its connection.
 */
export async function readBody(request: IncomingMessage): Promise<Bytes> {
  if (Number(request.headers['content-length'] ?? 0) > MAX_BODY) throw bodyTooLarge();
  const deadline = setTimeout(() => request.destroy(), TIMEOUTS.body);
  try {
    const chunks: Bytes[] = [];
    let size = 0;
    // Leaving the loop must not destroy the request: its socket still carries the answer.
    for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Bytes>) {
      size += chunk.length;
      if (size > MAX_BODY) throw bodyTooLarge();
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  } finally {
    clearTimeout(deadline);
  }
}
