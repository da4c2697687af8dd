import { readFile } from 'node:fs/promises';
import type { Bytes } from '../codec/bytes.ts';
import { Fault } from '../errors.ts';
import {
  keyFile,
  type LocalKey,
  localKeyFromPem,
  requireSoftwareKeysAllowed,
  SOFTWARE_OAEP_HASH,
  type SoftwareKeyOptions,
} from './local-key.ts';
import type {
  DataKey,
  Digest,
  IntakeDecrypter,
  KeyDescription,
  KeyProvider,
  SyncSigner,
} from './provider.ts';
import { parseKeyUri } from './uri.ts';

/**
 * Unencrypted private keys of the SGP.26 kind, for tests and command line tools; refused in production as
 * softkeys are. The file records no role; the registry keeps one key to one role.
 *
 * URIs: `pem:path=FILE`, `pem:FILE`. PKCS#8 or SEC1; P-256, brainpoolP256r1, FRP256V1 or RSA.
 */
export class PemKeyProvider implements KeyProvider, IntakeDecrypter, SyncSigner {
  readonly scheme = 'pem';
  readonly #options: SoftwareKeyOptions;
  readonly #open = new Map<string, LocalKey>();

  constructor(options: SoftwareKeyOptions) {
    requireSoftwareKeysAllowed('pem', options);
    this.#options = options;
  }

  async describe(uri: string): Promise<KeyDescription> {
    const { algorithm } = await this.#key(uri);
    const oaep = algorithm === 'rsa-oaep' ? { oaepHash: SOFTWARE_OAEP_HASH } : {};
    return { uri, algorithm, ...oaep, exportable: true, identity: this.#path(uri) };
  }

  async publicKey(uri: string): Promise<Bytes> {
    return (await this.#key(uri)).spki ?? unable(uri, 'has no public key');
  }

  async sign(uri: string, digest: Digest): Promise<Bytes> {
    return (await this.syncSigner(uri))(digest);
  }

  async syncSigner(uri: string): Promise<(digest: Digest) => Bytes> {
    return (await this.#key(uri)).sign ?? unable(uri, 'cannot sign');
  }

  async decrypt(uri: string, ciphertext: Bytes): Promise<Bytes> {
    return (await this.#key(uri)).decrypt?.(ciphertext) ?? unable(uri, 'cannot decrypt');
  }

  async generateDataKey(uri: string): Promise<DataKey> {
    return unable(uri, 'cannot wrap');
  }

  async unwrapDataKey(uri: string): Promise<Bytes> {
    return unable(uri, 'cannot unwrap');
  }

  async health(uri: string): Promise<void> {
    await this.#key(uri);
  }

  async close(): Promise<void> {
    this.#open.clear();
  }

  #path(uri: string): string {
    return keyFile(pemPath(uri), this.#options);
  }

  async #key(uri: string): Promise<LocalKey> {
    const opened = this.#open.get(uri);
    if (opened !== undefined) return opened;
    const path = this.#path(uri);
    let pem: string;
    try {
      pem = await readFile(path, 'utf8');
    } catch (cause) {
      throw new Fault('keyProvider', `the PEM file ${path} cannot be read`, { cause });
    }
    const key = localKeyFromPem(pem);
    this.#open.set(uri, key);
    return key;
  }
}

function pemPath(uri: string): string {
  const parsed = parseKeyUri(uri);
  if (parsed.scheme !== 'pem') throw new Fault('configuration', `a ${parsed.scheme} URI is no PEM file`);
  return parsed.path;
}

function unable(uri: string, what: string): never {
  throw new Fault('configuration', `the key ${uri} ${what}`);
}
