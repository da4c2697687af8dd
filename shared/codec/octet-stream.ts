import type { Bytes } from './bytes.ts';

const NOTHING = Buffer.alloc(0);

/** Octets that arrive in chunks, read from front to end with no more than a few chunks in memory. */
export class OctetStream {
  readonly #source: AsyncIterator<Bytes>;
  readonly #onRead: ((octets: Bytes) => void) | undefined;
  #buffer: Bytes = NOTHING;
  #at = 0;
  #offset = 0;
  #ended = false;

  /** `onRead` sees all octets that are read, in their order. */
  constructor(source: AsyncIterable<Bytes>, onRead?: (octets: Bytes) => void) {
    this.#source = source[Symbol.asyncIterator]();
    this.#onRead = onRead;
  }

  /** Octets read so far. */
  get offset(): number {
    return this.#offset;
  }

  /** What is in memory and not read yet. */
  get buffered(): Bytes {
    return this.#buffer.subarray(this.#at);
  }

  get bufferedLength(): number {
    return this.#buffer.length - this.#at;
  }

  /** Waits until `count` octets are in memory; fewer are there afterwards only at the end. */
  async fill(count: number): Promise<void> {
    while (this.bufferedLength < count && !this.#ended) {
      const { value, done } = await this.#source.next();
      if (done === true) this.#ended = true;
      else {
        this.#buffer = this.bufferedLength === 0 ? value : Buffer.concat([this.buffered, value]);
        this.#at = 0;
      }
    }
  }

  /** Reads past octets that are in memory. */
  take(count: number): Bytes {
    const taken = this.#buffer.subarray(this.#at, this.#at + count);
    this.#at += taken.length;
    this.#offset += taken.length;
    this.#onRead?.(taken);
    return taken;
  }

  /** Reads past `count` octets, or to the end if that comes first; returns how many were missing. */
  async skip(count: number): Promise<number> {
    let left = count;
    for (;;) {
      left -= this.take(left).length;
      if (left === 0) return 0;
      await this.fill(1);
      if (this.bufferedLength === 0) return left;
    }
  }
}
