import { type Bytes, concat, utf8 } from '../codec/bytes.ts';
import type { WrapContext } from './provider.ts';

const LABEL = utf8('smdpf data key v1\0');

/**
 * The authenticated data of a wrapped data key, for backends that take octets: the label, then for each entry,
 * sorted by the octets of its name, name and value, each as a length of 4 octets (big-endian) and its UTF-8.
 * No two contexts have the same encoding.
 */
export function encodeWrapContext(context: WrapContext): Bytes {
  const entries = Object.entries(context)
    .map(([name, value]) => [utf8(name), utf8(value)] as const)
    .sort(([a], [b]) => Buffer.compare(a, b));
  return concat(LABEL, ...entries.flat().flatMap((octets) => [length(octets), octets]));
}

function length(octets: Bytes): Bytes {
  const prefix = Buffer.alloc(4);
  prefix.writeUInt32BE(octets.length);
  return prefix;
}
