import { createCipheriv, createHash, type KeyObject, randomBytes } from 'node:crypto';
import { type Bytes, concat, utf8, wipe } from '../../codec/bytes.ts';
import { P256, type PublicKey } from '../../crypto/curves.ts';
import { ML_KEM_768, mlKemEncapsulate, mlKemEncapsulationKey } from '../../crypto/ml-kem.ts';
import { Refusal, refuse } from '../../errors.ts';

/**
 * A JWE (RFC 7516, compact) to a P-256 point and an ML-KEM-768 encapsulation key together, our own proposal, since no
 * published algorithm of JOSE has both (docs/pre-sgp42.md, "Hybrid suite"): ECDH-ES in its direct form (RFC 7518 section
 * 4.6), whose Z has the secret of ML-KEM behind that of ECDH, and whose OtherInfo ends with the transcript.
 */
export const HYBRID_JWE_ALG = 'ECDH-ES+ML-KEM-768';

/** The recipient of such a JWE: `pub` of an AKP key is the point and then the encapsulation key, 1,249 octets. */
export interface HybridRecipient {
  readonly point: PublicKey;
  readonly encapsulationKey: Bytes;
  readonly kem: KeyObject;
}

/** Reads `{ kty: AKP, alg: ECDH-ES+ML-KEM-768, pub }`; undefined of a JWK of another kind. Refused as `orderInvalid`. */
export function hybridRecipient(jwk: Readonly<Record<string, unknown>>): HybridRecipient | undefined {
  if (jwk.kty !== 'AKP' || jwk.alg !== HYBRID_JWE_ALG) return undefined;
  if ('priv' in jwk) refuse('orderInvalid', 'outputKey is a private key: keep it, and send the public one');
  const pub = Buffer.from(String(jwk.pub), 'base64url');
  const length = P256.pointLength + ML_KEM_768.encapsulationKeyLength;
  if (pub.length !== length)
    refuse('orderInvalid', `pub of outputKey has ${length} octets: a P-256 point and an ML-KEM-768 key`);
  const encapsulationKey = pub.subarray(P256.pointLength);
  try {
    return {
      point: P256.publicKey(pub.subarray(0, P256.pointLength)),
      encapsulationKey,
      kem: mlKemEncapsulationKey(encapsulationKey),
    };
  } catch (cause) {
    if (!(cause instanceof Refusal)) throw cause;
    return refuse('orderInvalid', `outputKey: ${cause.message}`, { cause });
  }
}

/** The compact JWE, with `header` beside alg, enc, epk and ek in its protected header. */
export function encryptHybrid(
  { point, encapsulationKey, kem }: HybridRecipient,
  plaintext: Bytes,
  header: Readonly<Record<string, unknown>>,
): string {
  const ephemeral = P256.generateEphemeral();
  const fromCurve = ephemeral.agree(point);
  const { ciphertext: ek, sharedSecret: fromKem } = mlKemEncapsulate(kem);
  const transcript = createHash('sha256');
  for (const part of [ephemeral.point, point.point, ek, encapsulationKey]) transcript.update(part);
  const key = contentKey(fromCurve, fromKem, transcript.digest());
  try {
    const protectedHeader = base64url(
      utf8(
        JSON.stringify({
          alg: HYBRID_JWE_ALG,
          enc: 'A256GCM',
          epk: epkOf(ephemeral.point),
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
    ephemeral.wipe();
    wipe(fromCurve, fromKem, key);
  }
}

/**
 * Concat KDF (SP 800-56A section 5.8.1; RFC 7518 section 4.6.2): one round of SHA-256 over a counter, Z, AlgorithmID, two
 * parties without a name, the length in bits, and the transcript.
 */
function contentKey(fromCurve: Bytes, fromKem: Bytes, transcript: Bytes): Bytes {
  const algorithm = utf8('A256GCM');
  return createHash('sha256')
    .update(uint32(1))
    .update(fromCurve)
    .update(fromKem)
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

const base64url = (octets: Bytes) => Buffer.from(octets).toString('base64url');
