import {
  constants,
  createCipheriv,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  type JsonWebKey,
  type KeyObject,
  publicEncrypt,
  randomBytes,
} from 'node:crypto';
import { type Bytes, concat, wipe } from '../../codec/bytes.ts';
import { CONTENT_KEY_LENGTH, concatKdf, encryptCompact } from './compact-jwe.ts';

/** Algorithms of RFC 7518 by which a content key reaches the Operator, by the type of its key. */
export const CLASSICAL_ALG = { EC: 'ECDH-ES+A256KW', RSA: 'RSA-OAEP-256' } as const;

/** RFC 3394 section 2.2.3.1. */
const WRAP_IV = Buffer.alloc(8, 0xa6);

/** The compact JWE to a public key of RSA or P-256 (output-rows.ts checks which), with `header` beside alg, enc and epk. */
export function encryptClassical(
  jwk: Readonly<Record<string, unknown>>,
  plaintext: Bytes,
  header: Readonly<Record<string, unknown>>,
): string {
  const recipient = createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' });
  const contentKey = randomBytes(CONTENT_KEY_LENGTH);
  try {
    const { encryptedKey, ...named } =
      recipient.asymmetricKeyType === 'rsa'
        ? byRsa(recipient, contentKey)
        : byAgreement(recipient, contentKey);
    return encryptCompact({ ...named, ...header }, { contentKey, encryptedKey }, plaintext);
  } finally {
    wipe(contentKey);
  }
}

/** RFC 7518 section 4.3, with SHA-256 and MGF1 of the same. */
function byRsa(recipient: KeyObject, contentKey: Bytes) {
  const padding = constants.RSA_PKCS1_OAEP_PADDING;
  const encryptedKey = publicEncrypt({ key: recipient, padding, oaepHash: 'sha256' }, contentKey);
  return { alg: CLASSICAL_ALG.RSA, encryptedKey };
}

/** RFC 7518 sections 4.4 and 4.6: the key that wraps is agreed on with a key of this JWE alone. */
function byAgreement(recipient: KeyObject, contentKey: Bytes) {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const z = diffieHellman({ privateKey, publicKey: recipient });
  const wrappingKey = concatKdf(z, CLASSICAL_ALG.EC);
  try {
    const wrap = createCipheriv('id-aes256-wrap', wrappingKey, WRAP_IV);
    const encryptedKey = concat(wrap.update(contentKey), wrap.final());
    return { alg: CLASSICAL_ALG.EC, epk: publicKey.export({ format: 'jwk' }), encryptedKey };
  } finally {
    wipe(z, wrappingKey);
  }
}
