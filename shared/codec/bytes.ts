/** Small helpers on octets that every room uses. No secrets policy lives here; see `wipe`. */

export type Bytes = Uint8Array;

const HEX = /^(?:[0-9a-fA-F]{2})*$/;

/** Lower-case hexadecimal. */
export function toHex(bytes: Bytes): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}

/** Octets of an even-length hexadecimal string; throws RangeError on anything else. */
export function fromHex(hex: string): Bytes {
  if (!HEX.test(hex)) throw new RangeError('not an even-length hexadecimal string');
  return Buffer.from(hex, 'hex');
}

export function concat(...parts: readonly Bytes[]): Bytes {
  return Buffer.concat(parts as Uint8Array[]);
}

export function equal(a: Bytes, b: Bytes): boolean {
  return a.length === b.length && Buffer.compare(a, b) === 0;
}

export function utf8(text: string): Bytes {
  return Buffer.from(text, 'utf8');
}

/** Overwrites secret octets. The runtime may hold copies we cannot reach; this removes the one we can. */
export function wipe(...secrets: readonly (Bytes | undefined)[]): void {
  for (const secret of secrets) secret?.fill(0);
}

/** What the work gives; where it throws, the secret that it was about is overwritten. */
export function orWipe<T>(secret: Bytes, work: () => T): T {
  try {
    return work();
  } catch (error) {
    wipe(secret);
    throw error;
  }
}
