import { createHash, randomBytes } from 'node:crypto';
import { closeSync, fsync, linkSync, mkdirSync, openSync, rmSync, statSync } from 'node:fs';
import { type FileHandle, open, readdir, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { Bytes } from '../codec/bytes.ts';
import { Fault } from '../errors.ts';
import { WrittenFile } from './file/written-file.ts';

/**
 * Files that appear whole or not at all and survive a power cut: written under a temporary name, flushed, then
 * linked to their own name, and the folder flushed too. What takes no longer than to hand it to another thread is done at once
 * (file/written-file.ts); flushes are waited for.
 */

/** Leftovers older than this are removed even where their writer cannot be looked up. */
const LEFTOVER_AGE_MS = 24 * 60 * 60 * 1000;

export function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

const flush = promisify(fsync);

async function flushFolder(folder: string): Promise<void> {
  const fd = openSync(folder, 'r');
  try {
    await flush(fd);
  } finally {
    closeSync(fd);
  }
}

/** Creates the folder and those above it, each durable before the call returns. */
export async function makeFolder(folder: string): Promise<void> {
  const first = mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  for (let path = folder; path !== dirname(first); path = dirname(path)) await flushFolder(dirname(path));
}

/** A folder that is gone was removed by somebody else who removed the file, and flushed that before. */
export async function removeFile(path: string): Promise<void> {
  rmSync(path, { force: true });
  await flushFolder(dirname(path)).catch((error: unknown) => {
    if (!isCode(error, 'ENOENT')) throw error;
  });
}

/** A folder of files that are not finished yet, shared by any number of processes and threads. */
export class TemporaryFiles {
  readonly #folder: string;
  readonly #host = createHash('sha256').update(hostname()).digest('hex').slice(0, 12);

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** Opens the folder and removes what dead writers left in it, after `wipe` where that holds secrets. */
  static async open(folder: string, wipe?: (file: WrittenFile) => Promise<void>): Promise<TemporaryFiles> {
    await makeFolder(folder);
    const files = new TemporaryFiles(folder);
    for (const name of await readdir(folder)) {
      if (await files.#isLeftover(name)) await discard(join(folder, name), wipe);
    }
    return files;
  }

  /** Runs `work` with a new empty file, and removes its temporary name afterwards in any case. */
  async use<Result>(work: (file: WrittenFile, path: string) => Promise<Result>): Promise<Result> {
    const path = join(this.#folder, `${this.#host}.${process.pid}.${randomBytes(12).toString('hex')}`);
    const file = WrittenFile.create(path);
    try {
      return await work(file, path);
    } finally {
      file.close();
      rmSync(path, { force: true });
    }
  }

  async #isLeftover(name: string): Promise<boolean> {
    const [host, pid] = name.split('.');
    const writtenMs = await stat(join(this.#folder, name)).then(
      ({ mtimeMs }) => mtimeMs,
      () => undefined,
    );
    if (writtenMs === undefined) return false;
    if (Date.now() - writtenMs > LEFTOVER_AGE_MS) return true;
    // A process of another host cannot be asked whether it lives.
    if (host !== this.#host) return false;
    const startedMs = Date.now() - process.uptime() * 1000;
    // In a container every life of the server may have the same process id.
    return Number(pid) === process.pid ? writtenMs < startedMs : !isAlive(Number(pid));
  }
}

async function discard(path: string, wipe?: (file: WrittenFile) => Promise<void>): Promise<void> {
  const file = wipe === undefined ? undefined : ifThere(() => WrittenFile.open(path));
  if (file !== undefined) {
    try {
      // A crash between the two names of a finished file: the content is in use under the other one.
      if (file.names === 1) await wipe?.(file);
    } finally {
      file.close();
    }
  }
  rmSync(path, { force: true });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return isCode(error, 'EPERM');
  }
}

/**
 * Gives a flushed temporary file its name. False if the name is taken; the check and the naming are one step,
 * also between processes.
 */
export async function linkNew(temporaryPath: string, path: string): Promise<boolean> {
  for (;;) {
    try {
      linkSync(temporaryPath, path);
      await flushFolder(dirname(path));
      return true;
    } catch (error) {
      if (isCode(error, 'EEXIST')) return false;
      // The folder is missing at first, and again where a removal of the last version took it away.
      if (!isCode(error, 'ENOENT')) throw error;
      statSync(temporaryPath);
      await makeFolder(dirname(path));
    }
  }
}

/** Exactly `length` octets; a Fault if the file ends before. */
export async function readExactly(file: FileHandle, position: number, length: number): Promise<Bytes> {
  const content = Buffer.allocUnsafeSlow(length);
  for (let done = 0; done < length; ) {
    const { bytesRead } = await file.read(content, done, length - done, position + done);
    if (bytesRead === 0) throw new Fault('vault', 'a file of the vault is shorter than it says itself');
    done += bytesRead;
  }
  return content;
}

/** What the call gives; undefined where the file or folder that it is about is not there. */
export function ifThere<Result>(call: () => Result): Result | undefined {
  try {
    return call();
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

export async function openExisting(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

export async function entriesOf(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isCode(error, 'ENOENT')) return [];
    throw error;
  }
}

/** Too many open files, a full or busy disk, one that could not be read or written: the same call may succeed later. */
const RETRYABLE = new Set([
  'ENOSPC',
  'EDQUOT',
  'EMFILE',
  'ENFILE',
  'ENOMEM',
  'EAGAIN',
  'EBUSY',
  'EIO',
  'EROFS',
]);
const FILE_CALLS = new Set([
  'open',
  'read',
  'write',
  'fsync',
  'fdatasync',
  'link',
  'unlink',
  'mkdir',
  'rmdir',
  'rm',
  'stat',
  'scandir',
  'close',
]);
const CONNECTION_ERRORS = new Set(['ECONNRESET', 'EPIPE', 'ETIMEDOUT']);

/** Runs `work`; an error of the file system becomes a Fault, others (a body that breaks off) pass as they are. */
export async function guarded<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Error && 'syscall' in error && 'code' in error)) throw error;
    const [call, code] = [String(error.syscall), String(error.code)];
    if (!FILE_CALLS.has(call) || CONNECTION_ERRORS.has(code)) throw error;
    const message = `the vault folder failed: ${code} in ${call}`;
    throw new Fault('vault', message, { cause: error, retryable: RETRYABLE.has(code) });
  }
}
