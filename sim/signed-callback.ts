import { compactVerify, importJWK, type JWK } from 'jose';
import type { JsonObject } from './http.ts';
import { SimError } from './tlv.ts';

/** What a verified callback says of itself. */
export interface CallbackClaims {
  readonly jti: string;
  /** Seconds since 1970. */
  readonly iat: number;
}

/**
 * Verifies X-JWS-Signature of a callback, a detached JWS over the octets of its body: the key that signed is the one
 * that the `endorsement` in the header names, which a delivery key of the server has signed. Throws where anything of that
 * does not hold.
 */
export async function verifyCallback(
  body: Uint8Array,
  signature: string,
  { url, deliveryKeys }: { readonly url: string; readonly deliveryKeys: readonly JWK[] },
): Promise<CallbackClaims> {
  const [head, nothing, sign, ...more] = signature.split('.');
  if (head === undefined || nothing !== '' || sign === undefined || more.length > 0)
    throw new SimError('X-JWS-Signature is no detached JWS');
  const header = jsonOf(head);
  if (header.typ !== 'smdpf-callback+jws') throw new SimError('the JWS is of another type');
  const endorsed = await verifyEndorsement(String(header.endorsement), deliveryKeys);
  if (header.kid !== endorsed.jwk.kid) throw new SimError('the endorsement is for another key');
  const key = await importJWK(endorsed.jwk, 'ES256');
  const compact = `${head}.${Buffer.from(body).toString('base64url')}.${sign}`;
  await compactVerify(compact, key, { algorithms: ['ES256'] }).catch(() => {
    throw new SimError('the signature does not hold over this body');
  });
  if (header.aud !== url) throw new SimError(`the callback is meant for ${String(header.aud)}`);
  const { jti, iat } = header;
  if (typeof jti !== 'string' || typeof iat !== 'number') throw new SimError('jti or iat is missing');
  if (iat < endorsed.nbf || iat >= endorsed.exp)
    throw new SimError('the callback was not signed while its key was endorsed');
  return { jti, iat };
}

interface Endorsed {
  readonly jwk: JWK;
  readonly nbf: number;
  readonly exp: number;
}

async function verifyEndorsement(endorsement: string, deliveryKeys: readonly JWK[]): Promise<Endorsed> {
  const { kid } = jsonOf(endorsement.split('.')[0] ?? '');
  const delivery = deliveryKeys.find((one) => one.kid === kid);
  if (delivery === undefined) throw new SimError('the key is endorsed by no delivery key of the server');
  const { payload, protectedHeader } = await compactVerify(endorsement, await importJWK(delivery, 'ES256'), {
    algorithms: ['ES256'],
  }).catch(() => {
    throw new SimError('the endorsement does not hold');
  });
  if (protectedHeader.typ !== 'smdpf-callback-key+jws')
    throw new SimError('the endorsement is of another type');
  const { jwk, nbf, exp } = JSON.parse(Buffer.from(payload).toString('utf8')) as JsonObject;
  if (typeof jwk !== 'object' || jwk === null || typeof nbf !== 'number' || typeof exp !== 'number')
    throw new SimError('the endorsement lacks jwk, nbf or exp');
  return { jwk: jwk as JWK, nbf, exp };
}

function jsonOf(part: string): JsonObject {
  try {
    return JSON.parse(Buffer.from(part, 'base64url').toString('utf8')) as JsonObject;
  } catch {
    throw new SimError('a header of the JWS is not JSON');
  }
}
