import { Buffer } from 'buffer/';

export { Buffer };

/** Whether octets are UTF-8, as `node:buffer` tells it. */
export function isUtf8(octets: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(octets);
    return true;
  } catch {
    return false;
  }
}
