import { createPublicKey } from 'node:crypto';
import { type Bytes, utf8 } from '../../codec/bytes.ts';
import { Digest } from '../../keys/provider.ts';
import type { Jwk } from '../api/es2f.ts';
import { deliveryKey, deliveryPublicKeys, keyId, type SigningContext } from './delivery-keys.ts';

/** A compact JWS (RFC 7515, ES256) by the delivery key in use. */
export async function signedByDelivery(
  context: SigningContext,
  typ: string,
  payload: object,
): Promise<string> {
  const key = await deliveryKey(context);
  const header = { alg: 'ES256', typ, kid: keyId(key.publicKey) };
  const input = `${base64url(JSON.stringify(header))}.${base64url(JSON.stringify(payload))}`;
  const signature = await key.sign(Digest.of(utf8(input)));
  return `${input}.${base64url(signature)}`;
}

/** What verifies what the delivery key in use signs. */
export async function deliveryJwk(context: SigningContext): Promise<Jwk> {
  const [inUse] = await deliveryPublicKeys(context);
  return jwkOf(inUse!, 'sig', 'ES256');
}

/** A public key (SubjectPublicKeyInfo in DER) as a JWK (RFC 7517); `kid` is as in what it signs. */
export function jwkOf(spki: Bytes, use: 'enc' | 'sig', alg: string): Jwk {
  const key = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
  return { ...key.export({ format: 'jwk' }), use, alg, kid: keyId(spki) };
}

export const base64url = (content: string | Bytes) => Buffer.from(content).toString('base64url');
