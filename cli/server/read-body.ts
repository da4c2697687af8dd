import type { IncomingMessage } from 'node:http';
import type { Bytes } from '../../shared/codec/bytes.ts';
import { TransportRefusal } from '../../shared/gsma/transport-refusal.ts';

const FIRST_GUESS = 16 * 1024;

/**
 * The octets of a body, counted while they come in, in one buffer however small the pieces are; undefined as soon as there
 * are more than `limit`. Refuses with 408 what is not complete within `timeMs` milliseconds, and what its peer left before
 * the end. The request stays open: its socket still carries the answer.
 */
export function readBody(
  request: IncomingMessage,
  limit: number,
  timeMs: number,
): Promise<Bytes | undefined> {
  const announced = Number(request.headers['content-length'] ?? FIRST_GUESS);
  let body = Buffer.allocUnsafe(Math.min(announced, limit));
  let size = 0;
  const { promise, resolve, reject } = Promise.withResolvers<Bytes | undefined>();
  const late = setTimeout(
    () => reject(incomplete(`the body did not come within ${timeMs / 1000} s`)),
    timeMs,
  );
  const onData = (chunk: Buffer) => {
    if (size + chunk.length > limit) {
      resolve(undefined);
      return;
    }
    if (size + chunk.length > body.length) {
      const larger = Buffer.allocUnsafe(Math.min(limit, Math.max(size + chunk.length, body.length * 2)));
      body.copy(larger, 0, 0, size);
      body = larger;
    }
    size += chunk.copy(body, size);
  };
  const onEnd = () => resolve(body.subarray(0, size));
  const onClose = () => {
    // it closes after its end as well, before who waits for that has a turn
    if (!request.readableEnded) reject(incomplete('the peer left before the end of the body'));
  };
  request.on('data', onData).on('end', onEnd).on('close', onClose);
  if (request.destroyed) onClose();
  return promise.finally(() => {
    clearTimeout(late);
    request.off('data', onData).off('end', onEnd).off('close', onClose);
    request.pause();
  });
}

const incomplete = (message: string) => new TransportRefusal(408, 'protocolFormat', message);
