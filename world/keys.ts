import { createHash, generateKeyPairSync } from 'node:crypto';
import type { Bytes } from '../shared/codec/bytes.ts';
import { Fault } from '../shared/errors.ts';
import { generateSecret, type LocalKey, localKey } from '../shared/keys/local-key.ts';
import type {
  DataKey,
  DataKeyWrapper,
  Digest,
  KeyAlgorithm,
  KeyDescription,
  KeyProvider,
  WrapContext,
} from '../shared/keys/provider.ts';

/** Runs what a process asks of something outside of it; what it has to do with it is the world's to decide. */
export type Ask = <T>(what: string, effect: () => T) => Promise<T>;

/** The keys of a world by URI: made once per process of the computer, since they are slow to make and never stored. */
const made = new Map<string, LocalKey>();

export async function makeKey(algorithm: KeyAlgorithm, uri: string): Promise<void> {
  if (made.has(uri)) return;
  made.set(uri, localKey(algorithm, await secretOf(algorithm)));
}

const NAMED_CURVES = { 'ecdsa-p256': 'prime256v1', 'ecdsa-brainpoolP256r1': 'brainpoolP256r1' } as const;

/** Drawn by the seed: `generateSecret` has pairs made by another thread, as OpenSSL draws them. */
async function secretOf(algorithm: KeyAlgorithm): Promise<Bytes> {
  if (algorithm !== 'ecdsa-p256' && algorithm !== 'ecdsa-brainpoolP256r1')
    return await generateSecret(algorithm);
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: NAMED_CURVES[algorithm] });
  return privateKey.export({ format: 'der', type: 'pkcs8' });
}

/** SubjectPublicKeyInfo of a key that was made. */
export function spkiOf(uri: string): Bytes {
  const { spki } = keyOf(uri);
  if (spki === undefined) throw new Fault('keyProvider', `${uri} has no public key`);
  return spki;
}

function keyOf(uri: string): LocalKey {
  const key = made.get(uri);
  if (key === undefined) throw new Fault('keyProvider', `there is no key ${uri}`);
  return key;
}

/** A key provider in memory, as far away from its process as a KMS. */
export class SimulatedKeys implements KeyProvider, DataKeyWrapper {
  readonly scheme = 'softkey';
  readonly #ask: Ask;
  readonly #destroyed: Pick<ReadonlySet<string>, 'has'>;

  /** `destroyed`: URIs of keys that were retired, and are gone. */
  constructor(ask: Ask, destroyed: Pick<ReadonlySet<string>, 'has'>) {
    this.#ask = ask;
    this.#destroyed = destroyed;
  }

  #key(uri: string): LocalKey {
    if (this.#destroyed.has(uri)) throw new Fault('keyProvider', `the key ${uri} was retired and destroyed`);
    return keyOf(uri);
  }

  describe(uri: string): Promise<KeyDescription> {
    const { algorithm } = keyOf(uri);
    const identity = createHash('sha256').update(uri).digest('hex');
    return Promise.resolve({ uri, algorithm, exportable: false, identity });
  }

  async publicKey(uri: string): Promise<Bytes> {
    return spkiOf(uri);
  }

  sign(uri: string, digest: Digest): Promise<Bytes> {
    return this.#ask('keys.sign', () => this.#key(uri).sign!(digest));
  }

  generateDataKey(uri: string, context: WrapContext): Promise<DataKey> {
    return this.#ask('keys.generateDataKey', () => this.#key(uri).generateDataKey!(context));
  }

  wrapDataKey(uri: string, plaintext: Bytes, context: WrapContext): Promise<Bytes> {
    return this.#ask('keys.wrapDataKey', () => this.#key(uri).wrapDataKey!(plaintext, context));
  }

  unwrapDataKey(uri: string, wrapped: Bytes, context: WrapContext): Promise<Bytes> {
    return this.#ask('keys.unwrapDataKey', () => this.#key(uri).unwrapDataKey!(wrapped, context));
  }

  async health(uri: string): Promise<void> {
    keyOf(uri);
  }

  async close(): Promise<void> {}
}
