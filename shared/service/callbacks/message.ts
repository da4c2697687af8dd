import { sign } from 'node:crypto';
import { utf8 } from '../../codec/bytes.ts';
import { base64url } from '../keys/signed.ts';
import { type OpenSigningKey, seconds } from './signing-key.ts';

/** `typ` of the JWS over a callback: no other signature of this server can be taken for one. */
export const CALLBACK_TYP = 'smdpf-callback+jws';

/** What a signature over a callback is bound to. */
export interface CallbackClaims {
  /** The callbackUrl that it is posted to, as the order has it. */
  readonly aud: string;
  /** functionCallIdentifier: the same on each repeat. */
  readonly jti: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/**
 * The detached JWS (RFC 7515 appendix F) over the body of a callback, for its header X-JWS-Signature: protected header,
 * nothing, signature. With base64url(body) between the two dots it is a compact JWS that any library verifies.
 *
 * The claims stand in the protected header (RFC 7519 section 5.3), since the body is that of the interface; `endorsement`
 * is the delivery key's word for the key that `kid` names, see signing-key.ts.
 */
export function callbackJws(content: string, { aud, jti, at }: CallbackClaims, key: OpenSigningKey): string {
  const { kid, endorsement } = key;
  const header = { alg: 'ES256', typ: CALLBACK_TYP, kid, aud, iat: seconds(at), jti, endorsement };
  const protectedHeader = base64url(JSON.stringify(header));
  const input = utf8(`${protectedHeader}.${base64url(content)}`);
  const signature = sign('sha256', input, { key: key.privateKey, dsaEncoding: 'ieee-p1363' });
  return `${protectedHeader}..${base64url(signature)}`;
}
