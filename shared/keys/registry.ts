import { type Bytes, toHex } from '../codec/bytes.ts';
import { Fault, SmdpfError } from '../errors.ts';
import type {
  DataKey,
  DataKeyWrapper,
  Digest,
  IntakeDecrypter,
  KeyAlgorithm,
  KeyDescription,
  KeyGenerator,
  KeyProvider,
  KeyRole,
  OaepHash,
  Slowed,
  SyncSigner,
  UseOptions,
  WrapContext,
} from './provider.ts';
import { requireRole, requireRoleFits } from './role.ts';
import { formatKeyUri, type KeyScheme, parseKeyUri } from './uri.ts';

/** One use of a private or secret key, for counters and the audit log. It holds no secret and no input. */
export interface KeyUse {
  /** Canonical. */
  readonly uri: string;
  readonly role: KeyRole;
  readonly operation: KeyOperation;
  /** `done`, or the code of the error that came instead. */
  readonly outcome: string;
}

/** A use that takes longer is slow: a token needs some tens of milliseconds for a signature, and so does a key service. */
export const SLOW_MS = 500;

export type KeyOperation = 'sign' | 'generateDataKey' | 'wrapDataKey' | 'unwrapDataKey' | 'decrypt';

export interface KeyUseCount {
  readonly done: number;
  readonly failed: number;
}

export interface OpenedKey {
  /** Canonical. */
  readonly uri: string;
  readonly description: KeyDescription;
}

/** The roles whose keys sign. */
export type SigningRole = 'binding' | 'delivery' | 'longTerm';

export interface SigningKey extends OpenedKey {
  readonly role: SigningRole;
  /** SubjectPublicKeyInfo in DER, as KeyProvider.publicKey gives it: canonical. */
  readonly publicKey: Bytes;
  /** As KeyProvider.sign. */
  sign(digest: Digest, options?: UseOptions): Promise<Bytes>;
  /** Present where the backend signs in this process, at once. */
  readonly signSync?: (digest: Digest) => Bytes;
}

export interface WrappingKey extends OpenedKey {
  readonly role: 'wrapping';
  /** As KeyProvider.generateDataKey: the caller wipes `plaintext`. */
  generateDataKey(context: WrapContext, options?: UseOptions): Promise<DataKey>;
  /** As DataKeyWrapper.wrapDataKey; a Fault where the backend cannot. */
  wrapDataKey(plaintext: Bytes, context: WrapContext, options?: UseOptions): Promise<Bytes>;
  /** As KeyProvider.unwrapDataKey: the caller wipes the answer. */
  unwrapDataKey(wrapped: Bytes, context: WrapContext, options?: UseOptions): Promise<Bytes>;
}

export interface IntakeKey extends OpenedKey {
  readonly role: 'intake';
  /** SubjectPublicKeyInfo in DER, for those who encrypt to us. */
  readonly publicKey: Bytes;
  readonly oaepHash: OaepHash;
  /** RSA-OAEP under `oaepHash`; a ciphertext that does not open is a Refusal. The caller wipes the answer. */
  decrypt(ciphertext: Bytes): Promise<Bytes>;
}

/** How to make the provider of each scheme; called once, at the first key of that scheme. */
export type ProviderOpeners = { readonly [scheme in KeyScheme]?: () => Promise<KeyProvider> };

/**
 * Opens keys by URI, each for one role, and counts what is done with them.
 *
 * A key belongs to the role for which it was first opened: opening the same key for another role is a
 * Fault('configuration'), also through another URI or another backend, since keys are told apart by their public
 * key. Where the backend records a role with the key, that one must agree too.
 */
export class KeyRegistry {
  readonly #openers: ProviderOpeners;
  readonly #onUse: ((use: KeyUse) => void) | undefined;
  readonly #onSlowed: ((slowed: Slowed) => void) | undefined;
  readonly #providers = new Map<KeyScheme, Promise<KeyProvider>>();
  readonly #roles = new Map<string, KeyRole>();
  readonly #opened = new Map<string, KeyRole>();
  readonly #counts = new Map<string, { done: number; failed: number }>();

  /**
   * `onUse` is called after each use, `onSlowed` after one that was asked of a backend and took longer than SLOW_MS; both
   * synchronously, and neither may throw.
   */
  constructor(openers: ProviderOpeners, onUse?: (use: KeyUse) => void, onSlowed?: (slowed: Slowed) => void) {
    this.#openers = openers;
    this.#onUse = onUse;
    this.#onSlowed = onSlowed;
  }

  /** The backend of a URI, for tools that generate and list keys. Services open keys instead. */
  async provider(uri: string): Promise<KeyProvider> {
    const { scheme } = parseKeyUri(uri);
    const known = this.#providers.get(scheme);
    if (known !== undefined) return known;
    const opener = this.#openers[scheme];
    if (opener === undefined)
      throw new Fault('configuration', `this server is set up without ${scheme} keys`);
    const opening = opener();
    this.#providers.set(scheme, opening);
    opening.catch(() => this.#providers.delete(scheme));
    return opening;
  }

  /** Whether its backend, which must be in reach and make keys, has a key of this name. */
  async exists(uri: string): Promise<boolean> {
    const provider = await this.provider(uri);
    if (!isKeyGenerator(provider))
      throw new Fault('configuration', `nothing can be made behind ${formatKeyUri(parseKeyUri(uri))}`);
    return await provider.exists(formatKeyUri(parseKeyUri(uri)));
  }

  /** Makes the key unless it is there. A key that is there and has another role or algorithm is a Fault. */
  async generate(uri: string, algorithm: KeyAlgorithm, role: KeyRole): Promise<KeyDescription> {
    const provider = await this.provider(uri);
    const canonical = formatKeyUri(parseKeyUri(uri));
    if (isKeyGenerator(provider) && !(await provider.exists(canonical)))
      return provider.generate(canonical, algorithm, role);
    const { description } = await this.#describe(canonical, role);
    if (description.algorithm !== algorithm)
      throw new Fault('configuration', `the key ${canonical} is ${description.algorithm}, not ${algorithm}`);
    return description;
  }

  async openSigningKey(uri: string, role: SigningRole): Promise<SigningKey> {
    const { provider, canonical, description, publicKey } = await this.#openPair(uri, role);
    const record = this.#recorder(canonical, role, 'sign');
    const signer = isSyncSigner(provider) ? await provider.syncSigner(canonical) : undefined;
    return {
      uri: canonical,
      role,
      description,
      publicKey,
      sign: (digest, options) => recorded(record, () => provider.sign(canonical, digest, options)),
      ...(signer && { signSync: (digest: Digest) => recordedSync(record, () => signer(digest)) }),
    };
  }

  async openWrappingKey(uri: string): Promise<WrappingKey> {
    const role = 'wrapping';
    const { provider, canonical, description } = await this.#describe(uri, role);
    this.#claim(canonical, `${provider.scheme}:${description.identity}`, role);
    const generated = this.#recorder(canonical, role, 'generateDataKey');
    const wrapped = this.#recorder(canonical, role, 'wrapDataKey');
    const unwrapped = this.#recorder(canonical, role, 'unwrapDataKey');
    return {
      uri: canonical,
      role,
      description,
      generateDataKey: (context, options) =>
        recorded(generated, () => provider.generateDataKey(canonical, context, options)),
      wrapDataKey: (plaintext, context, options) =>
        recorded(wrapped, async () => {
          if (!isDataKeyWrapper(provider)) {
            throw new Fault('configuration', `${provider.scheme} keys cannot wrap a given data key`);
          }
          return provider.wrapDataKey(canonical, plaintext, context, options);
        }),
      unwrapDataKey: (octets, context, options) =>
        recorded(unwrapped, () => provider.unwrapDataKey(canonical, octets, context, options)),
    };
  }

  async openIntakeKey(uri: string): Promise<IntakeKey> {
    const role = 'intake';
    const { provider, canonical, description, publicKey } = await this.#openPair(uri, role);
    if (!isIntakeDecrypter(provider)) {
      throw new Fault('configuration', `${provider.scheme} keys cannot decrypt`);
    }
    const { oaepHash } = description;
    if (oaepHash === undefined) {
      throw new Fault(
        'configuration',
        `the key ${canonical} is ${description.algorithm} and opens no RSA-OAEP`,
      );
    }
    const record = this.#recorder(canonical, role, 'decrypt');
    return {
      uri: canonical,
      role,
      description,
      publicKey,
      oaepHash,
      decrypt: (ciphertext) => recorded(record, () => provider.decrypt(canonical, ciphertext)),
    };
  }

  /** Uses since the start, by canonical URI and operation. */
  counts(): ReadonlyMap<string, Readonly<Partial<Record<KeyOperation, KeyUseCount>>>> {
    const byUri = new Map<string, Partial<Record<KeyOperation, KeyUseCount>>>();
    for (const [name, count] of this.#counts) {
      if (count.done + count.failed === 0) continue;
      const [operation, uri] = splitCounter(name);
      byUri.set(uri, { ...byUri.get(uri), [operation]: { ...count } });
    }
    return byUri;
  }

  /** What each key opened so far, by canonical URI, is for. */
  get roles(): ReadonlyMap<string, KeyRole> {
    return this.#opened;
  }

  /** Asks each backend whether each opened key can be used; the first that cannot is the Fault. */
  async health(): Promise<void> {
    await Promise.all([...this.#opened.keys()].map(async (uri) => (await this.provider(uri)).health(uri)));
  }

  async close(): Promise<void> {
    const providers = await Promise.allSettled(this.#providers.values());
    this.#providers.clear();
    for (const opened of providers) if (opened.status === 'fulfilled') await opened.value.close();
  }

  async #describe(uri: string, role: KeyRole) {
    const provider = await this.provider(uri);
    const canonical = formatKeyUri(parseKeyUri(uri));
    const description = await provider.describe(canonical);
    if (description.role !== undefined) requireRole(canonical, description.role, role);
    requireRoleFits(role, description.algorithm);
    return { provider, canonical, description };
  }

  async #openPair(uri: string, role: KeyRole) {
    const { provider, canonical, description } = await this.#describe(uri, role);
    const publicKey = await provider.publicKey(canonical);
    this.#claim(canonical, toHex(publicKey), role);
    return { provider, canonical, description, publicKey };
  }

  #claim(uri: string, identity: string, role: KeyRole): void {
    const claimed = this.#roles.get(identity) ?? role;
    requireRole(uri, claimed, role);
    this.#roles.set(identity, claimed);
    this.#opened.set(uri, role);
  }

  #recorder(uri: string, role: KeyRole, operation: KeyOperation): Recorder {
    const name = `${operation} ${uri}`;
    const count = this.#counts.get(name) ?? { done: 0, failed: 0 };
    this.#counts.set(name, count);
    const onUse = this.#onUse;
    const onSlowed = this.#onSlowed;
    const done: KeyUse = { uri, role, operation, outcome: 'done' };
    return {
      done() {
        count.done += 1;
        onUse?.(done);
      },
      failed(error) {
        count.failed += 1;
        onUse?.({ uri, role, operation, outcome: error instanceof SmdpfError ? error.code : 'unknown' });
      },
      took(ms) {
        if (ms > SLOW_MS) onSlowed?.({ call: operation, keyId: uri, reason: 'slow', wait: Math.round(ms) });
      },
    };
  }
}

interface Recorder {
  done(): void;
  failed(error: unknown): void;
  /** Milliseconds. */
  took(ms: number): void;
}

async function recorded<T>(record: Recorder, use: () => Promise<T>): Promise<T> {
  const start = performance.now();
  let result: T;
  try {
    result = await use();
  } catch (error) {
    record.failed(error);
    throw error;
  } finally {
    record.took(performance.now() - start);
  }
  record.done();
  return result;
}

function recordedSync<T>(record: Recorder, use: () => T): T {
  let result: T;
  try {
    result = use();
  } catch (error) {
    record.failed(error);
    throw error;
  }
  record.done();
  return result;
}

function splitCounter(name: string): [KeyOperation, string] {
  const space = name.indexOf(' ');
  return [name.slice(0, space) as KeyOperation, name.slice(space + 1)];
}

function isSyncSigner(provider: KeyProvider): provider is KeyProvider & SyncSigner {
  return 'syncSigner' in provider;
}

function isKeyGenerator(provider: KeyProvider): provider is KeyProvider & KeyGenerator {
  return 'generate' in provider;
}

function isDataKeyWrapper(provider: KeyProvider): provider is KeyProvider & DataKeyWrapper {
  return 'wrapDataKey' in provider;
}

function isIntakeDecrypter(provider: KeyProvider): provider is KeyProvider & IntakeDecrypter {
  return 'decrypt' in provider;
}
