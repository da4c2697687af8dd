import { createPublicKey, verify } from 'node:crypto';
import type { Bytes } from '../../codec/bytes.ts';
import { isObject } from '../records/schema.ts';

/** A compact JWS (RFC 7515) of JSON, taken apart; whether it holds is asked by `signedByOneOf`. */
export interface OpenedJws {
  readonly typ: string;
  readonly kid: string;
  readonly payload: Readonly<Record<string, unknown>>;
}

/** Undefined where it is none. */
export function openedJws(jws: string): OpenedJws | undefined {
  const [head, payload, signature, ...more] = jws.trim().split('.');
  if (head === undefined || payload === undefined || signature === undefined || more.length > 0)
    return undefined;
  const header = json(head);
  const content = json(payload);
  if (header === undefined || content === undefined) return undefined;
  return { typ: String(header.typ), kid: String(header.kid), payload: content };
}

function json(part: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(part, 'base64url'));
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The key among these under which it holds: ES256 (RFC 7518 section 3.4), raw r ‖ s. The header's own `alg` has no say. */
export function signedByOneOf(jws: string, spkis: readonly Bytes[]): Bytes | undefined {
  const at = jws.trim().lastIndexOf('.');
  const signature = Buffer.from(jws.trim().slice(at + 1), 'base64url');
  const input = Buffer.from(jws.trim().slice(0, at), 'ascii');
  return spkis.find((spki) => {
    const key = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
    return verify('sha256', input, { key, dsaEncoding: 'ieee-p1363' }, signature);
  });
}
