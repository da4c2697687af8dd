import { createDecipheriv, createHash } from 'node:crypto';
import { compactDecrypt, importJWK, type JWK } from 'jose';
import { type Bytes, concat } from '../shared/codec/bytes.ts';
import { keyOf } from './curve.ts';
import { generateOneTimeKey, hybridSecret, publicOctets } from './suite.ts';
import { SimError } from './tlv.ts';

const HYBRID = 'ECDH-ES+ML-KEM-768';

const base64url = (octets: Bytes) => Buffer.from(octets).toString('base64url');
const octets = (text: unknown): Bytes => Uint8Array.from(Buffer.from(String(text), 'base64url'));

/** A private JWK for output rows: `pub` is a P-256 point ‖ an ML-KEM-768 encapsulation key, `priv` scalar ‖ d ‖ z. */
export function hybridOutputKey(): JWK & { readonly pub: string; readonly priv: string } {
  const { key, kemSeed } = generateOneTimeKey('p256-mlkem768');
  if (kemSeed === undefined) throw new SimError('a hybrid key has a seed');
  return {
    kty: 'AKP',
    alg: HYBRID,
    pub: base64url(publicOctets({ suite: 'p256-mlkem768', key, kemSeed })),
    priv: base64url(concat(key.scalar, kemSeed)),
  };
}

/** Header and plaintext of a JWE of getOrderOutput, opened with the Operator's private JWK. */
export async function openRows(
  jwe: string,
  jwk: JWK,
): Promise<{ readonly header: Readonly<Record<string, unknown>>; readonly rows: string }> {
  if (jwk.kty === 'AKP') return openHybrid(jwe, jwk);
  const key = await importJWK(jwk, jwk.kty === 'RSA' ? 'RSA-OAEP-256' : 'ECDH-ES+A256KW');
  const { plaintext, protectedHeader } = await compactDecrypt(jwe, key);
  return { header: { ...protectedHeader }, rows: Buffer.from(plaintext).toString('utf8') };
}

/** ECDH-ES with the secret of ML-KEM-768 behind that of the curve (docs/pre-sgp42.md, "Hybrid suite"). */
function openHybrid(jwe: string, jwk: JWK & { readonly priv?: unknown }) {
  const [head, encryptedKey, iv, ciphertext, tag] = jwe.split('.');
  const header = readHeader(text(head));
  if (header.alg !== HYBRID || header.enc !== 'A256GCM' || encryptedKey !== '')
    throw new SimError(`the rows are not encrypted with ${HYBRID} and A256GCM`);
  const secret = octets(jwk.priv);
  const key = keyOf('p256', secret.subarray(0, 32));
  const { x, y } = Object(header.epk) as { x?: unknown; y?: unknown };
  const epk = concat(Uint8Array.of(4), octets(x), octets(y));
  const { z, transcript } = hybridSecret(key, secret.subarray(32), epk, octets(header.ek));
  const name = Buffer.from('A256GCM');
  const cek = sha256(
    Uint8Array.of(0, 0, 0, 1),
    z,
    concat(Uint8Array.of(0, 0, 0, name.length), name, new Uint8Array(8), Uint8Array.of(0, 0, 1, 0)),
    transcript,
  );
  const cipher = createDecipheriv('aes-256-gcm', cek, octets(iv)).setAAD(Buffer.from(String(head)));
  cipher.setAuthTag(octets(tag));
  const plain = concat(cipher.update(octets(ciphertext)), cipher.final());
  return { header, rows: Buffer.from(plain).toString('utf8') };
}

function readHeader(json: string): Readonly<Record<string, unknown>> {
  const header: unknown = JSON.parse(json);
  if (typeof header !== 'object' || header === null) throw new SimError('the JWE has no header');
  return { ...header };
}

const text = (part: string | undefined) => Buffer.from(octets(part)).toString('utf8');

function sha256(...parts: readonly Bytes[]): Bytes {
  return createHash('sha256')
    .update(concat(...parts))
    .digest();
}
