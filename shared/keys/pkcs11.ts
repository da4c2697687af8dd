import { randomBytes } from 'node:crypto';
import type { AesGCM, Handle, Mechanism } from 'pkcs11js';
import { type Bytes, concat, toHex, wipe } from '../codec/bytes.ts';
import { Fault, refuse, SmdpfError } from '../errors.ts';
import { DATA_KEY_LENGTH, requireDataKey } from './data-key.ts';
import { curveOfKey, isSigning } from './key-curve.ts';
import { ckr, ckrName } from './pkcs11/module.ts';
import { oaep } from './pkcs11/oaep.ts';
import { findKey, findKeyHandles, generateTokenKey, readPublicKey, type TokenKey } from './pkcs11/objects.ts';
import { type Connection, Token } from './pkcs11/token.ts';
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
  WrapContext,
} from './provider.ts';
import { requireRoleFits } from './role.ts';
import { type Environment, readSecret, type SecretSource } from './secret-source.ts';
import { formatKeyUri, type Pkcs11Uri, parseKeyUri } from './uri.ts';
import { encodeWrapContext } from './wrap-context.ts';

export interface Pkcs11Options {
  /** The PKCS#11 library, for URIs that name no module-path. */
  readonly modulePath?: string;
  /** Where the PIN is read from, for URIs that name no pin-source. */
  readonly pinSource?: SecretSource;
  /** What `env:NAME` pin-sources are read from. */
  readonly env: Environment;
  /** Sessions open at most per token; also the operations that are under way at once. Default 8. */
  readonly sessions?: number;
}

const DEFAULT_SESSIONS = 8;
const WRAPPED_VERSION = 0x01;
const IV_LENGTH = 12;
const TAG_LENGTH = 16;
const WRAPPED_LENGTH = 1 + IV_LENGTH + DATA_KEY_LENGTH + TAG_LENGTH;

/**
 * Keys in a PKCS#11 token (v2.40): an HSM, or SoftHSM2.
 *
 * URIs: RFC 7512 `pkcs11:` with one of token, serial and slot-id, and one of object and id; module-path and
 * pin-source in the query or from the options. A PIN in the URI is refused.
 *
 * - ECDSA: CKM_ECDSA over the SHA-256 digest; P-256, brainpoolP256r1, and FRP256V1 where the token has it.
 * - Wrapping: CKM_AES_GCM; the IV is chosen here and the context is the additional data. Wrapped form: 01, IV (12),
 *   ciphertext (32), tag (16).
 * - Intake: CKM_RSA_PKCS_OAEP with SHA-256 and MGF1-SHA-256, or with SHA-1 where the token has nothing else, as
 *   SoftHSM2 up to 2.6.1: `describe` says which.
 *
 * Signing, encryption and key generation run in Node's thread pool; only the short calls that prepare them
 * (C_SignInit, C_FindObjects and the login) hold the event loop. UV_THREADPOOL_SIZE, 4 unless set, limits how many
 * run at once. A token records no roles; the registry keeps one key to one role.
 */
export class Pkcs11Provider implements KeyProvider, KeyGenerator, DataKeyWrapper, IntakeDecrypter {
  readonly scheme = 'pkcs11';
  readonly #options: Pkcs11Options;
  readonly #uris = new Map<string, { readonly parsed: Pkcs11Uri; readonly token: Token }>();
  readonly #tokens = new Map<string, Token>();

  constructor(options: Pkcs11Options) {
    this.#options = options;
  }

  describe(uri: string): Promise<KeyDescription> {
    return this.#use(uri, async (_connection, _session, { algorithm, oaepHash, attributes, label, id }) => ({
      uri,
      algorithm,
      ...(oaepHash && { oaepHash }),
      exportable: attributes.CKA_EXTRACTABLE !== false || attributes.CKA_SENSITIVE !== true,
      identity: `${this.#target(uri).parsed.token ?? 'token'}/${label}/${toHex(id)}`,
      attributes,
    }));
  }

  publicKey(uri: string): Promise<Bytes> {
    return this.#use(uri, async ({ cryptoki }, session, key) => readPublicKey(cryptoki, session, key));
  }

  sign(uri: string, digest: Digest): Promise<Bytes> {
    return this.#use(uri, async ({ cryptoki: { library, constants } }, session, key) => {
      if (!isSigning(key.algorithm)) throw unable(uri, 'cannot sign');
      library.C_SignInit(session, { mechanism: constants.CKM_ECDSA }, key.handle);
      const room = Buffer.alloc(curveOfKey(key.algorithm).signatureLength);
      return library.C_SignAsync(session, Buffer.from(digest.sha256), room);
    });
  }

  async generateDataKey(uri: string, context: WrapContext): Promise<DataKey> {
    const plaintext = randomBytes(DATA_KEY_LENGTH);
    try {
      return { plaintext, wrapped: await this.wrapDataKey(uri, plaintext, context) };
    } catch (error) {
      wipe(plaintext);
      throw error;
    }
  }

  async wrapDataKey(uri: string, plaintext: Bytes, context: WrapContext): Promise<Bytes> {
    requireDataKey(plaintext);
    const octets = Buffer.from(plaintext.buffer, plaintext.byteOffset, plaintext.byteLength);
    return this.#use(uri, async (connection, session, key) => {
      const { library } = connection.cryptoki;
      const iv = randomBytes(IV_LENGTH);
      library.C_EncryptInit(session, gcm(connection, uri, key, iv, context), key.handle);
      const room = Buffer.alloc(DATA_KEY_LENGTH + TAG_LENGTH);
      const sealed = await library.C_EncryptAsync(session, octets, room);
      return concat(Buffer.of(WRAPPED_VERSION), iv, sealed);
    });
  }

  async unwrapDataKey(uri: string, wrapped: Bytes, context: WrapContext): Promise<Bytes> {
    if (wrapped.length !== WRAPPED_LENGTH || wrapped[0] !== WRAPPED_VERSION) {
      throw new Fault('keyProvider', 'the wrapped data key has another form');
    }
    const iv = Buffer.from(wrapped.subarray(1, 1 + IV_LENGTH));
    const sealed = Buffer.from(wrapped.subarray(1 + IV_LENGTH));
    return this.#use(uri, async (connection, session, key) => {
      const { library } = connection.cryptoki;
      library.C_DecryptInit(session, gcm(connection, uri, key, iv, context), key.handle);
      try {
        const room = Buffer.alloc(sealed.length);
        return (await library.C_DecryptAsync(session, sealed, room)).subarray(0, DATA_KEY_LENGTH);
      } catch (error) {
        if (!DOES_NOT_OPEN.has(ckrName(error))) throw error;
        throw new Fault('keyProvider', 'the wrapped data key does not open with this key and context');
      }
    });
  }

  decrypt(uri: string, ciphertext: Bytes): Promise<Bytes> {
    return this.#use(uri, async ({ cryptoki }, session, key) => {
      const { library } = cryptoki;
      if (key.algorithm !== 'rsa-oaep') throw unable(uri, 'cannot decrypt');
      if (key.oaepHash === undefined) throw unable(uri, 'has no RSA-OAEP that its token can do');
      library.C_DecryptInit(session, oaep(cryptoki, key.oaepHash), key.handle);
      try {
        return await library.C_DecryptAsync(session, Buffer.from(ciphertext), Buffer.alloc(1024));
      } catch (error) {
        if (!DOES_NOT_OPEN.has(ckrName(error))) throw error;
        return refuse('protocolFormat', 'the ciphertext does not open with the intake key');
      }
    });
  }

  /** Makes a non-extractable key labelled with the URI's object; without an id in the URI a random one is given. */
  async generate(uri: string, algorithm: KeyAlgorithm, role: KeyRole): Promise<KeyDescription> {
    requireRoleFits(role, algorithm);
    const { parsed, token } = this.#target(uri);
    const label = parsed.object;
    if (label === undefined) throw new Fault('configuration', 'a new token key needs a name: object=…');
    await translated(() =>
      token.use(async ({ cryptoki, slot }, session) => {
        if (findKeyHandles(cryptoki, session, parsed).length > 0) {
          throw new Fault('configuration', 'the token has a key of this name, which is not replaced');
        }
        const { library, constants } = cryptoki;
        const writable = library.C_OpenSession(slot, constants.CKF_SERIAL_SESSION | constants.CKF_RW_SESSION);
        try {
          await generateTokenKey(cryptoki, writable, { label, id: parsed.id ?? randomBytes(16) }, algorithm);
        } finally {
          library.C_CloseSession(writable);
        }
      }),
    );
    return this.describe(uri);
  }

  exists(uri: string): Promise<boolean> {
    const { parsed, token } = this.#target(uri);
    return translated(() =>
      token.use(async ({ cryptoki }, session) => findKeyHandles(cryptoki, session, parsed).length > 0),
    );
  }

  /** Looks the key up again in the token. */
  async health(uri: string): Promise<void> {
    const { parsed, token } = this.#target(uri);
    await translated(() =>
      token.use(async ({ cryptoki, keys }, session) => {
        keys.set(uri, findKey(cryptoki, session, parsed));
      }),
    );
  }

  /** Closes the sessions. C_Finalize is not called: it would end the library for others in this process. */
  async close(): Promise<void> {
    await Promise.all([...this.#tokens.values()].map((token) => token.close()));
    this.#tokens.clear();
    this.#uris.clear();
  }

  #use<T>(
    uri: string,
    operation: (connection: Connection, session: Handle, key: TokenKey) => Promise<T>,
  ): Promise<T> {
    return translated(() => {
      const { parsed, token } = this.#target(uri);
      return token.use((connection, session) => {
        let key = connection.keys.get(uri);
        if (key === undefined) {
          key = findKey(connection.cryptoki, session, parsed);
          connection.keys.set(uri, key);
        }
        return operation(connection, session, key);
      });
    });
  }

  #target(uri: string): { readonly parsed: Pkcs11Uri; readonly token: Token } {
    const known = this.#uris.get(uri);
    if (known !== undefined) return known;
    const parsed = parseKeyUri(uri);
    if (parsed.scheme !== 'pkcs11') {
      throw new Fault('configuration', `a ${parsed.scheme} URI is no token key`);
    }
    const target = { parsed, token: this.#token(parsed) };
    this.#uris.set(uri, target);
    return target;
  }

  /** Keys of one token share its sessions and its login. */
  #token(uri: Pkcs11Uri): Token {
    const modulePath = uri.modulePath ?? this.#options.modulePath;
    if (modulePath === undefined) throw new Fault('configuration', 'pkcs11 keys need a module-path');
    const pinSource = uri.pinSource ?? this.#options.pinSource;
    if (pinSource === undefined) throw new Fault('configuration', 'pkcs11 keys need a pin-source');
    const { object: _object, id: _id, type: _type, ...selector } = { ...uri, modulePath, pinSource };
    const name = formatKeyUri(selector);
    const known = this.#tokens.get(name);
    if (known !== undefined) return known;
    const token = new Token({
      modulePath,
      selector,
      pin: () => readSecret(pinSource, this.#options.env),
      sessions: this.#options.sessions ?? DEFAULT_SESSIONS,
    });
    this.#tokens.set(name, token);
    return token;
  }
}

/** Answers to altered input. SoftHSM2 says CKR_GENERAL_ERROR where GCM's tag or OAEP's padding is wrong. */
const DOES_NOT_OPEN: ReadonlySet<string> = new Set([
  'CKR_ENCRYPTED_DATA_INVALID',
  'CKR_ENCRYPTED_DATA_LEN_RANGE',
  'CKR_AEAD_DECRYPT_FAILED',
  'CKR_DATA_INVALID',
  'CKR_GENERAL_ERROR',
]);

function gcm(
  { cryptoki: { constants } }: Connection,
  uri: string,
  key: TokenKey,
  iv: Buffer,
  context: WrapContext,
): Mechanism {
  if (key.algorithm !== 'aes-256') throw unable(uri, 'cannot wrap');
  const parameter: AesGCM = {
    type: constants.CK_PARAMS_AES_GCM_v240,
    iv,
    ivBits: IV_LENGTH * 8,
    aad: Buffer.from(encodeWrapContext(context)),
    tagBits: TAG_LENGTH * 8,
  };
  return { mechanism: constants.CKM_AES_GCM, parameter };
}

function unable(uri: string, what: string): Fault {
  return new Fault('configuration', `the key ${uri} ${what}`);
}

/** What the library throws becomes a Fault with the name of the CKR code. */
async function translated<T>(use: () => Promise<T>): Promise<T> {
  try {
    return await use();
  } catch (error) {
    if (error instanceof SmdpfError || ckr(error) === undefined) throw error;
    throw new Fault('keyProvider', `the token refuses: ${ckrName(error)}`, { cause: error });
  }
}
