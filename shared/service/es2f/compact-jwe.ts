import { createCipheriv, hash, randomBytes } from 'node:crypto';
import { type Bytes, concat, utf8, wipe } from '../../codec/bytes.ts';
import { base64url } from '../keys/signed.ts';

/*
 * JWE in compact serialisation (RFC 7516 section 7.1) with A256GCM, as output rows travel: a pack has some hundred kilobytes of
 * them, which are turned into text once here, and by one call.
 */

/** Octets of a content encryption key. */
export const CONTENT_KEY_LENGTH = 32;
const IV_LENGTH = 12;

export interface JweHeader extends Readonly<Record<string, unknown>> {
  readonly alg: string;
}

/** Encrypts under a content key; the caller wipes key and plaintext. `encryptedKey` is empty of a key that was agreed on directly. */
export function encryptCompact(
  header: JweHeader,
  { contentKey, encryptedKey }: { readonly contentKey: Bytes; readonly encryptedKey: Bytes },
  plaintext: Bytes,
): string {
  const { alg, ...others } = header;
  const protectedHeader = base64url(utf8(JSON.stringify({ alg, enc: 'A256GCM', ...others })));
  const iv = randomBytes(IV_LENGTH);
  const cipher = createCipheriv('aes-256-gcm', contentKey, iv).setAAD(utf8(protectedHeader));
  const ciphertext = cipher.update(plaintext);
  // of GCM there is nothing left but the tag
  cipher.final();
  const parts = [encryptedKey, iv, ciphertext, cipher.getAuthTag()].map(base64url);
  return [protectedHeader, ...parts].join('.');
}

/**
 * 32 octets by the Concat KDF (SP 800-56A section 5.8.1; RFC 7518 section 4.6.2): one round of SHA-256 over a counter, Z,
 * AlgorithmID, two parties without a name, the length in bits, and what else both sides know.
 */
export function concatKdf(z: Bytes, algorithm: string, shared: Bytes = new Uint8Array(0)): Bytes {
  const name = utf8(algorithm);
  const input = concat(
    uint32(1),
    z,
    uint32(name.length),
    name,
    uint32(0),
    uint32(0),
    uint32(8 * CONTENT_KEY_LENGTH),
    shared,
  );
  const key = hash('sha256', input, 'buffer');
  wipe(input);
  return key;
}

function uint32(value: number): Bytes {
  const octets = Buffer.alloc(4);
  octets.writeUInt32BE(value);
  return octets;
}
