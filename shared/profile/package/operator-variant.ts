import { createCipheriv, createSecretKey } from 'node:crypto';
import { keccakP } from '@noble/hashes/sha3.js';
import type { Bytes } from '../../codec/bytes.ts';

/** OPc = E_K(OP) xor OP with AES-128 (3GPP TS 35.206 section 4.1, function 8.2). K and OP: 16 octets each. */
export function milenageOpc(k: Bytes, op: Bytes): Bytes {
  // a key object on purpose, as in crypto/bsp.ts: a row is made with it twice
  const cipher = createCipheriv('aes-128-ecb', createSecretKey(k), null).setAutoPadding(false);
  const opc = cipher.update(op);
  for (let i = 0; i < opc.length; i++) opc[i]! ^= op[i]!;
  return opc;
}

/**
 * TOPc (3GPP TS 35.231 section 6.1): TOP, instance, algorithm name and K through `iterations` of Keccak-f[1600].
 * The specification numbers bits from the end, so that octet strings enter and leave the state reversed.
 * TOP: 32 octets; K: 16 or 32.
 */
export function tuakTopc(k: Bytes, top: Bytes, iterations: number): Bytes {
  const state = new Uint32Array(50);
  const octets = new Uint8Array(state.buffer);
  octets.set(top.toReversed(), 0);
  octets[32] = k.length === 32 ? 1 : 0;
  octets.set(ALGONAME.toReversed(), 33);
  octets.set(k.toReversed(), 64);
  octets[96] = 0x1f;
  octets[135] = 0x80;
  for (let i = 0; i < iterations; i++) keccakP(state);
  const topc = Buffer.from(octets.subarray(0, 32)).reverse();
  octets.fill(0);
  return topc;
}

const ALGONAME = Buffer.from('TUAK1.0', 'ascii');
