/** Positions of one order, an octet each: orders have up to ten million. */
export class PositionSet {
  readonly #flags: Uint8Array;

  /** Holds positions below `end`. */
  constructor(end: number) {
    this.#flags = new Uint8Array(end);
  }

  has(position: number): boolean {
    return this.#flags[position] === 1;
  }

  add(position: number): void {
    this.#flags[position] = 1;
  }

  delete(position: number): void {
    this.#flags[position] = 0;
  }

  /** Those that fit, ascending, asked one by one as they are taken. */
  *where(fits: (position: number) => boolean): Generator<number> {
    for (let position = 0; position < this.#flags.length; position++)
      if (this.has(position) && fits(position)) yield position;
  }

  [Symbol.iterator](): Iterator<number> {
    return this.where(() => true);
  }
}
