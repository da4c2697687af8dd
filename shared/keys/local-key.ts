import {
  constants,
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  generateKeyPair,
  type KeyObject,
  privateDecrypt,
  randomBytes,
  sign,
} from 'node:crypto';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { type Bytes, concat, wipe } from '../codec/bytes.ts';
import { FRP256V1, toSpki } from '../crypto/curves.ts';
import { decodeEcdsaSignature } from '../crypto/ecdsa-signature.ts';
import { generateFrp256v1Secret, signFrp256v1 } from '../crypto/frp256v1.ts';
import { opensslPrivateKey } from '../crypto/openssl-curve.ts';
import { Fault, refuse } from '../errors.ts';
import { DATA_KEY_LENGTH, requireDataKey } from './data-key.ts';
import { type EcPrivateKey, ecPrivateKeyFromDer, ecPrivateKeyFromPem } from './ec-private-key.ts';
import { readAsOwn } from './key-curve.ts';
import type { DataKey, Digest, KeyAlgorithm, OaepHash, WrapContext } from './provider.ts';
import { encodeWrapContext } from './wrap-context.ts';

/**
 * A private or secret key in the memory of this process, kept in OpenSSL's key object so that no JavaScript
 * buffer holds it. Used by the software backends only. A key offers the operations of its algorithm.
 */
export interface LocalKey {
  readonly algorithm: KeyAlgorithm;
  /** SubjectPublicKeyInfo in DER; undefined for AES. */
  readonly spki?: Bytes;
  sign?(digest: Digest): Bytes;
  generateDataKey?(context: WrapContext): DataKey;
  wrapDataKey?(plaintext: Bytes, context: WrapContext): Bytes;
  unwrapDataKey?(wrapped: Bytes, context: WrapContext): Bytes;
  decrypt?(ciphertext: Bytes): Bytes;
}

export interface SoftwareKeyOptions {
  /** NODE_ENV as the process was started with. */
  readonly nodeEnv: string | undefined;
  /** Software keys are refused where NODE_ENV is `production`, unless this says otherwise. */
  readonly allowInProduction?: boolean;
  /** Where relative paths lead from; the working folder unless given. */
  readonly folder?: string;
}

/** Where the file of a key is. */
export const keyFile = (path: string, { folder }: Pick<SoftwareKeyOptions, 'folder'>): string =>
  folder === undefined ? path : resolve(folder, path);

/** Faults where software keys have no place. */
export function requireSoftwareKeysAllowed(scheme: string, options: SoftwareKeyOptions): void {
  if (options.nodeEnv === 'production' && options.allowInProduction !== true) {
    throw new Fault(
      'configuration',
      `${scheme} keys live in the memory of the server and are refused in production; use awskms or pkcs11`,
    );
  }
}

const OPENSSL_CURVES = {
  'ecdsa-p256': 'prime256v1',
  'ecdsa-brainpoolP256r1': 'brainpoolP256r1',
} as const;

const RSA_BITS = 3072;
/** What software keys open; backends that can choose take SHA-256. */
export const SOFTWARE_OAEP_HASH: OaepHash = 'sha-256';
/** The wrapped form: version 01, 12 octets IV, 32 octets ciphertext, 16 octets tag. */
const WRAPPED_LENGTH = 61;
const WRAPPED_VERSION = 0x01;
const generatePair = promisify(generateKeyPair);

/**
 * The secret form of a key, as `localKey` reads it: PKCS#8 DER, or the bare 32 octets of AES and FRP256V1, and of the seed
 * that ML-DSA-65 makes its key from.
 */
export async function generateSecret(algorithm: KeyAlgorithm): Promise<Bytes> {
  switch (algorithm) {
    case 'ecdsa-p256':
    case 'ecdsa-brainpoolP256r1': {
      const { privateKey } = await generatePair('ec', { namedCurve: OPENSSL_CURVES[algorithm] });
      return privateKey.export({ format: 'der', type: 'pkcs8' });
    }
    case 'rsa-oaep': {
      const { privateKey } = await generatePair('rsa', { modulusLength: RSA_BITS });
      return privateKey.export({ format: 'der', type: 'pkcs8' });
    }
    case 'ecdsa-frp256v1':
      return generateFrp256v1Secret();
    case 'aes-256':
      return randomBytes(32);
    case 'ml-dsa-65':
      return randomBytes(ML_DSA_SEED);
    case 'ml-dsa-44':
    case 'ml-dsa-87':
      throw new Fault('configuration', `software keys cannot be ${algorithm}`);
  }
}

/** The secret octets may be wiped afterwards. A secret that does not fit the algorithm is a Fault. */
export function localKey(algorithm: KeyAlgorithm, secret: Bytes): LocalKey {
  switch (algorithm) {
    case 'aes-256':
      return aesKey(secret);
    case 'ecdsa-frp256v1':
      return frp256v1Key(secret);
    case 'ml-dsa-65':
      return mlDsaKey(secret);
    case 'rsa-oaep':
      return rsaKey(createPrivateKey({ key: view(secret), format: 'der', type: 'pkcs8' }));
    default: {
      const key = readAsOwn(() => ecPrivateKeyFromDer(secret));
      if (key?.curve.keyAlgorithm !== algorithm)
        throw new Fault(
          'keyProvider',
          `the key is ${key?.curve.keyAlgorithm ?? 'on no curve'}, not ${algorithm}`,
        );
      return ecKey(key);
    }
  }
}

/** The key of a PEM file: PKCS#8 or SEC1, unencrypted. Its algorithm follows from the key itself. */
export function localKeyFromPem(pem: string): LocalKey {
  const ec = readAsOwn(() => ecPrivateKeyFromPem(pem));
  return ec === undefined ? rsaKey(otherKeyFromPem(pem)) : ecKey(ec);
}

/** Secret, as `localKey` reads it, and algorithm of an unencrypted PKCS#8 or SEC1 PEM. The caller wipes the secret. */
export function secretFromPem(pem: string): { algorithm: KeyAlgorithm; secret: Bytes } {
  const ec = readAsOwn(() => ecPrivateKeyFromPem(pem));
  if (ec === undefined)
    return {
      algorithm: 'rsa-oaep',
      secret: requireRsa(otherKeyFromPem(pem)).export({ format: 'der', type: 'pkcs8' }),
    };
  const { curve, scalar } = ec;
  const algorithm = curve.keyAlgorithm;
  if (algorithm === 'ecdsa-frp256v1') return { algorithm, secret: scalar };
  try {
    return { algorithm, secret: opensslPrivateKey(curve, scalar).export({ format: 'der', type: 'pkcs8' }) };
  } finally {
    wipe(scalar);
  }
}

/** Not a copy, which nobody would wipe. */
function view(octets: Bytes): Buffer {
  return Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength);
}

function otherKeyFromPem(pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    // no cause: OpenSSL's message is of no help here
    throw new Fault(
      'configuration',
      'the PEM holds no unencrypted private key of P-256, brainpoolP256r1, FRP256V1 or RSA',
    );
  }
}

function requireRsa(key: KeyObject): KeyObject {
  if (key.asymmetricKeyType !== 'rsa' || (key.asymmetricKeyDetails?.modulusLength ?? 0) < 2048)
    throw new Fault('configuration', 'the private key is neither EC nor RSA of at least 2048 bits');
  return key;
}

function rsaKey(key: KeyObject): LocalKey {
  return {
    algorithm: 'rsa-oaep',
    spki: createPublicKey(requireRsa(key)).export({ format: 'der', type: 'spki' }),
    decrypt: (octets) => oaepDecrypt(key, octets),
  };
}

/** Made anew from curve and scalar alone, so that it signs on the named curve whatever the file had said. */
function ecKey({ curve, scalar }: EcPrivateKey): LocalKey {
  try {
    if (curve.keyAlgorithm === 'ecdsa-frp256v1') return frp256v1Key(scalar);
    const key = opensslPrivateKey(curve, scalar);
    return {
      algorithm: curve.keyAlgorithm,
      spki: createPublicKey(key).export({ format: 'der', type: 'spki' }),
      // a bare key and DER: with an options object for raw r‖s, node:crypto takes some 40 µs longer
      sign: (digest) => decodeEcdsaSignature(curve, sign('sha256', digest.message, key)),
    };
  } finally {
    wipe(scalar);
  }
}

function oaepDecrypt(key: KeyObject, ciphertext: Bytes): Bytes {
  try {
    return privateDecrypt(
      { key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' },
      Buffer.from(ciphertext),
    );
  } catch {
    // One answer for every cause, so that nothing is learnt about the padding.
    return refuse('protocolFormat', 'the ciphertext does not open with the intake key');
  }
}

function frp256v1Key(secret: Bytes): LocalKey {
  const ephemeral = FRP256V1.ephemeralFrom(secret);
  const spki = toSpki(FRP256V1.publicKey(ephemeral.point));
  ephemeral.wipe();
  const key = createSecretKey(view(secret));
  return {
    algorithm: 'ecdsa-frp256v1',
    spki,
    sign(digest) {
      const scalar = key.export();
      try {
        return signFrp256v1(scalar, digest.message);
      } finally {
        wipe(scalar);
      }
    },
  };
}

/** Octets of the seed ξ of ML-DSA.KeyGen (FIPS 204 section 5.1). */
const ML_DSA_SEED = 32;
/** PKCS#8 of id-ml-dsa-65 with `seed [0]` (RFC 9881), before the seed. */
const ML_DSA_65_SEED = Buffer.from('3034020100300b060960864801650304031204228020', 'hex');

function mlDsaKey(secret: Bytes): LocalKey {
  if (secret.length !== ML_DSA_SEED)
    throw new Fault('keyProvider', 'an ML-DSA-65 key has a seed of 32 octets');
  const pkcs8 = concat(ML_DSA_65_SEED, secret);
  try {
    const key = createPrivateKey({ key: view(pkcs8), format: 'der', type: 'pkcs8' });
    return {
      algorithm: 'ml-dsa-65',
      spki: createPublicKey(key).export({ format: 'der', type: 'spki' }),
      sign: (digest) => sign(null, digest.message, key),
    };
  } catch (cause) {
    throw new Fault('configuration', `ML-DSA needs Node 24.7 or later; this is ${process.version}`, {
      cause,
    });
  } finally {
    wipe(pkcs8);
  }
}

function aesKey(secret: Bytes): LocalKey {
  if (secret.length !== 32) throw new Fault('keyProvider', 'an AES-256 key has 32 octets');
  const key = createSecretKey(view(secret));
  const wrapDataKey = (plaintext: Bytes, context: WrapContext): Bytes => {
    requireDataKey(plaintext);
    const iv = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(encodeWrapContext(context));
    const ciphertext = concat(cipher.update(plaintext), cipher.final());
    return concat(Buffer.of(WRAPPED_VERSION), iv, ciphertext, cipher.getAuthTag());
  };
  return {
    algorithm: 'aes-256',
    wrapDataKey,
    generateDataKey(context) {
      const plaintext = randomBytes(DATA_KEY_LENGTH);
      return { plaintext, wrapped: wrapDataKey(plaintext, context) };
    },
    unwrapDataKey(wrapped, context) {
      if (wrapped.length !== WRAPPED_LENGTH || wrapped[0] !== WRAPPED_VERSION) {
        throw new Fault('keyProvider', 'the wrapped data key has another form');
      }
      const decipher = createDecipheriv('aes-256-gcm', key, wrapped.subarray(1, 13))
        .setAAD(encodeWrapContext(context))
        .setAuthTag(wrapped.subarray(45));
      const plaintext = decipher.update(wrapped.subarray(13, 45));
      try {
        decipher.final();
      } catch {
        wipe(plaintext);
        throw new Fault('keyProvider', 'the wrapped data key does not open with this key and context');
      }
      return plaintext;
    },
  };
}
