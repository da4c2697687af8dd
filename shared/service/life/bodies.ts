import { createHash } from 'node:crypto';
import type { Bytes } from '../../codec/bytes.ts';
import { rangeHashes, rangeHashesOf } from '../../vault/range-hash.ts';
import type { ByteRange, ObjectRef } from '../../vault/vault.ts';
import type { Context } from '../context.ts';
import { readChecked, readStretch, readWhole, streamWhole } from './checked-reads.ts';

type Stores = Pick<Context, 'vault' | 'log'>;

/**
 * What a call is about, as it came: in the call itself, or as an upload that is read where it lies and that nobody ever holds as a
 * whole.
 */
export interface Body {
  /** Octets. */
  readonly size: number;
  /** Lower-case hexadecimal, 64 characters. */
  readonly sha256: string;
  /** From the first octet to the last, of which the last comes only where all are those that were sent. */
  stream(): AsyncIterable<Bytes>;
  /** A stretch that is held as a whole, and not checked by itself: what it is read for is checked by other means. */
  stretch(range: ByteRange): Promise<Bytes>;
  /** The stretches between neighbours of `offsets`, which ascend, one after the other; each is what was sent. */
  stretches(offsets: readonly number[]): AsyncIterable<Bytes>;
  /** Hashes of the same: vault/range-hash.ts. */
  hashes(offsets: readonly number[]): Promise<Bytes>;
  /** Puts it under a name of its own, whatever becomes of the upload. */
  store(name: string): Promise<ObjectRef>;
}

/** Its octets, where they fit into a call, also of an upload that would have; or the upload that they lie in. */
export type Received =
  | { readonly body: Body; readonly octets: Bytes; readonly upload?: never }
  | { readonly body: Body; readonly octets?: never; readonly upload: ObjectRef };

/** What was sent. */
export async function receivedBody(
  context: Stores & Pick<Context, 'settings'>,
  sent: Bytes | ObjectRef,
): Promise<Received> {
  if (!(sent instanceof Uint8Array) && sent.size > context.settings.inlineLimit)
    return { body: storedBody(context, sent), upload: sent };
  const octets = sent instanceof Uint8Array ? sent : await readWhole(context, sent);
  return { body: inlineBody(context, octets), octets };
}

function inlineBody({ vault }: Stores, octets: Bytes): Body {
  const part = (start: number, end: number) => octets.subarray(start, end);
  return {
    size: octets.length,
    sha256: createHash('sha256').update(octets).digest('hex'),
    async *stream() {
      yield octets;
    },
    stretch: async ({ offset, length }) => part(offset, offset + length),
    async *stretches(offsets) {
      for (const [i, end] of offsets.slice(1).entries()) yield part(offsets[i]!, end);
    },
    hashes: async (offsets) => rangeHashes(octets, offsets),
    store: (name) => vault.put(name, octets),
  };
}

/** What lies in the vault already, and is read there. */
export function storedBody(stores: Stores, ref: ObjectRef): Body {
  const { vault } = stores;
  const stream = () => streamWhole(stores, ref);
  const hashes = (offsets: readonly number[]) => rangeHashesOf(stream(), offsets);
  return {
    size: ref.size,
    sha256: ref.sha256,
    stream,
    stretch: (range) => readStretch(stores, ref, range),
    async *stretches(offsets) {
      const ranges = { offsets, hashes: await hashes(offsets) };
      for (let i = 0; i + 1 < offsets.length; i++) yield await readChecked(stores, ref, ranges, i);
    },
    hashes,
    store: (name) => vault.putStream(name, stream()),
  };
}

/** The octets of a range of a body, piece by piece. */
export async function* streamOf(
  body: Pick<Body, 'stream'>,
  { offset, length }: ByteRange,
): AsyncGenerator<Bytes> {
  let at = 0;
  // to the end of it, since only then it is known that all of them are those that were sent
  for await (const piece of body.stream()) {
    const from = Math.min(piece.length, Math.max(0, offset - at));
    const to = Math.min(piece.length, Math.max(0, offset + length - at));
    at += piece.length;
    if (to > from) yield piece.subarray(from, to);
  }
}
