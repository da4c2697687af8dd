/**
 * Numbers below 2^64, such as ICCIDs without their Luhn digit, with the row that has each: in two flat arrays of 18 to 36
 * octets per expected entry, so that ten million rows cost no more than that.
 */
export class NumberRows {
  readonly #numbers: BigUint64Array;
  readonly #rows: Uint32Array;
  readonly #mask: bigint;

  constructor(expected: number) {
    const slots = 2 ** Math.ceil(Math.log2(Math.max(16, expected * 1.5)));
    this.#numbers = new BigUint64Array(slots);
    this.#rows = new Uint32Array(slots);
    this.#mask = BigInt(slots - 1);
  }

  /** Takes the row (from 1) of a number down; the row that has the number already, if one has. */
  add(number: bigint, row: number): number | undefined {
    // neighbouring numbers are the rule: multiply by 2^64 divided by the golden ratio to spread them
    let slot = Number((BigInt.asUintN(64, number * 0x9e3779b97f4a7c15n) >> 20n) & this.#mask);
    while (this.#rows[slot] !== 0) {
      if (this.#numbers[slot] === number) return this.#rows[slot];
      slot = (slot + 1) % this.#rows.length;
    }
    this.#numbers[slot] = number;
    this.#rows[slot] = row;
    return undefined;
  }
}
