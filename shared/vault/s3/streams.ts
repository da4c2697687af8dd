import type { Bytes } from '../../codec/bytes.ts';

/** Octets of one part of a multipart upload, and of what is held in memory of a stream (S3's minimum is 5 MiB). */
const PART_LENGTH = 8 * 1024 * 1024;

/** The octets of a stream in parts of PART_LENGTH, the last one shorter. */
export async function* inParts(body: AsyncIterable<Bytes>): AsyncGenerator<Bytes> {
  let held: Bytes[] = [];
  let length = 0;
  for await (const chunk of body) {
    for (let start = 0; start < chunk.length; ) {
      const piece = chunk.subarray(start, start + PART_LENGTH - length);
      held.push(piece);
      length += piece.length;
      start += piece.length;
      if (length < PART_LENGTH) continue;
      yield Buffer.concat(held);
      held = [];
      length = 0;
    }
  }
  if (length > 0) yield Buffer.concat(held);
}

export async function* hashing(
  parts: AsyncIterable<Bytes>,
  hash: { update(octets: Bytes): void },
): AsyncGenerator<Bytes> {
  for await (const part of parts) {
    hash.update(part);
    yield part;
  }
}

export async function* prepend(first: readonly Bytes[], rest: AsyncIterable<Bytes>): AsyncGenerator<Bytes> {
  yield* first;
  yield* rest;
}
