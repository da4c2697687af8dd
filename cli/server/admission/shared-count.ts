/** A number that threads of one process share. */
export class SharedCount {
  /** What another thread makes the same count of. */
  readonly memory: SharedArrayBuffer;
  readonly #value: Int32Array;

  constructor(memory = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)) {
    this.memory = memory;
    this.#value = new Int32Array(memory);
  }

  get value(): number {
    return Atomics.load(this.#value, 0);
  }

  add(difference: number): void {
    Atomics.add(this.#value, 0, difference);
  }
}
