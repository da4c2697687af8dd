import { type Bytes, wipe } from '../../codec/bytes.ts';
import { P256 } from '../../crypto/curves.ts';
import {
  agreeHybrid,
  type HybridKey,
  hybridKeyLength,
  readHybridKey,
} from '../../crypto/hybrid-agreement.ts';
import { Refusal, refuse } from '../../errors.ts';
import { base64url } from '../keys/signed.ts';
import { concatKdf, encryptCompact } from './compact-jwe.ts';

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
  // agreed on directly: there is no encrypted key
  const keys = {
    contentKey: concatKdf(sharedSecret, 'A256GCM', transcript),
    encryptedKey: new Uint8Array(0),
  };
  try {
    const named = { alg: HYBRID_JWE_ALG, epk: epkOf(ephemeralPoint), ek: base64url(ek) };
    return encryptCompact({ ...named, ...header }, keys, plaintext);
  } finally {
    wipe(sharedSecret, keys.contentKey);
  }
}

const epkOf = (point: Bytes) => ({
  kty: 'EC',
  crv: 'P-256',
  x: base64url(point.subarray(1, 33)),
  y: base64url(point.subarray(33)),
});
