import { CompactEncrypt, importJWK, type JWK } from 'jose';
import { utf8 } from '../../codec/bytes.ts';
import { refuse } from '../../errors.ts';

/**
 * Output rows for the Operator's HSS or UDM: JSON lines, one per profile, encrypted to the Operator's own public key
 * (RFC 7516, compact). The protected header names order, pack and number of packs, so that none can be left out or
 * swapped unseen.
 */
export async function encryptRows(
  outputKey: Readonly<Record<string, unknown>>,
  rows: readonly string[],
  place: { orderId: string; pack: number; packs: number },
): Promise<string> {
  const { key, alg } = await outputKeyOf(outputKey);
  return await new CompactEncrypt(utf8(`${rows.join('\n')}\n`))
    .setProtectedHeader({ alg, enc: 'A256GCM', order: place.orderId, pack: place.pack, packs: place.packs })
    .encrypt(key);
}

/** Refuses what is not a public RSA (2048 bits and more) or P-256 key. */
export async function outputKeyOf(jwk: Readonly<Record<string, unknown>>) {
  if ('d' in jwk) refuse('orderInvalid', 'outputKey is a private key: keep it, and send the public one');
  const alg =
    jwk.kty === 'RSA'
      ? 'RSA-OAEP-256'
      : jwk.kty === 'EC' && jwk.crv === 'P-256'
        ? 'ECDH-ES+A256KW'
        : undefined;
  if (alg === undefined) refuse('orderInvalid', 'outputKey is an RSA or P-256 public key in JWK form');
  if (jwk.kty === 'RSA' && Buffer.from(String(jwk.n), 'base64url').length < 256) {
    refuse('orderInvalid', 'outputKey has fewer than 2048 bits');
  }
  try {
    return { key: await importJWK(jwk as JWK, alg), alg };
  } catch (cause) {
    return refuse('orderInvalid', 'outputKey is not a valid public key in JWK form', { cause });
  }
}
