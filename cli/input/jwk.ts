import type { JWK } from 'jose';
import { present } from '../../shared/present.ts';
import type { JsonObject } from '../../sim/index.ts';
import { UsageError } from '../output/failure.ts';
import { readJson } from './files.ts';

export async function readJwk(path: string, option: string): Promise<JWK> {
  const jwk = await readJson(path, option);
  if (typeof jwk !== 'object' || jwk === null || !('kty' in jwk))
    throw new UsageError(`${option} holds no JWK`, 'smdpf sim operator key makes one.');
  return jwk as JWK;
}

export function publicJwk({ kty, crv, x, y, n, e, alg, pub }: JWK): JsonObject {
  return kty === 'AKP' ? present({ kty, alg, pub }) : present({ kty, crv, x, y, n, e });
}
