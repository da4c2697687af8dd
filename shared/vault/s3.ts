import { createHash } from 'node:crypto';
import {
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  type S3ClientConfig,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { awsClient, S3_REQUEST_TIMEOUT } from '../aws/client-config.ts';
import { isNamed } from '../aws/fault.ts';
import { countRead } from '../call-cost.ts';
import type { Bytes } from '../codec/bytes.ts';
import { mapConcurrently, untilDone } from '../concurrency.ts';
import { Fault, invariant } from '../errors.ts';
import { present } from '../present.ts';
import { checkName, checkPrefix } from './names.ts';
import { type Content, calling, damaged, gone, toBase64, toHexDigest, versionOf } from './s3/answers.ts';
import { putLarge, STAGING } from './s3/large.ts';
import { hashing, inParts, prepend } from './s3/streams.ts';
import { versionsOf } from './s3/versions.ts';
import {
  type ByteRange,
  checkRange,
  type ObjectRef,
  type PutOptions,
  type UploadLink,
  type Vault,
} from './vault.ts';

export interface S3VaultOptions {
  /** Over the SDK's own configuration (AWS_REGION, AWS_ENDPOINT_URL, credentials). */
  readonly config?: S3ClientConfig;
  /** A client of the caller's, closed by the caller; in place of `config`. */
  readonly client?: S3Client;
  /**
   * Locked objects are kept by S3 Object Lock (compliance mode) for so many days; the bucket must have Object Lock
   * on. Without it a lock is a conditional put, and a flag that `remove` heeds.
   */
  readonly lockRetentionDays?: number;
}

const CONCURRENCY = 16;
const DAY_MS = 24 * 60 * 60 * 1000;
const LOCK_FLAG = 'smdpf-lock';

/**
 * The vault on one S3 bucket with versioning on. S3 itself checks every upload against its SHA-256 and keeps that
 * as the object's checksum, which is where references get it from; where it is missing, the object is read once.
 *
 * Anybody with s3:PutObject could put a newer version over a locked object, so the bucket's policy should deny puts
 * without If-None-Match under the names of commit records.
 */
export class S3Vault implements Vault {
  readonly #bucket: string;
  readonly #client: S3Client;
  readonly #ownsClient: boolean;
  readonly #lockRetentionDays: number | undefined;

  private constructor(bucket: string, options: S3VaultOptions) {
    this.#bucket = bucket;
    this.#lockRetentionDays = options.lockRetentionDays;
    this.#ownsClient = options.client === undefined;
    this.#client =
      options.client ??
      new S3Client({
        ...awsClient({ requestTimeout: S3_REQUEST_TIMEOUT }),
        // The SDK's own CRC would be that of no body in a presigned upload; we send SHA-256 throughout.
        requestChecksumCalculation: 'WHEN_REQUIRED',
        responseChecksumValidation: 'WHEN_REQUIRED',
        ...options.config,
      });
  }

  static open(bucket: string, options: S3VaultOptions = {}): S3Vault {
    return new S3Vault(bucket, options);
  }

  async put(name: string, body: Bytes, { lock = false }: PutOptions = {}): Promise<ObjectRef> {
    checkName(name);
    const content = { size: body.length, sha256: createHash('sha256').update(body).digest('hex') };
    return lock ? this.#putLocked(name, body, content) : this.#put(name, body, content);
  }

  async putStream(name: string, body: AsyncIterable<Bytes>): Promise<ObjectRef> {
    checkName(name);
    const hash = createHash('sha256');
    const parts = hashing(inParts(body), hash);
    const first = await parts.next();
    const second = first.done ? first : await parts.next();
    if (first.done || second.done) {
      const whole = first.done ? new Uint8Array() : first.value;
      return this.#put(name, whole, { size: whole.length, sha256: hash.digest('hex') });
    }
    const all = prepend([first.value, second.value], parts);
    return putLarge(this.#client, this.#bucket, name, all, () => hash.digest('hex'));
  }

  async get(ref: ObjectRef, range?: ByteRange): Promise<Bytes> {
    const { offset, length } = checkRange(ref, range);
    checkName(ref.name);
    countRead(length);
    if (range !== undefined && length === 0) return new Uint8Array();
    const Range = range === undefined ? {} : { Range: `bytes=${offset}-${offset + length - 1}` };
    return calling(async () => {
      const { Body, ContentRange } = await this.#client.send(
        new GetObjectCommand({ ...this.#at(ref), ...Range }),
      );
      const octets = await Body!.transformToByteArray();
      // A server may answer a range with the whole (RFC 9110 section 14.2); some S3 emulators do.
      const isWhole = ContentRange === undefined;
      if (octets.length !== (isWhole ? ref.size : length)) throw gone(ref);
      if (isWhole && createHash('sha256').update(octets).digest('hex') !== ref.sha256) throw damaged(ref);
      return isWhole ? octets.subarray(offset, offset + length) : octets;
    });
  }

  async *getStream(ref: ObjectRef): AsyncIterable<Bytes> {
    checkName(ref.name);
    const { Body } = await calling(() => this.#client.send(new GetObjectCommand(this.#at(ref))));
    const chunks = (Body as AsyncIterable<Bytes>)[Symbol.asyncIterator]();
    const hash = createHash('sha256');
    // One chunk is held back, so that the last is given out only once the whole is known to be right.
    let held: Bytes | undefined;
    for (;;) {
      const { done, value } = await calling(() => chunks.next());
      if (done) break;
      hash.update(value);
      if (held !== undefined) yield held;
      held = value;
    }
    if (hash.digest('hex') !== ref.sha256) throw damaged(ref);
    if (held !== undefined) yield held;
  }

  async head(name: string): Promise<ObjectRef | undefined> {
    checkName(name);
    countRead(0);
    return this.#head(name);
  }

  async *list(prefix: string): AsyncIterable<ObjectRef> {
    for await (const names of this.#pages(prefix)) {
      for (const ref of await mapConcurrently(names, CONCURRENCY, (name) => this.#head(name))) {
        if (ref !== undefined) yield ref;
      }
    }
  }

  async *names(prefix: string): AsyncIterable<string> {
    for await (const names of this.#pages(prefix)) yield* names;
  }

  async *#pages(prefix: string): AsyncIterable<string[]> {
    checkPrefix(prefix);
    let ContinuationToken: string | undefined;
    do {
      const command = new ListObjectsV2Command({
        Bucket: this.#bucket,
        Prefix: prefix,
        ...present({ ContinuationToken }),
      });
      const page = await calling(() => this.#client.send(command));
      yield (page.Contents ?? []).map(({ Key }) => Key!).filter((name) => !name.startsWith(STAGING));
      ContinuationToken = page.NextContinuationToken;
    } while (ContinuationToken !== undefined);
  }

  async remove(name: string): Promise<void> {
    checkName(name);
    await calling(async () => {
      const versions = await versionsOf(this.#client, this.#bucket, name);
      const isLocked = await mapConcurrently(versions, CONCURRENCY, ({ version, isMarker }) =>
        isMarker ? Promise.resolve(false) : this.#isLocked(name, version),
      );
      const removable = versions.filter((_, i) => isLocked[i] === false);
      for (let i = 0; i < removable.length; i += 1000) {
        const Objects = removable
          .slice(i, i + 1000)
          .map(({ version }) => ({ Key: name, VersionId: version }));
        const command = new DeleteObjectsCommand({ Bucket: this.#bucket, Delete: { Objects, Quiet: true } });
        const { Errors = [] } = await this.#client.send(command);
        if (Errors.length > 0) throw new Fault('vault', `versions of ${name} stay: ${Errors[0]!.Code}`);
      }
    });
  }

  async downloadUrl(ref: ObjectRef, seconds: number): Promise<string> {
    checkName(ref.name);
    return calling(() =>
      getSignedUrl(this.#client, new GetObjectCommand(this.#at(ref)), { expiresIn: seconds }),
    );
  }

  async uploadLink(name: string, content: Content, seconds: number): Promise<UploadLink> {
    const { size, sha256 } = content;
    invariant(Number.isSafeInteger(size) && size >= 0, 'the size of an upload is a number of octets');
    invariant(/^[0-9a-f]{64}$/.test(sha256), 'the SHA-256 of an upload is 64 lower-case hexadecimal digits');
    const command = new PutObjectCommand({
      Bucket: this.#bucket,
      Key: checkName(name),
      ContentLength: size,
      ChecksumAlgorithm: 'SHA256',
      ChecksumSHA256: toBase64(sha256),
    });
    // S3 compares a checksum that stands in a header and ignores one in the query: signed as headers, these cannot be left
    // out by the holder of the URL.
    const headers = { 'x-amz-checksum-sha256': toBase64(sha256), 'x-amz-sdk-checksum-algorithm': 'SHA256' };
    const unhoistableHeaders = new Set(Object.keys(headers));
    const url = await calling(() =>
      getSignedUrl(this.#client, command, { expiresIn: seconds, unhoistableHeaders }),
    );
    return { url, headers };
  }

  async close(): Promise<void> {
    if (this.#ownsClient) this.#client.destroy();
  }

  #at({ name, version }: ObjectRef) {
    return { Bucket: this.#bucket, Key: name, VersionId: version };
  }

  async #put(name: string, body: Bytes, content: Content, conditions: object = {}): Promise<ObjectRef> {
    const command = new PutObjectCommand({
      Bucket: this.#bucket,
      Key: name,
      Body: body,
      ContentLength: content.size,
      ChecksumAlgorithm: 'SHA256',
      ChecksumSHA256: toBase64(content.sha256),
      ...conditions,
    });
    const { VersionId } = await calling(
      () => this.#client.send(command),
      'PreconditionFailed',
      'ConditionalRequestConflict',
    );
    return { name, version: versionOf(VersionId), ...content };
  }

  async #putLocked(name: string, body: Bytes, content: Content): Promise<ObjectRef> {
    const retention =
      this.#lockRetentionDays === undefined
        ? {}
        : {
            ObjectLockMode: 'COMPLIANCE',
            ObjectLockRetainUntilDate: new Date(Date.now() + this.#lockRetentionDays * DAY_MS),
          };
    const conditions = { IfNoneMatch: '*', Metadata: { [LOCK_FLAG]: '1' }, ...retention };
    return await untilDone(
      async () => {
        try {
          return { value: await this.#put(name, body, content, conditions) };
        } catch (error) {
          if (isNamed(error, 'ConditionalRequestConflict')) return undefined;
          if (!isNamed(error, 'PreconditionFailed')) throw error;
          const first = await this.#head(name);
          return first && { value: first };
        }
      },
      // another put under this name is under way each time, or was removed since
      () => {
        throw new Fault('vault', `puts of ${name} hold each other up`, { retryable: true });
      },
    );
  }

  async #head(name: string): Promise<ObjectRef | undefined> {
    const command = new HeadObjectCommand({ Bucket: this.#bucket, Key: name, ChecksumMode: 'ENABLED' });
    return calling(async () => {
      try {
        const { VersionId, ContentLength, ChecksumSHA256 } = await this.#client.send(command);
        const version = versionOf(VersionId);
        const sha256 = toHexDigest(ChecksumSHA256) ?? (await this.#digest(name, version));
        return { name, version, size: ContentLength ?? 0, sha256 };
      } catch (error) {
        if (isNamed(error, 'NotFound', 'NoSuchKey')) return undefined;
        throw error;
      }
    });
  }

  /** Read from the octets, for objects that somebody stored without a SHA-256 of the whole. */
  async #digest(name: string, version: string): Promise<string> {
    const command = new GetObjectCommand({ Bucket: this.#bucket, Key: name, VersionId: version });
    const { Body } = await this.#client.send(command);
    const hash = createHash('sha256');
    for await (const chunk of Body as AsyncIterable<Bytes>) hash.update(chunk);
    return hash.digest('hex');
  }

  /** Undefined where somebody else has removed this version since it was listed. */
  async #isLocked(name: string, version: string): Promise<boolean | undefined> {
    const command = new HeadObjectCommand({ Bucket: this.#bucket, Key: name, VersionId: version });
    try {
      const { Metadata } = await this.#client.send(command);
      return Metadata?.[LOCK_FLAG] !== undefined;
    } catch (error) {
      if (isNamed(error, 'NotFound', 'NoSuchVersion')) return undefined;
      throw error;
    }
  }
}
