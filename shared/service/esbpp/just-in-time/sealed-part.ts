import { createCipheriv, createDecipheriv, createSecretKey, randomBytes } from 'node:crypto';
import type { Bytes } from '../../../codec/bytes.ts';
import { DamagedObject } from '../../../vault/vault.ts';
import type { Context } from '../../context.ts';
import { readWhole } from '../../life/checked-reads.ts';
import type { ChunkRecord } from '../../records/job.ts';

/** AES-256-GCM. A key seals one part, so that its nonce may be the same for all. */
const CIPHER = 'aes-256-gcm';
const KEY = 32;
const NONCE = new Uint8Array(12);
/** Octets by which a sealed part is longer. */
export const SEAL = 16;

/**
 * Seals a part under a key of its own, which nobody has until the commit that names the part carries it. A part that no
 * commit names opens for nobody, whatever else is known: its ICCID may go to another eUICC (I2).
 */
export function sealPart(plain: Bytes): { readonly sealed: Bytes; readonly partKey: Bytes } {
  const partKey = randomBytes(KEY);
  const cipher = createCipheriv(CIPHER, createSecretKey(partKey), NONCE);
  return { partKey, sealed: Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]) };
}

/** The BppItems of a committed chunk, as they were written. */
export async function readPart(
  context: Pick<Context, 'vault' | 'log'>,
  { part, partKey }: Pick<ChunkRecord, 'part' | 'partKey'>,
): Promise<Bytes> {
  const stored = await readWhole(context, part);
  if (partKey === undefined) return stored;
  const end = stored.length - SEAL;
  const cipher = createDecipheriv(CIPHER, partKey, NONCE).setAuthTag(stored.subarray(end));
  try {
    return Buffer.concat([cipher.update(stored.subarray(0, end)), cipher.final()]);
  } catch {
    throw new DamagedObject(part.name);
  }
}
