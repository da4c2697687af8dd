import { readFile } from 'node:fs/promises';
import { type Bytes, utf8 } from '../../shared/codec/bytes.ts';
import { mlDsa65Key, mlDsa65SignatureHolds } from '../../shared/crypto/ml-dsa.ts';
import { LONG_TERM_TYP } from '../../shared/service/keys/long-term.ts';

/** Keys of both kinds, as getServerKeys and key files have them side by side. */
export function byKind(spkis: readonly Bytes[]): {
  readonly delivery: readonly Bytes[];
  readonly longTerm: readonly Bytes[];
} {
  const longTerm = spkis.filter((spki) => mlDsa65Key(spki) !== undefined);
  return { delivery: spkis.filter((spki) => !longTerm.includes(spki)), longTerm };
}

/**
 * Whether this detached JWS (ML-DSA-65) holds over the octets by one of these long-term keys: docs/pre-sgp42.md, "Second
 * signatures". Anything that is no such JWS does not.
 */
export function secondSignatureHolds(jws: string, octets: Bytes, longTerm: readonly Bytes[]): boolean {
  const [header, content, signature, more] = jws.split('.');
  if (header === undefined || content !== '' || signature === undefined || more !== undefined) return false;
  if (!isHeader(Buffer.from(header, 'base64url').toString('utf8'))) return false;
  const message = utf8(`${header}.${Buffer.from(octets).toString('base64url')}`);
  const raw = Buffer.from(signature, 'base64url');
  // one text for one signature: no other alphabet, padding or bits that are not used
  if (raw.toString('base64url') !== signature) return false;
  return longTerm.some((spki) => {
    const key = mlDsa65Key(spki);
    return key !== undefined && mlDsa65SignatureHolds(key, message, raw);
  });
}

function isHeader(json: string): boolean {
  try {
    const header: unknown = JSON.parse(json);
    return (
      typeof header === 'object' &&
      header !== null &&
      Reflect.get(header, 'alg') === 'ML-DSA-65' &&
      Reflect.get(header, 'typ') === LONG_TERM_TYP &&
      Reflect.get(header, 'crit') === undefined
    );
  } catch {
    return false;
  }
}

/** The text of a file; undefined where there is none. */
export async function textIfAny(file: string): Promise<string | undefined> {
  return await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
}
