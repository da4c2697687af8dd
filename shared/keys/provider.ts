import { createHash } from 'node:crypto';
import type { Bytes } from '../codec/bytes.ts';

/**
 * The door to private keys (GENS05). A key is named by a URI; no private key ever passes through here.
 *
 * The core is small: describe, public key, sign, wrap, unwrap, health. What only some backends can do
 * (generate keys, open RSA-OAEP) is a separate ability, asked for by its own interface.
 */

/** What a key may be used for. A provider refuses to use a key outside its role. */
export type KeyRole =
  | 'binding'
  | 'delivery'
  | 'wrapping'
  | 'intake'
  /** Signs beside the delivery key what must hold for years, with ML-DSA. */
  | 'longTerm';

export type KeyAlgorithm =
  | 'ecdsa-p256'
  | 'ecdsa-brainpoolP256r1'
  | 'ecdsa-frp256v1'
  | 'aes-256'
  | 'rsa-oaep'
  | MlDsaAlgorithm;

/** ML-DSA (FIPS 204) by its parameter set. Keys of the first and the last are listed and have no use here. */
export type MlDsaAlgorithm = 'ml-dsa-44' | 'ml-dsa-65' | 'ml-dsa-87';

/** The hash that RSA-OAEP takes for its label and, in MGF1, for its mask (RFC 8017 section 7.1). */
export type OaepHash = 'sha-256' | 'sha-1';

export interface KeyDescription {
  readonly uri: string;
  readonly algorithm: KeyAlgorithm;
  /** Of `rsa-oaep` keys: the one hash that this key opens. SHA-1 only where its backend has nothing else. */
  readonly oaepHash?: OaepHash;
  /** The role that the backend recorded with the key; absent where it records none. */
  readonly role?: KeyRole;
  /** Can the private or secret key leave the backend in any form? */
  readonly exportable: boolean;
  /** How the backend itself names the key: an ARN, a token label and CKA_ID, a file. */
  readonly identity: string;
  /** What the backend says of the key, as evidence for an audit: PKCS#11 attributes, KMS metadata. Public. */
  readonly attributes?: Readonly<Record<string, string | boolean>>;
}

/**
 * A SHA-256 digest to be signed. KMS and PKCS#11 get the 32 octets; a backend that hashes by itself (OpenSSL
 * has no raw ECDSA entry in Node) takes the message that it was made from.
 */
export class Digest {
  readonly message: Bytes;
  #sha256: Bytes | undefined;

  private constructor(message: Bytes) {
    this.message = message;
  }

  static of(message: Bytes): Digest {
    return new Digest(message);
  }

  get sha256(): Bytes {
    this.#sha256 ??= createHash('sha256').update(this.message).digest();
    return this.#sha256;
  }
}

/** Bound to a wrapped key as authenticated data; the same context must be given to unwrap. Public values only. */
export type WrapContext = Readonly<Record<string, string>>;

export interface DataKey {
  /** 32 octets; the caller wipes it after use. */
  readonly plaintext: Bytes;
  readonly wrapped: Bytes;
}

export interface UseOptions {
  /**
   * Just-in-time requests are `interactive`: backends with a rate limit keep a share of it for them. `bulk`, the
   * default, is everything that a job does.
   */
  readonly priority?: 'interactive' | 'bulk';
  /** Called each time this use has to wait for another attempt; must not throw. */
  readonly onSlowed?: (slowed: Slowed) => void;
}

/** A call that the backend throttled or failed for the moment, and that is tried again. */
export interface Slowed {
  readonly call: string;
  readonly keyId: string;
  /** `slow`: the call took long by itself. */
  readonly reason: 'throttled' | 'transient' | 'slow';
  /** Milliseconds until the next attempt, or that the call took. */
  readonly wait: number;
}

export interface KeyProvider {
  readonly scheme: string;
  describe(uri: string): Promise<KeyDescription>;
  /** SubjectPublicKeyInfo in DER, in the canonical form of shared/crypto/ec-key-forms.ts: equal octets are equal keys. */
  publicKey(uri: string): Promise<Bytes>;
  /**
   * ECDSA: raw r‖s, 32 + 32 octets, each left-padded (BSI TR-03111 plain). ML-DSA-65: the 3,309 octets of FIPS 204 over the
   * message itself, without a context.
   */
  sign(uri: string, digest: Digest, options?: UseOptions): Promise<Bytes>;
  /** A new random data key of 32 octets and its wrapped form. */
  generateDataKey(uri: string, context: WrapContext, options?: UseOptions): Promise<DataKey>;
  /** The 32 octets of a wrapped data key; a wrong context or altered octets are a Fault, never other octets. */
  unwrapDataKey(uri: string, wrapped: Bytes, context: WrapContext, options?: UseOptions): Promise<Bytes>;
  /** Resolves when the backend answers and this key can be used; otherwise a Fault that says why. */
  health(uri: string): Promise<void>;
  close(): Promise<void>;
}

/**
 * Backends that hold the key in this process and sign faster than a promise settles: binding signs thousands of
 * times a second. Resolves once the key is ready; the function returned gives raw r‖s as `sign` does.
 */
export interface SyncSigner {
  syncSigner(uri: string): Promise<(digest: Digest) => Bytes>;
}

/** Backends that can make keys. An existing key is never replaced. */
export interface KeyGenerator {
  generate(uri: string, algorithm: KeyAlgorithm, role: KeyRole): Promise<KeyDescription>;
  /** Whether the backend, which must be in reach, has a key of this name. */
  exists(uri: string): Promise<boolean>;
}

/** Backends that can wrap a data key that exists: for moving data keys to a new wrapping key. */
export interface DataKeyWrapper {
  /** The wrapped form of 32 octets, as `generateDataKey` gives it. The caller wipes `plaintext`. */
  wrapDataKey(uri: string, plaintext: Bytes, context: WrapContext, options?: UseOptions): Promise<Bytes>;
}

/** Backends that can open what was encrypted to an RSA key of theirs, with RSA-OAEP under the key's `oaepHash`. */
export interface IntakeDecrypter {
  decrypt(uri: string, ciphertext: Bytes): Promise<Bytes>;
}
