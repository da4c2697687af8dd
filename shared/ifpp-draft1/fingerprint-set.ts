import type { Bytes } from '../codec/bytes.ts';

const FIRST_CAPACITY = 1 << 12;

/**
 * A set of hashes, of which it keeps the first eight octets: 16 to 32 octets of memory each, where a Set of strings
 * takes a hundred. Two different hashes of a million are taken for one with a probability of 3 in 10^8.
 */
export class FingerprintSet {
  #high = new Uint32Array(FIRST_CAPACITY);
  #low = new Uint32Array(FIRST_CAPACITY);
  #size = 0;

  /** False if it was there already. `hash`: uniformly distributed, eight octets or more. */
  add(hash: Bytes): boolean {
    if (this.#size * 2 >= this.#high.length) this.#grow();
    const view = new DataView(hash.buffer, hash.byteOffset, 8);
    // all zero marks a free place
    const added = this.#insert(view.getUint32(0), view.getUint32(4) || 1);
    if (added) this.#size += 1;
    return added;
  }

  #insert(high: number, low: number): boolean {
    const mask = this.#high.length - 1;
    for (let place = high & mask; ; place = (place + 1) & mask) {
      if (this.#low[place] === 0) {
        this.#high[place] = high;
        this.#low[place] = low;
        return true;
      }
      if (this.#high[place] === high && this.#low[place] === low) return false;
    }
  }

  #grow(): void {
    const [high, low] = [this.#high, this.#low];
    this.#high = new Uint32Array(high.length * 2);
    this.#low = new Uint32Array(low.length * 2);
    for (let place = 0; place < low.length; place++)
      if (low[place] !== 0) this.#insert(high[place]!, low[place]!);
  }
}
