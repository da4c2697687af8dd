import type { Bytes } from '../shared/codec/bytes.ts';

/** Everything random of a simulation, the same for the same seed (mulberry32): it decides, it protects nothing. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** A whole number from 0 up to 2^32 − 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return (t ^ (t >>> 14)) >>> 0;
  }

  below(limit: number): number {
    return this.next() % limit;
  }

  chance(probability: number): boolean {
    return this.next() < probability * 2 ** 32;
  }

  pick<T>(of: readonly T[]): T {
    const one = of[this.below(of.length)];
    if (one === undefined) throw new RangeError('nothing to choose from');
    return one;
  }

  octets(length: number): Bytes {
    const octets = new Uint8Array(length);
    for (let i = 0; i < length; i += 4) {
      const word = this.next();
      for (let j = i; j < Math.min(i + 4, length); j++) octets[j] = word >>> (8 * (j - i));
    }
    return octets;
  }
}

/** A seed for a part, from that of the whole and the number of the part. */
export const seedOf = (seed: number, part: number): number =>
  new Random(Math.imul(seed | 0, 0x9e3779b1) ^ Math.imul(part + 1, 0x85ebca6b)).next();
