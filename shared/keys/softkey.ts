import { existsSync } from 'node:fs';
import { type Bytes, wipe } from '../codec/bytes.ts';
import { Fault } from '../errors.ts';
import {
  generateSecret,
  keyFile,
  type LocalKey,
  localKey,
  requireSoftwareKeysAllowed,
  SOFTWARE_OAEP_HASH,
  type SoftwareKeyOptions,
  secretFromPem,
} from './local-key.ts';
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
  SyncSigner,
  WrapContext,
} from './provider.ts';
import { requireRole, requireRoleFits } from './role.ts';
import { type Environment, readSecret, type SecretSource } from './secret-source.ts';
import { createSoftkeyFile, openSoftkey, readSoftkeyFile, sealSoftkey } from './softkey-file.ts';
import { parseKeyUri, type SoftkeyUri } from './uri.ts';

export interface SoftkeyOptions extends SoftwareKeyOptions {
  /** What `env:NAME` passphrase sources are read from. */
  readonly env: Environment;
  /** For URIs that name no passphrase-source. */
  readonly defaultPassphraseSource?: SecretSource;
}

interface OpenedKey {
  readonly role: KeyRole;
  readonly path: string;
  readonly key: LocalKey;
}

/**
 * Keys in encrypted files (softkey-file.ts), decrypted into the memory of this process at first use.
 *
 * URIs: `softkey:path=FILE`, `softkey:FILE`, each with or without `?passphrase-source=file:PATH|env:NAME`.
 * Algorithms: the three ECDSA curves, aes-256 for wrapping, rsa-oaep (SHA-256) for intake. The role stands
 * in the file and is enforced by every operation.
 */
export class SoftkeyProvider
  implements KeyProvider, KeyGenerator, DataKeyWrapper, IntakeDecrypter, SyncSigner
{
  readonly scheme = 'softkey';
  readonly #options: SoftkeyOptions;
  readonly #open = new Map<string, OpenedKey>();
  readonly #opening = new Map<string, Promise<OpenedKey>>();

  constructor(options: SoftkeyOptions) {
    requireSoftwareKeysAllowed('softkey', options);
    this.#options = options;
  }

  async describe(uri: string): Promise<KeyDescription> {
    const { role, path, key } = await this.#key(uri);
    const { algorithm } = key;
    const oaep = algorithm === 'rsa-oaep' ? { oaepHash: SOFTWARE_OAEP_HASH } : {};
    return { uri, algorithm, ...oaep, role, exportable: true, identity: path };
  }

  async publicKey(uri: string): Promise<Bytes> {
    const { key } = await this.#key(uri);
    return key.spki ?? unable(uri, 'has no public key');
  }

  async sign(uri: string, digest: Digest): Promise<Bytes> {
    return signWith(this.#open.get(uri) ?? (await this.#key(uri)), uri)(digest);
  }

  async syncSigner(uri: string): Promise<(digest: Digest) => Bytes> {
    return signWith(await this.#key(uri), uri);
  }

  async generateDataKey(uri: string, context: WrapContext): Promise<DataKey> {
    const { role, key } = await this.#key(uri);
    requireRole(uri, role, 'wrapping');
    return key.generateDataKey?.(context) ?? unable(uri, 'cannot wrap');
  }

  async wrapDataKey(uri: string, plaintext: Bytes, context: WrapContext): Promise<Bytes> {
    const { role, key } = await this.#key(uri);
    requireRole(uri, role, 'wrapping');
    return key.wrapDataKey?.(plaintext, context) ?? unable(uri, 'cannot wrap');
  }

  async unwrapDataKey(uri: string, wrapped: Bytes, context: WrapContext): Promise<Bytes> {
    const { role, key } = await this.#key(uri);
    requireRole(uri, role, 'wrapping');
    return key.unwrapDataKey?.(wrapped, context) ?? unable(uri, 'cannot unwrap');
  }

  async decrypt(uri: string, ciphertext: Bytes): Promise<Bytes> {
    const { role, key } = await this.#key(uri);
    requireRole(uri, role, 'intake');
    return key.decrypt?.(ciphertext) ?? unable(uri, 'cannot decrypt');
  }

  async generate(uri: string, algorithm: KeyAlgorithm, role: KeyRole): Promise<KeyDescription> {
    requireRoleFits(role, algorithm);
    return this.#create(uri, algorithm, role, await generateSecret(algorithm));
  }

  async exists(uri: string): Promise<boolean> {
    return existsSync(this.#file(uri).path);
  }

  /** Stores a key that exists as an unencrypted PKCS#8 or SEC1 PEM of any algorithm that has a role. */
  async importPrivateKey(uri: string, pem: string, role: KeyRole): Promise<KeyDescription> {
    const { algorithm, secret } = secretFromPem(pem);
    requireRoleFits(role, algorithm);
    return this.#create(uri, algorithm, role, secret);
  }

  async health(uri: string): Promise<void> {
    await this.#key(uri);
  }

  async close(): Promise<void> {
    this.#open.clear();
    this.#opening.clear();
  }

  async #create(uri: string, algorithm: KeyAlgorithm, role: KeyRole, secret: Bytes): Promise<KeyDescription> {
    let passphrase: Bytes | undefined;
    try {
      const parsed = this.#file(uri);
      passphrase = await this.#passphrase(parsed);
      await createSoftkeyFile(parsed.path, await sealSoftkey({ role, algorithm, secret }, passphrase));
    } finally {
      wipe(secret, passphrase);
    }
    return this.describe(uri);
  }

  #key(uri: string): Promise<OpenedKey> {
    const opening = this.#opening.get(uri);
    if (opening !== undefined) return opening;
    const started = this.#load(uri);
    this.#opening.set(uri, started);
    started.then(
      (opened) => this.#open.set(uri, opened),
      // a missing file or passphrase may be there at the next call
      () => this.#opening.delete(uri),
    );
    return started;
  }

  async #load(uri: string): Promise<OpenedKey> {
    const parsed = this.#file(uri);
    const content = await readSoftkeyFile(parsed.path);
    const passphrase = await this.#passphrase(parsed);
    const { role, algorithm, secret } = await openSoftkey(content, passphrase);
    try {
      return { role, path: parsed.path, key: localKey(algorithm, secret) };
    } finally {
      wipe(secret, passphrase);
    }
  }

  /** What the URI says, its paths as they are from here. */
  #file(uri: string): SoftkeyUri {
    const parsed = softkeyUri(uri);
    const source = parsed.passphraseSource;
    return {
      ...parsed,
      path: keyFile(parsed.path, this.#options),
      ...(source?.kind === 'file' && {
        passphraseSource: { kind: 'file', path: keyFile(source.path, this.#options) },
      }),
    };
  }

  #passphrase(uri: SoftkeyUri): Promise<Bytes> {
    const source = uri.passphraseSource ?? this.#options.defaultPassphraseSource;
    if (source === undefined) {
      throw new Fault(
        'configuration',
        'a softkey URI needs a passphrase-source, or the server a default one',
      );
    }
    return readSecret(source, this.#options.env);
  }
}

function softkeyUri(uri: string): SoftkeyUri {
  const parsed = parseKeyUri(uri);
  if (parsed.scheme !== 'softkey') throw new Fault('configuration', `a ${parsed.scheme} URI is no softkey`);
  return parsed;
}

function signWith({ role, key }: OpenedKey, uri: string): (digest: Digest) => Bytes {
  requireRole(uri, role, 'binding', 'delivery', 'longTerm');
  return key.sign ?? unable(uri, 'cannot sign');
}

function unable(uri: string, what: string): never {
  throw new Fault('configuration', `the key ${uri} ${what}`);
}
