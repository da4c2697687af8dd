import { closeSync, fdatasync, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import { promisify } from 'node:util';
import type { Bytes } from '../../codec/bytes.ts';
import { Fault } from '../../errors.ts';
import { isCode } from '../durable-files.ts';

const flush = promisify(fdatasync);
/** Resolves behind every promise that is settled now, and before anything that a later turn of the loop does. */
const settled = () => new Promise<void>((resolve) => process.nextTick(resolve));

/** Files that are kept open between calls. */
const LIMIT = 128;

/** A file that stays open while somebody uses it. Reads and writes are small, and done at once. */
class OpenFile {
  readonly fd: number;
  #users = 0;
  #isForgotten = false;
  #flushing: Promise<unknown> = Promise.resolve();
  #next: Promise<void> | undefined;

  constructor(fd: number) {
    this.fd = fd;
  }

  /** Whether it still has a name. */
  get isThere(): boolean {
    return fstatSync(this.fd).nlink > 0;
  }

  /** Exactly `length` octets; a Fault if the file ends before. */
  read(position: number, length: number): Bytes {
    const content = Buffer.allocUnsafeSlow(length);
    for (let done = 0; done < length; ) {
      const count = readSync(this.fd, content, done, length - done, position + done);
      if (count === 0) throw new Fault('vault', 'a file of the vault is shorter than it says itself');
      done += count;
    }
    return content;
  }

  write(position: number, content: Bytes): void {
    for (let done = 0; done < content.length; )
      done += writeSync(this.fd, content, done, content.length - done, position + done);
  }

  /**
   * Resolves once what was written before is on the medium. Those who ask while a flush is under way, which may miss what
   * they wrote, share the next one. It begins behind all promises that are settled now, so that those whom one commit of a
   * group lets go on share it too: each is handed to another thread, which costs more than what it flushes.
   */
  async sync(): Promise<void> {
    this.#users += 1;
    this.#next ??= this.#flushing.then(settled).then(() => {
      this.#next = undefined;
      const flushed = flush(this.fd);
      this.#flushing = flushed.catch(() => undefined);
      return flushed;
    });
    try {
      await this.#next;
    } finally {
      this.#users -= 1;
      this.#closeIfUnused();
    }
  }

  forget(): void {
    this.#isForgotten = true;
    this.#closeIfUnused();
  }

  #closeIfUnused(): void {
    if (this.#isForgotten && this.#users === 0) closeSync(this.fd);
  }
}

export type { OpenFile };

/**
 * Files that are read again and again, such as those of the pack that a factory draws from, kept open: opening and closing
 * costs more than what is read. One that was removed, by whomever, is opened by its name again.
 */
export class OpenFiles {
  readonly #flags: 'r' | 'r+';
  /** By path; the one that was used last comes last. */
  readonly #files = new Map<string, OpenFile>();

  constructor(flags: 'r' | 'r+') {
    this.#flags = flags;
  }

  /** Undefined where there is no such file. To be used before anything else is waited for. */
  find(path: string): OpenFile | undefined {
    const known = this.#files.get(path);
    this.#files.delete(path);
    if (known?.isThere === true) {
      this.#files.set(path, known);
      return known;
    }
    known?.forget();
    try {
      const file = new OpenFile(openSync(path, this.#flags));
      this.#files.set(path, file);
      if (this.#files.size > LIMIT) this.forget(this.#files.keys().next().value!);
      return file;
    } catch (error) {
      if (isCode(error, 'ENOENT')) return undefined;
      throw error;
    }
  }

  forget(path: string): void {
    this.#files.get(path)?.forget();
    this.#files.delete(path);
  }

  close(): void {
    for (const path of [...this.#files.keys()]) this.forget(path);
  }
}
