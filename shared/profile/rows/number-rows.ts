/** A number of up to 25 decimal digits in two: its last nine and those before, or 80 bits as 48 and 32. */
export interface SplitNumber {
  /** Below 2^53. */
  readonly high: number;
  /** Below 2^32. */
  readonly low: number;
}

/**
 * Numbers such as ICCIDs without their Luhn digit, with the row that has each: in flat arrays of 24 to 48 octets per expected
 * entry, so that ten million rows cost no more than that. In two parts each, since a BigInt is made anew by every step.
 */
export class NumberRows {
  readonly #high: Float64Array;
  readonly #low: Uint32Array;
  readonly #rows: Uint32Array;
  readonly #mask: number;

  constructor(expected: number) {
    const slots = 2 ** Math.ceil(Math.log2(Math.max(16, expected * 1.5)));
    this.#high = new Float64Array(slots);
    this.#low = new Uint32Array(slots);
    this.#rows = new Uint32Array(slots);
    this.#mask = slots - 1;
  }

  /** Takes the row (from 1) of a number down; the row that has the number already, if one has. */
  add({ high, low }: SplitNumber, row: number): number | undefined {
    // neighbouring numbers are the rule: multiply by 2^32 divided by the golden ratio to spread them
    const mixed = Math.imul(low ^ Math.imul(high | 0, 0x85ebca6b), 0x9e3779b1);
    let slot = (mixed ^ (mixed >>> 15)) & this.#mask;
    while (this.#rows[slot] !== 0) {
      if (this.#low[slot] === low && this.#high[slot] === high) return this.#rows[slot];
      slot = (slot + 1) & this.#mask;
    }
    this.#high[slot] = high;
    this.#low[slot] = low;
    this.#rows[slot] = row;
    return undefined;
  }
}
