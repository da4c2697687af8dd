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
import { promisify } from 'node:util';
import { type Bytes, concat, wipe } from '../codec/bytes.ts';
import { FRP256V1, toSpki } from '../crypto/curves.ts';
import { decodeEcdsaSignature } from '../crypto/ecdsa-signature.ts';
import { generateFrp256v1Secret, signFrp256v1 } from '../crypto/frp256v1.ts';
import { Fault, refuse } from '../errors.ts';
import { DATA_KEY_LENGTH, requireDataKey } from './data-key.ts';
import { frp256v1FromPem } from './frp256v1-pem.ts';
import { curveOfKey } from './key-curve.ts';
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
}

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

/** The secret form of a key, as `localKey` reads it: PKCS#8 DER, or the bare 32 octets of AES and FRP256V1. */
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
    case 'ml-dsa':
      throw new Fault('configuration', 'software keys cannot be ml-dsa');
  }
}

/** The secret octets may be wiped afterwards. A secret that does not fit the algorithm is a Fault. */
export function localKey(algorithm: KeyAlgorithm, secret: Bytes): LocalKey {
  switch (algorithm) {
    case 'aes-256':
      return aesKey(secret);
    case 'ecdsa-frp256v1':
      return frp256v1Key(secret);
    default:
      return opensslKey(createPrivateKey({ key: view(secret), format: 'der', type: 'pkcs8' }), algorithm);
  }
}

/** The key of a PEM file: PKCS#8 or SEC1, unencrypted. Its algorithm follows from the key itself. */
export function localKeyFromPem(pem: string): LocalKey {
  const scalar = frp256v1FromPem(pem);
  if (scalar === undefined) return opensslKey(privateKeyFromPem(pem));
  try {
    return frp256v1Key(scalar);
  } finally {
    wipe(scalar);
  }
}

/** Secret, as `localKey` reads it, and algorithm of an unencrypted PKCS#8 or SEC1 PEM. The caller wipes the secret. */
export function secretFromPem(pem: string): { algorithm: KeyAlgorithm; secret: Bytes } {
  const scalar = frp256v1FromPem(pem);
  if (scalar !== undefined) return { algorithm: 'ecdsa-frp256v1', secret: scalar };
  const key = privateKeyFromPem(pem);
  return { algorithm: algorithmOf(key), secret: key.export({ format: 'der', type: 'pkcs8' }) };
}

/** Not a copy, which nobody would wipe. */
function view(octets: Bytes): Buffer {
  return Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength);
}

function privateKeyFromPem(pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    // No cause: OpenSSL's message is of no help here, and the input is a secret.
    throw new Fault(
      'configuration',
      'the PEM holds no unencrypted private key of P-256, brainpoolP256r1, FRP256V1 or RSA',
    );
  }
}

function algorithmOf(key: KeyObject): KeyAlgorithm {
  const { namedCurve, modulusLength } = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType === 'ec') {
    if (namedCurve === 'prime256v1') return 'ecdsa-p256';
    if (namedCurve === 'brainpoolP256r1') return 'ecdsa-brainpoolP256r1';
    throw new Fault(
      'configuration',
      `the private key is on ${namedCurve}, not on P-256, brainpoolP256r1 or FRP256V1`,
    );
  }
  if (key.asymmetricKeyType === 'rsa' && (modulusLength ?? 0) >= 2048) return 'rsa-oaep';
  throw new Fault('configuration', 'the private key is neither EC nor RSA of at least 2048 bits');
}

function opensslKey(key: KeyObject, algorithm: KeyAlgorithm = algorithmOf(key)): LocalKey {
  const found = algorithmOf(key);
  if (found !== algorithm) throw new Fault('keyProvider', `the key is ${found}, not ${algorithm}`);
  const spki = createPublicKey(key).export({ format: 'der', type: 'spki' });
  if (algorithm === 'rsa-oaep') return { algorithm, spki, decrypt: (octets) => oaepDecrypt(key, octets) };
  const curve = curveOfKey(algorithm);
  // a bare key and DER: with an options object for raw r‖s, node:crypto takes some 40 µs longer
  return {
    algorithm,
    spki,
    sign: (digest) => decodeEcdsaSignature(curve, sign('sha256', digest.message, key)),
  };
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
