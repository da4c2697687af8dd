import { createHash, randomUUID } from 'node:crypto';
import { AwsError } from './dynamodb.ts';

interface Version {
  readonly id: string;
  readonly body: Buffer;
  readonly metadata: Readonly<Record<string, string>>;
}

interface Input {
  readonly Key: string;
  readonly Body?: Uint8Array;
  readonly Metadata?: Record<string, string>;
  readonly IfNoneMatch?: string;
  readonly Range?: string;
  readonly VersionId?: string;
  readonly Prefix?: string;
  readonly Delete?: { readonly Objects: readonly { readonly Key: string; readonly VersionId?: string }[] };
}

/** What the vault uses of S3, in memory: one bucket with versions, conditional puts and ranges, as the Amazon S3 API Reference has them. */
export class S3Model {
  /** Newest last. */
  readonly #objects = new Map<string, Version[]>();

  async answer(command: string, asked: object): Promise<object> {
    const input = asked as Input;
    switch (command) {
      case 'PutObjectCommand':
        return this.#put(input);
      case 'GetObjectCommand':
        return this.#get(input);
      case 'HeadObjectCommand': {
        const { id, body, metadata } = this.#find(input);
        return { VersionId: id, ContentLength: body.length, Metadata: metadata, ChecksumSHA256: sum(body) };
      }
      case 'ListObjectsV2Command': {
        const names = [...this.#objects.keys()].filter((name) => name.startsWith(input.Prefix ?? ''));
        return { Contents: names.sort().map((Key) => ({ Key })) };
      }
      case 'ListObjectVersionsCommand': {
        const names = [...this.#objects].filter(([name]) => name.startsWith(input.Prefix ?? ''));
        return { Versions: names.flatMap(([Key, all]) => all.map(({ id }) => ({ Key, VersionId: id }))) };
      }
      case 'DeleteObjectsCommand':
        for (const { Key, VersionId } of input.Delete!.Objects) {
          const left = (this.#objects.get(Key) ?? []).filter(({ id }) => id !== VersionId);
          if (left.length > 0) this.#objects.set(Key, left);
          else this.#objects.delete(Key);
        }
        return {};
      default:
        throw new Error(`the model of S3 has no ${command}`);
    }
  }

  #put({ Key, Body = new Uint8Array(), Metadata = {}, IfNoneMatch }: Input): object {
    const before = this.#objects.get(Key) ?? [];
    if (IfNoneMatch === '*' && before.length > 0) throw new AwsError('PreconditionFailed');
    const version = { id: randomUUID(), body: Buffer.from(Body), metadata: Metadata };
    this.#objects.set(Key, [...before, version]);
    return { VersionId: version.id, ChecksumSHA256: sum(version.body) };
  }

  #find({ Key, VersionId }: Input): Version {
    const all = this.#objects.get(Key) ?? [];
    const found = VersionId === undefined ? all.at(-1) : all.find(({ id }) => id === VersionId);
    if (found === undefined) throw new AwsError('NoSuchKey');
    return found;
  }

  #get(input: Input): object {
    const { body } = this.#find(input);
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(input.Range ?? '') ?? [];
    const part = from === undefined ? body : body.subarray(Number(from), Number(to) + 1);
    return {
      Body: {
        transformToByteArray: async () => new Uint8Array(part),
        async *[Symbol.asyncIterator]() {
          yield new Uint8Array(part);
        },
      },
      ...(from !== undefined && { ContentRange: `bytes ${from}-${to}/${body.length}` }),
    };
  }
}

const sum = (body: Buffer) => createHash('sha256').update(body).digest('base64');
