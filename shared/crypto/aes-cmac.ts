import { createCipheriv, createSecretKey } from 'node:crypto';
import { type Bytes, wipe } from '../codec/bytes.ts';

/** AES-128-CMAC (RFC 4493, NIST SP 800-38B). */

export const BLOCK = 16;
export const ZERO_BLOCK: Bytes = Buffer.alloc(BLOCK);

/** The subkeys K1 and K2 of RFC 4493 section 2.3 from L = AES(key, 0), 16 octets each. */
export function cmacSubkeys(l: Bytes): { readonly k1: Bytes; readonly k2: Bytes } {
  const k1 = double(l);
  return { k1, k2: double(k1) };
}

/** Multiplication by x in GF(2^128). */
function double(block: Bytes): Bytes {
  const doubled = Buffer.allocUnsafe(BLOCK);
  for (let i = 0; i < BLOCK; i++) doubled[i] = (block[i]! << 1) | ((block[i + 1] ?? 0) >>> 7);
  // no branch on a secret bit
  doubled[BLOCK - 1]! ^= 0x87 & -(block[0]! >>> 7);
  return doubled;
}

/** All 16 octets; the BSP sends the first eight of them. */
export function aesCmac(key: Bytes, message: Bytes): Bytes {
  const cipher = createCipheriv('aes-128-cbc', createSecretKey(key), ZERO_BLOCK).setAutoPadding(false);
  const l = cipher.update(ZERO_BLOCK);
  const { k1, k2 } = cmacSubkeys(l);
  const complete = message.length > 0 && message.length % BLOCK === 0;
  const blocks = Buffer.alloc(Math.max(BLOCK, Math.ceil(message.length / BLOCK) * BLOCK));
  blocks.set(message);
  if (!complete) blocks[message.length] = 0x80;
  xorInto(blocks, blocks.length - BLOCK, complete ? k1 : k2);
  // the same cipher made L, so its chaining state is L and has to be taken out of the first block again
  xorInto(blocks, 0, l);
  const mac = cipher.update(blocks).subarray(-BLOCK);
  cipher.final();
  wipe(l, k1, k2);
  return mac;
}

/** target[at …] ^= block, one block. */
export function xorInto(target: Bytes, at: number, block: Bytes): void {
  for (let i = 0; i < BLOCK; i++) target[at + i]! ^= block[i]!;
}
