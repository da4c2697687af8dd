import type { Bytes } from '../codec/bytes.ts';
import type {
  DataKey,
  Digest,
  IntakeDecrypter,
  KeyDescription,
  KeyProvider,
  KeyRole,
  UseOptions,
  WrapContext,
} from './provider.ts';
import type { IntakeKey, KeyRegistry, SigningKey, WrappingKey } from './registry.ts';
import { requireRole } from './role.ts';

/**
 * All keys of a server behind the one port, for services that name keys by URI. Each key is opened in the registry
 * at its first use, for the role that `roleOf` gives it, and keeps that role.
 */
export class KeysByUri implements KeyProvider, IntakeDecrypter {
  readonly scheme = 'any';
  readonly #registry: KeyRegistry;
  readonly #roleOf: (uri: string) => KeyRole;
  readonly #signing = new Map<string, Promise<SigningKey>>();
  readonly #wrapping = new Map<string, Promise<WrappingKey>>();
  readonly #intake = new Map<string, Promise<IntakeKey>>();

  constructor(registry: KeyRegistry, roleOf: (uri: string) => KeyRole) {
    this.#registry = registry;
    this.#roleOf = roleOf;
  }

  async describe(uri: string): Promise<KeyDescription> {
    return (await this.#registry.provider(uri)).describe(uri);
  }

  async publicKey(uri: string): Promise<Bytes> {
    return (await this.#registry.provider(uri)).publicKey(uri);
  }

  async sign(uri: string, digest: Digest, options?: UseOptions): Promise<Bytes> {
    return (await this.#signingKey(uri)).sign(digest, options);
  }

  async generateDataKey(uri: string, context: WrapContext, options?: UseOptions): Promise<DataKey> {
    return (await this.#wrappingKey(uri)).generateDataKey(context, options);
  }

  async unwrapDataKey(
    uri: string,
    wrapped: Bytes,
    context: WrapContext,
    options?: UseOptions,
  ): Promise<Bytes> {
    return (await this.#wrappingKey(uri)).unwrapDataKey(wrapped, context, options);
  }

  async decrypt(uri: string, ciphertext: Bytes): Promise<Bytes> {
    const key = await once(this.#intake, uri, () => {
      requireRole(uri, this.#roleOf(uri), 'intake');
      return this.#registry.openIntakeKey(uri);
    });
    return key.decrypt(ciphertext);
  }

  async health(uri: string): Promise<void> {
    await (await this.#registry.provider(uri)).health(uri);
  }

  close(): Promise<void> {
    return this.#registry.close();
  }

  #signingKey(uri: string): Promise<SigningKey> {
    return once(this.#signing, uri, () => {
      const role = this.#roleOf(uri);
      requireRole(uri, role, 'binding', 'delivery');
      return this.#registry.openSigningKey(uri, role === 'binding' ? 'binding' : 'delivery');
    });
  }

  #wrappingKey(uri: string): Promise<WrappingKey> {
    return once(this.#wrapping, uri, () => {
      requireRole(uri, this.#roleOf(uri), 'wrapping');
      return this.#registry.openWrappingKey(uri);
    });
  }
}

/** Opens once per URI; a failed opening is tried again at the next use. */
function once<T>(opened: Map<string, Promise<T>>, uri: string, open: () => Promise<T>): Promise<T> {
  const known = opened.get(uri);
  if (known !== undefined) return known;
  const opening = open();
  opened.set(uri, opening);
  opening.catch(() => opened.delete(uri));
  return opening;
}
