import type { Bytes } from '../codec/bytes.ts';
import { Fault } from '../errors.ts';

/**
 * The vault: protected profile packs, BPP parts, uploads and locked commit records. Objects are named, versioned
 * and bound to their SHA-256; nothing is changed in place. Nothing in clear is ever put here (I5).
 */
export interface ObjectRef {
  readonly name: string;
  /** Opaque; names exactly the octets written by one put. */
  readonly version: string;
  /** Octets. */
  readonly size: number;
  /** Lower-case hexadecimal, 64 characters. */
  readonly sha256: string;
}

export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

/** The range, or the whole object; a Fault if it reaches beyond the object's end. */
export function checkRange(ref: ObjectRef, range: ByteRange = { offset: 0, length: ref.size }): ByteRange {
  const { offset, length } = range;
  const whole = Number.isSafeInteger(offset) && Number.isSafeInteger(length) && offset >= 0 && length >= 0;
  if (!whole || offset + length > ref.size)
    throw new Fault('vault', `a range outside the object ${ref.name}`);
  return range;
}

/** Octets that are not those that were stored. */
export class DamagedObject extends Fault {
  /** Its name, or that of a pack of PPKs. */
  readonly object: string;

  constructor(object: string) {
    super('vault', `the object ${object} is damaged`);
    this.object = object;
  }
}

export interface PutOptions {
  /** Refuse to replace: the first put wins and later ones learn its reference (commit records). */
  readonly lock?: boolean;
}

/** Whom a link is for, and which answer it belongs to. */
export interface LinkHolder {
  /** Identifier of the party that asked for it. */
  readonly party: string;
  /** Of a download: what the party asked for, so that it can be asked again when the link is used. */
  readonly asked?: { readonly requestId: string; readonly name: string };
}

export interface Vault {
  /** Stores a whole object; resolves when it is durable. */
  put(name: string, body: Bytes, options?: PutOptions): Promise<ObjectRef>;
  /** Stores a stream without holding it in memory. */
  putStream(name: string, body: AsyncIterable<Bytes>): Promise<ObjectRef>;
  /** The octets of this version, or a range of them; a Fault if they are gone or their hash is wrong (whole reads). */
  get(ref: ObjectRef, range?: ByteRange): Promise<Bytes>;
  getStream(ref: ObjectRef): AsyncIterable<Bytes>;
  /** The newest version under this name. */
  head(name: string): Promise<ObjectRef | undefined>;
  list(prefix: string): AsyncIterable<ObjectRef>;
  /** The same by name alone, in the order of names, for who looks at few of many. */
  names(prefix: string): AsyncIterable<string>;
  /** Removes every version under this name that is not locked. */
  remove(name: string): Promise<void>;
  /**
   * A URL that lets its holder fetch exactly this version for `seconds`. A vault whose links the server itself answers
   * keeps the holder in it, and each use is checked against the party that makes it; on S3 the URL is all there is.
   */
  downloadUrl(ref: ObjectRef, seconds: number, holder?: LinkHolder): Promise<string>;
  /** Lets its holder store exactly this content, within `seconds`. */
  uploadLink(
    name: string,
    content: { readonly size: number; readonly sha256: string },
    seconds: number,
    holder?: LinkHolder,
  ): Promise<UploadLink>;
  close(): Promise<void>;
}

/** Where to PUT, and the headers that have to go with it, beside the Content-Length that follows from the body. */
export interface UploadLink {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * The PPK vault: wrapped profile protection keys, in a store of their own with no backups, versions or streams,
 * so that destroyed stays destroyed (I5). Entries are opaque here: already encrypted under the pack's data key.
 */
export interface PpkVault {
  /** Stores the entries of a pack at once; repeating the call with the pack present changes nothing. */
  putPack(pack: string, header: Bytes, entries: readonly Bytes[]): Promise<void>;
  /** The header, or undefined if the pack is unknown. */
  header(pack: string): Promise<Bytes | undefined>;
  /** The entries at these positions of the pack, undefined where destroyed. */
  entries(pack: string, positions: readonly number[]): Promise<(Bytes | undefined)[]>;
  /** Destroys entries so that the medium no longer holds them; may be repeated. */
  destroy(pack: string, positions: readonly number[]): Promise<void>;
  /** Names of the packs that there are, in an order of the store's own; for verifying. */
  names(): AsyncIterable<string>;
  /** Destroys what is left of a pack, its header included. */
  destroyPack(pack: string): Promise<void>;
  close(): Promise<void>;
}
