import { hash } from 'node:crypto';
import { type Bytes, wipe } from '../codec/bytes.ts';

const HASH_LENGTH = 32;

/**
 * X9.63 key derivation with SHA-256 (BSI TR-03111 section 4.3.3): SHA-256(Z ‖ counter ‖ SharedInfo) for the 32-bit
 * big-endian counter 1, 2, …, cut to `length` octets. The caller wipes Z and the result.
 */
export function x963Kdf(sharedSecret: Bytes, sharedInfo: Bytes, length: number): Bytes {
  const input = Buffer.alloc(sharedSecret.length + 4 + sharedInfo.length);
  input.set(sharedSecret);
  input.set(sharedInfo, sharedSecret.length + 4);
  const keyData = Buffer.alloc(length);
  for (let counter = 1, at = 0; at < length; counter++, at += HASH_LENGTH) {
    input.writeUInt32BE(counter, sharedSecret.length);
    const block = hash('sha256', input, 'buffer');
    keyData.set(block.subarray(0, Math.min(HASH_LENGTH, length - at)), at);
    wipe(block);
  }
  wipe(input);
  return keyData;
}
