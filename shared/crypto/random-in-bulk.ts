import type { Bytes } from '../codec/bytes.ts';

const BULK = 8192;

/**
 * Randomness for a piece of work that needs much of it in small pieces: drawn in bulk, each octet given out once, as a
 * view that belongs to whoever asked. Opening the generator of node:crypto costs more than a key's octets.
 */
export function randomInBulk(random: (octets: number) => Bytes): (octets: number) => Bytes {
  let bulk: Bytes = new Uint8Array(0);
  let at = 0;
  return (octets) => {
    if (octets > BULK) return random(octets);
    if (at + octets > bulk.length) {
      bulk = random(BULK);
      at = 0;
    }
    at += octets;
    return bulk.subarray(at - octets, at);
  };
}
