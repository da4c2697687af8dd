import { refuse } from '../errors.ts';
import type { Bytes } from './bytes.ts';

/**
 * BIT STRING with named bits (X.690 sections 8.6 and 11.2.2): the first content octet counts the unused bits of the
 * last one; bit 0 is the highest bit of the first octet after it.
 */

/** Content octets of the named bits, in DER: no zero bits at the end, none at all as a single 00. */
export function encodeBits(bits: Iterable<number>): Bytes {
  const positions = [...bits];
  const highest = Math.max(-1, ...positions);
  const octets = Buffer.alloc(1 + Math.ceil((highest + 1) / 8));
  octets[0] = (octets.length - 1) * 8 - (highest + 1);
  for (const bit of positions) octets[1 + (bit >> 3)]! |= 0x80 >> (bit & 7);
  return octets;
}

/**
 * Numbers of the bits that are set, ascending. Zero bits at the end are tolerated (eUICCs send them, and BER allows
 * it); an impossible count of unused bits and unused bits that are set are refused. At most `limit` bits.
 */
export function decodeBits(octets: Bytes, name: string, limit = 128): number[] {
  const unused = octets[0];
  if (unused === undefined || unused > 7 || (unused > 0 && octets.length === 1))
    refuse('protocolFormat', `${name} is not a bit string`);
  if ((octets.length - 1) * 8 > limit) refuse('protocolFormat', `${name} has more than ${limit} bits`);
  if (octets.length > 1 && octets.at(-1)! & ((1 << unused) - 1))
    refuse('protocolFormat', `${name} has unused bits that are set`);
  const bits: number[] = [];
  for (let i = 0; i < (octets.length - 1) * 8; i++)
    if (octets[1 + (i >> 3)]! & (0x80 >> (i & 7))) bits.push(i);
  return bits;
}

/** Names of the set bits; a bit without a name is refused. */
export function decodeNamedBits<Name extends string>(
  octets: Bytes,
  names: readonly Name[],
  name: string,
): Name[] {
  return decodeBits(octets, name).map(
    (bit) => names[bit] ?? refuse('protocolFormat', `${name} has bit ${bit} set, which has no meaning`),
  );
}

export function encodeNamedBits<Name extends string>(set: readonly Name[], names: readonly Name[]): Bytes {
  return encodeBits(
    set.map((name) => {
      const bit = names.indexOf(name);
      if (bit < 0) throw new RangeError(`no bit is called ${name}`);
      return bit;
    }),
  );
}
