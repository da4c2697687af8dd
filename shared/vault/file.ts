import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { type FileHandle, rmdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { countRead } from '../call-cost.ts';
import type { Bytes } from '../codec/bytes.ts';
import { Fault, invariant } from '../errors.ts';
import { present } from '../present.ts';
import {
  entriesOf,
  guarded,
  ifThere,
  isCode,
  linkNew,
  makeFolder,
  openExisting,
  readExactly,
  removeFile,
  TemporaryFiles,
} from './durable-files.ts';
import {
  damaged,
  gone,
  HEADER_LENGTH,
  makeHeader,
  one,
  parseHeader,
  readHeader,
  type Stored,
  sha256,
  writeContent,
} from './file/object-file.ts';
import { OpenFiles } from './file/open-files.ts';
import { SmallObjects } from './file/small-objects.ts';
import { ForwardClock } from './forward-clock.ts';
import { checkName, checkPrefix, fromFileName, isSmall, toFileName } from './names.ts';
import { type Claim, type Transfer, type TransferGate, TransferSigner } from './transfer.ts';
import {
  type ByteRange,
  checkRange,
  type LinkHolder,
  type ObjectRef,
  type PutOptions,
  type UploadLink,
  type Vault,
} from './vault.ts';

export interface FileVaultOptions {
  /** Where the embedded server answers, without a slash at the end: `https://smdpf.example:8443`. */
  readonly baseUrl: string;
  /** At least 32 random octets, the same for all that share the folder. */
  readonly transferSecret: Bytes;
  readonly clock?: () => Date;
}

const VERSION = /^[0-9]{8}$/;
const CHUNK_LENGTH = 256 * 1024;
/** What is read at once, while nothing else happens. */
const AT_ONCE = 64 * 1024;
/** Beside the folder of objects. */
export const SMALL_OBJECTS = 'small-objects.sqlite';

/**
 * The embedded vault: a folder per object name with a file per version, `objects/packs/7f3a/000001@/00000001`. A
 * version file is one header line of 128 octets and the content; it appears whole, durable and for good through
 * link(2), so that processes and threads share the folder without locks. Small objects of which many come at once are in
 * a database beside it (file/small-objects.ts).
 */
export class FileVault implements Vault, TransferGate {
  readonly #objects: string;
  readonly #small: SmallObjects;
  readonly #open = new OpenFiles('r');
  readonly #temporary: TemporaryFiles;
  readonly #baseUrl: string;
  readonly #signer: TransferSigner;
  readonly #clock: () => Date;
  readonly #forward = new ForwardClock();

  private constructor(
    objects: string,
    small: SmallObjects,
    temporary: TemporaryFiles,
    options: FileVaultOptions,
  ) {
    this.#objects = objects;
    this.#small = small;
    this.#temporary = temporary;
    this.#baseUrl = options.baseUrl.replace(/\/$/, '');
    this.#signer = new TransferSigner(options.transferSecret);
    this.#clock = options.clock ?? (() => new Date());
  }

  /** Opens or creates the folder and removes what interrupted writers left. */
  static async open(folder: string, options: FileVaultOptions): Promise<FileVault> {
    return guarded(async () => {
      const root = resolve(folder);
      await makeFolder(join(root, 'objects'));
      const temporary = await TemporaryFiles.open(join(root, 'tmp'));
      const small = await SmallObjects.open(join(root, SMALL_OBJECTS));
      return new FileVault(join(root, 'objects'), small, temporary, options);
    });
  }

  async put(name: string, body: Bytes, options: PutOptions = {}): Promise<ObjectRef> {
    if (isSmall(checkName(name))) return await this.#small.put(name, body, options.lock ?? false);
    return this.#store(name, one(body), { lock: options.lock ?? false });
  }

  async putStream(name: string, body: AsyncIterable<Bytes>): Promise<ObjectRef> {
    if (!isSmall(name)) return this.#store(name, body, { lock: false });
    const chunks: Uint8Array[] = [];
    for await (const chunk of body) chunks.push(Buffer.from(chunk));
    return await this.put(name, Buffer.concat(chunks));
  }

  async get(ref: ObjectRef, range?: ByteRange): Promise<Bytes> {
    const { offset, length } = checkRange(ref, range);
    countRead(length);
    if (isSmall(checkName(ref.name))) {
      const body = this.#small.get(ref) ?? gone(ref.name);
      return body.subarray(offset, offset + length);
    }
    if (range !== undefined && length <= AT_ONCE)
      return guarded(async () => this.#readAtOnce(ref, HEADER_LENGTH + offset, length));
    return guarded(() =>
      this.#reading(ref, async (file) => {
        const content = await readExactly(file, HEADER_LENGTH + offset, length);
        if (range === undefined && sha256(content) !== ref.sha256) damaged(ref.name);
        return content;
      }),
    );
  }

  getStream(ref: ObjectRef): AsyncIterable<Bytes> {
    return this.#stream(ref);
  }

  async head(name: string): Promise<ObjectRef | undefined> {
    checkName(name);
    countRead(0);
    if (isSmall(name)) return this.#small.head(name);
    return guarded(async () => (await this.#newest(name))?.ref);
  }

  async *list(prefix: string): AsyncIterable<ObjectRef> {
    for await (const name of this.names(prefix)) {
      const ref = await this.head(name);
      if (ref !== undefined) yield ref;
    }
  }

  async *names(prefix: string): AsyncIterable<string> {
    checkPrefix(prefix);
    const small = this.#small.names(prefix);
    let next = small.next();
    if (!isSmall(prefix))
      for await (const name of this.#names(prefix.slice(0, prefix.lastIndexOf('/') + 1), prefix)) {
        for (; !next.done && next.value < name; next = small.next()) yield next.value;
        yield name;
      }
    for (; !next.done; next = small.next()) yield next.value;
  }

  async remove(name: string): Promise<void> {
    if (isSmall(checkName(name))) return await this.#small.remove(name);
    await guarded(async () => {
      const folder = this.#folder(name);
      for (const version of this.#versions(name)) {
        const stored = await this.#read(name, version);
        if (stored !== undefined && !stored.locked) await removeFile(join(folder, version));
      }
      await rmdir(folder).catch((error: unknown) => {
        if (!isCode(error, 'ENOTEMPTY') && !isCode(error, 'EEXIST') && !isCode(error, 'ENOENT')) throw error;
      });
    });
  }

  async downloadUrl(ref: ObjectRef, seconds: number, holder?: LinkHolder): Promise<string> {
    const { version, size, sha256 } = ref;
    return this.#url({
      operation: 'download',
      ref: { name: checkName(ref.name), version, size, sha256 },
      expiresAtSeconds: this.#expiry(seconds),
      ...present({ holder }),
    });
  }

  async uploadLink(
    name: string,
    content: { readonly size: number; readonly sha256: string },
    seconds: number,
    holder?: LinkHolder,
  ): Promise<UploadLink> {
    const { size, sha256 } = content;
    invariant(Number.isSafeInteger(size) && size >= 0, 'the size of an upload is a number of octets');
    invariant(!isSmall(name), 'what is stored with each bind is not uploaded');
    invariant(/^[0-9a-f]{64}$/.test(sha256), 'the SHA-256 of an upload is 64 lower-case hexadecimal digits');
    const url = this.#url({
      operation: 'upload',
      name: checkName(name),
      size,
      sha256,
      expiresAtSeconds: this.#expiry(seconds),
      ...present({ holder }),
    });
    // what is to come stands in the link itself
    return { url, headers: {} };
  }

  openTransfer(token: string, now: Date): Transfer {
    const claim = this.#signer.verify(token, new Date(this.#forward.now(now)));
    const { holder } = claim;
    if (claim.operation === 'download') {
      return {
        operation: 'download',
        holder,
        ref: claim.ref,
        read: (range) => this.#stream(claim.ref, range),
      };
    }
    const { name, size, sha256 } = claim;
    return { operation: 'upload', holder, name, size, sha256, accept: (body) => this.#accept(claim, body) };
  }

  async close(): Promise<void> {
    this.#open.close();
    this.#small.close();
  }

  async #accept(
    { name, size, sha256 }: Extract<Claim, { operation: 'upload' }>,
    body: AsyncIterable<Bytes>,
  ): Promise<ObjectRef> {
    return this.#store(name, body, { lock: false, expected: { size, sha256 } });
  }

  #expiry(seconds: number): number {
    return Math.floor(this.#forward.now(this.#clock()) / 1000) + seconds;
  }

  #url(claim: Claim): string {
    return `${this.#baseUrl}/transfer/${this.#signer.sign(claim)}`;
  }

  #folder(name: string): string {
    return `${join(this.#objects, ...name.split('/').map(toFileName))}@`;
  }

  /** Version numbers under this name, the newest first. */
  #versions(name: string): string[] {
    return (ifThere(() => readdirSync(this.#folder(name))) ?? [])
      .filter((entry) => VERSION.test(entry))
      .sort()
      .reverse();
  }

  async #newest(name: string): Promise<Stored | undefined> {
    for (const version of this.#versions(name)) {
      const stored = await this.#read(name, version);
      if (stored !== undefined) return stored;
    }
    return undefined;
  }

  async #read(name: string, version: string): Promise<Stored | undefined> {
    const file = await openExisting(join(this.#folder(name), version));
    if (file === undefined) return undefined;
    try {
      return await readHeader(file, name, version);
    } finally {
      await file.close();
    }
  }

  async #store(
    name: string,
    body: AsyncIterable<Bytes>,
    options: {
      readonly lock: boolean;
      readonly expected?: { readonly size: number; readonly sha256: string };
    },
  ): Promise<ObjectRef> {
    checkName(name);
    return guarded(() =>
      this.#temporary.use(async (file, path) => {
        const content = await writeContent(file, body, options.expected);
        await file.write(0, makeHeader(content, options.lock));
        await file.sync();
        return this.#publish(name, path, content, options);
      }),
    );
  }

  async #publish(
    name: string,
    path: string,
    content: { readonly size: number; readonly sha256: string },
    { lock, expected }: { readonly lock: boolean; readonly expected?: unknown },
  ): Promise<ObjectRef> {
    for (;;) {
      const newest = await this.#newest(name);
      if (newest !== undefined) {
        if (lock) return newest.ref;
        const same = newest.ref.size === content.size && newest.ref.sha256 === content.sha256;
        if (same && expected !== undefined) return newest.ref;
        if (newest.locked) throw new Fault('vault', `the object ${name} is locked`);
      }
      const version = String(Number(newest?.ref.version ?? 0) + 1).padStart(8, '0');
      if (await linkNew(path, join(this.#folder(name), version))) return { name, version, ...content };
    }
  }

  async #reading<Result>(ref: ObjectRef, work: (file: FileHandle) => Promise<Result>): Promise<Result> {
    checkName(ref.name);
    if (!VERSION.test(ref.version)) gone(ref.name);
    const file = (await openExisting(join(this.#folder(ref.name), ref.version))) ?? gone(ref.name);
    try {
      requireSame(await readHeader(file, ref.name, ref.version), ref);
      return await work(file);
    } finally {
      await file.close();
    }
  }

  /** A stretch of a file that stays open. */
  #readAtOnce(ref: ObjectRef, position: number, length: number): Bytes {
    const { name, version } = ref;
    if (!VERSION.test(version)) gone(name);
    const file = this.#open.find(join(this.#folder(name), version)) ?? gone(name);
    requireSame(parseHeader(file.read(0, HEADER_LENGTH), name, version), ref);
    return file.read(position, length);
  }

  async *#stream(ref: ObjectRef, range?: ByteRange): AsyncGenerator<Bytes> {
    if (isSmall(ref.name)) return yield await this.get(ref, range);
    const { offset, length } = checkRange(ref, range);
    const hash = createHash('sha256');
    // Opened for each chunk: a reader that stalls or leaves holds no file open.
    for (let done = 0; done < length; ) {
      const chunkLength = Math.min(CHUNK_LENGTH, length - done);
      const position = HEADER_LENGTH + offset + done;
      const chunk = await guarded(() =>
        this.#reading(ref, (file) => readExactly(file, position, chunkLength)),
      );
      if (range === undefined) hash.update(chunk);
      done += chunkLength;
      // The last chunk is given out only once the whole is known to be right.
      if (range === undefined && done === length && hash.digest('hex') !== ref.sha256) damaged(ref.name);
      yield chunk;
    }
  }

  /** Object names below `folder` (empty, or ending in a slash) that begin with `prefix`, in order of octets. */
  async *#names(folder: string, prefix: string): AsyncGenerator<string> {
    const path = join(this.#objects, ...folder.split('/').filter(Boolean).map(toFileName));
    const found = (await guarded(() => entriesOf(path))).map((entry) =>
      entry.endsWith('@') ? folder + fromFileName(entry.slice(0, -1)) : `${folder}${fromFileName(entry)}/`,
    );
    for (const name of found.sort()) {
      if (name.endsWith('/')) {
        if (name.startsWith(prefix) || prefix.startsWith(name)) yield* this.#names(name, prefix);
      } else if (name.startsWith(prefix) && this.#versions(name).length > 0) {
        // a writer that was killed before it published leaves a folder of no object
        yield name;
      }
    }
  }
}

/** The number of a removed version may have been given again. */
function requireSame({ ref: { sha256, size } }: Stored, ref: ObjectRef): void {
  if (sha256 !== ref.sha256 || size !== ref.size) gone(ref.name);
}
