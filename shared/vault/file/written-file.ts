import { closeSync, fstatSync, fsync, openSync, write, writeSync } from 'node:fs';
import { promisify } from 'node:util';
import type { Bytes } from '../../codec/bytes.ts';

const flush = promisify(fsync);
const writeElsewhere = promisify(write);

/** Octets that are written at once; more than that the system may hold up, while it writes what others wrote. */
const AT_ONCE = 64 * 1024;

/**
 * A file that is written, or written over, and flushed. A flush and long writes are left to other threads; opening, closing and
 * short writes are done at once, since handing each of them to another thread and hearing of it takes ten times as long as they do:
 * a pack has four files, and sixteen such calls a file were a tenth of what preparing it took.
 */
export class WrittenFile {
  readonly #fd: number;

  private constructor(fd: number) {
    this.#fd = fd;
  }

  /** A new one, for its owner alone. */
  static create(path: string): WrittenFile {
    return new WrittenFile(openSync(path, 'wx+', 0o600));
  }

  /** One that is there, to be overwritten. */
  static open(path: string): WrittenFile {
    return new WrittenFile(openSync(path, 'r+'));
  }

  get size(): number {
    return fstatSync(this.#fd).size;
  }

  /** How many names it has. */
  get names(): number {
    return fstatSync(this.#fd).nlink;
  }

  /** All of the octets. */
  async write(position: number, octets: Bytes): Promise<void> {
    for (let done = 0; done < octets.length; ) {
      const [length, at] = [octets.length - done, position + done];
      done +=
        length <= AT_ONCE
          ? writeSync(this.#fd, octets, done, length, at)
          : (await writeElsewhere(this.#fd, octets, done, length, at)).bytesWritten;
    }
  }

  /** Resolves once what was written before is on the medium. */
  async sync(): Promise<void> {
    await flush(this.#fd);
  }

  close(): void {
    closeSync(this.#fd);
  }
}
