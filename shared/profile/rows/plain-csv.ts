import type { Bytes } from '../../codec/bytes.ts';

/**
 * Lines of CSV that are nothing but values and commas, each ended by LF: without quotes, carriage returns, blanks or
 * anything beyond printable ASCII, so that there is one way only to read them.
 */

const LF = 0x0a;
const QUOTE = 0x22;
/** Most octets of a line that is read here. */
const LIMIT = 64 * 1024;

/** How many octets from the front are whole plain lines; all of them where the last has no end and nothing else is wrong. */
export function plainUpTo(octets: Bytes): number {
  let line = 0;
  for (let at = 0; at < octets.length; at++) {
    const octet = octets[at]!;
    if (octet === LF) line = at + 1;
    else if (octet <= 0x20 || octet >= 0x7f || octet === QUOTE || at - line >= LIMIT) return line;
  }
  return octets.length;
}

/** The values of a plain line; undefined of an empty one. */
export function plainRecord(octets: Bytes, from: number, end: number): readonly string[] | undefined {
  if (from === end) return undefined;
  return Buffer.from(octets.buffer, octets.byteOffset + from, end - from)
    .toString('latin1')
    .split(',');
}
