import { createCipheriv, createHash, randomBytes } from 'node:crypto';
import { type Bytes, concat, utf8, wipe } from '../../codec/bytes.ts';
import { P256 } from '../../crypto/curves.ts';
import {
  agreeHybrid,
  type HybridKey,
  hybridKeyLength,
  readHybridKey,
} from '../../crypto/hybrid-agreement.ts';
import { Refusal, refuse } from '../../errors.ts';
import { base64url } from '../keys/signed.ts';

/**
 * A JWE (RFC 7516, compact) to a P-256 point and an ML-KEM-768 encapsulation key together, our own proposal, since no
 * published algorithm of JOSE has both (docs/pre-sgp42.md, "Hybrid suite"): ECDH-ES in its direct form (RFC 7518 section
 * 4.6), whose Z has the secret of ML-KEM behind that of ECDH, and whose OtherInfo ends with the transcript.
 */
export const HYBRID_JWE_ALG = 'ECDH-ES+ML-KEM-768';

/**
 * The recipient of such a JWE, `{ kty: AKP, alg: ECDH-ES+ML-KEM-768, pub }`: `pub` is the point and then the encapsulation
 * key, 1,249 octets. Undefined of a JWK of another kind. Refused as `orderInvalid`.
 */
export function hybridRecipient(jwk: Readonly<Record<string, unknown>>): HybridKey | undefined {
  if (jwk.kty !== 'AKP' || jwk.alg !== HYBRID_JWE_ALG) return undefined;
  if ('priv' in jwk) refuse('orderInvalid', 'outputKey is a private key: keep it, and send the public one');
  const pub = Buffer.from(String(jwk.pub), 'base64url');
  const length = hybridKeyLength(P256);
  if (pub.length !== length)
    refuse('orderInvalid', `pub of outputKey has ${length} octets: a P-256 point and an ML-KEM-768 key`);
  try {
    return readHybridKey(P256, pub);
  } catch (cause) {
    if (!(cause instanceof Refusal)) throw cause;
    return refuse('orderInvalid', `outputKey: ${cause.message}`, { cause });
  }
}

/** The compact JWE, with `header` beside alg, enc, epk and ek in its protected header. */
export function encryptHybrid(
  recipient: HybridKey,
  plaintext: Bytes,
  header: Readonly<Record<string, unknown>>,
): string {
  const { ephemeralPoint, ciphertext: ek, sharedSecret, transcript } = agreeHybrid(recipient);
  const key = contentKey(sharedSecret, transcript);
  try {
    const protectedHeader = base64url(
      utf8(
        JSON.stringify({
          alg: HYBRID_JWE_ALG,
          enc: 'A256GCM',
          epk: epkOf(ephemeralPoint),
          ek: base64url(ek),
          ...header,
        }),
      ),
    );
    const iv = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(utf8(protectedHeader));
    const ciphertext = concat(cipher.update(plaintext), cipher.final());
    // agreed on directly: there is no encrypted key
    return [protectedHeader, '', ...[iv, ciphertext, cipher.getAuthTag()].map(base64url)].join('.');
  } finally {
    wipe(sharedSecret, key);
  }
}

/**
 * Concat KDF (SP 800-56A section 5.8.1; RFC 7518 section 4.6.2): one round of SHA-256 over a counter, Z, AlgorithmID, two
 * parties without a name, the length in bits, and the transcript.
 */
function contentKey(sharedSecret: Bytes, transcript: Bytes): Bytes {
  const algorithm = utf8('A256GCM');
  return createHash('sha256')
    .update(uint32(1))
    .update(sharedSecret)
    .update(concat(uint32(algorithm.length), algorithm, uint32(0), uint32(0), uint32(256), transcript))
    .digest();
}

const epkOf = (point: Bytes) => ({
  kty: 'EC',
  crv: 'P-256',
  x: base64url(point.subarray(1, 33)),
  y: base64url(point.subarray(33)),
});

function uint32(value: number): Bytes {
  const octets = Buffer.alloc(4);
  octets.writeUInt32BE(value);
  return octets;
}
