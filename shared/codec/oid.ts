import { refuse } from '../errors.ts';
import type { Bytes } from './bytes.ts';

/** Content octets of an OBJECT IDENTIFIER (X.690 section 8.19), without tag and length. */
export function encodeOid(dotted: string): Bytes {
  if (!/^[0-2](?:\.(?:0|[1-9][0-9]{0,14}))+$/.test(dotted))
    throw new RangeError(`not an object identifier: ${dotted}`);
  const [first, second, ...rest] = dotted.split('.').map(Number) as [number, number, ...number[]];
  if (first < 2 && second > 39) throw new RangeError(`not an object identifier: ${dotted}`);
  const octets: number[] = [];
  for (const arc of [first * 40 + second, ...rest]) {
    const groups = [arc % 128];
    for (let value = Math.floor(arc / 128); value > 0; value = Math.floor(value / 128))
      groups.unshift((value % 128) | 0x80);
    octets.push(...groups);
  }
  return Buffer.from(octets);
}

/** Dotted form; refuses empty, cut off, non-minimal and oversized arcs. */
export function decodeOid(octets: Bytes): string {
  const arcs: number[] = [];
  let arc = 0;
  let fresh = true;
  for (const octet of octets) {
    if (fresh && octet === 0x80)
      refuse('protocolFormat', 'an object identifier has an arc that is not minimal');
    arc = arc * 128 + (octet & 0x7f);
    if (arc > 2 ** 48) refuse('protocolFormat', 'an object identifier has an oversized arc');
    fresh = (octet & 0x80) === 0;
    if (fresh) {
      if (arcs.length === 0) {
        const root = Math.min(2, Math.floor(arc / 40));
        arcs.push(root, arc - root * 40);
      } else arcs.push(arc);
      arc = 0;
    }
  }
  if (!fresh || arcs.length === 0) refuse('protocolFormat', 'an object identifier is cut off');
  return arcs.join('.');
}
