import { type Bytes, concat, utf8 } from '../codec/bytes.ts';
import { Fault } from '../errors.ts';

/** A wrapped data key and the key that wrapped it, so that several wrapping keys can be in use at once. */
export interface WrappedKey {
  /** URI of the wrapping key. */
  readonly keyUri: string;
  /** As the backend of that key gave it. */
  readonly wrapped: Bytes;
}

const VERSION = 0x01;
const HEAD_LENGTH = 3;

/** 01, the length of the URI (2 octets, big-endian), the URI in UTF-8, the wrapped form. */
export function encodeWrappedKey({ keyUri, wrapped }: WrappedKey): Bytes {
  const uri = utf8(keyUri);
  const head = Buffer.alloc(HEAD_LENGTH);
  head[0] = VERSION;
  head.writeUInt16BE(uri.length, 1);
  return concat(head, uri, wrapped);
}

export function decodeWrappedKey(octets: Bytes): WrappedKey {
  const stored = Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength);
  const end = stored.length < HEAD_LENGTH ? 0 : HEAD_LENGTH + stored.readUInt16BE(1);
  if (stored[0] !== VERSION || end <= HEAD_LENGTH || end >= stored.length) {
    throw new Fault('vault', 'a stored data key is not in the form in which data keys are stored');
  }
  return { keyUri: stored.toString('utf8', HEAD_LENGTH, end), wrapped: stored.subarray(end) };
}
