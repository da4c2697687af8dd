/** Small helpers on octets that every room uses. No secrets policy lives here; see `wipe`. */

export type Bytes = Uint8Array;

const HEX = /^(?:[0-9a-fA-F]{2})*$/;

/** Lower-case hexadecimal. */
export function toHex(bytes: Bytes): string {
  // no second view where there is one: of short octets it would move them out of the heap of JavaScript
  if (Buffer.isBuffer(bytes)) return bytes.toString('hex');
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
  return a.length === b.length && equalFrom(a, 0, b);
}

/** A call of node:buffer takes as long as comparing so many octets here. */
const SHORT = 96;

/** Whether `part` stands at an offset of `octets`. Not for comparing secrets with what a stranger sent: it stops early. */
export function equalFrom(octets: Bytes, at: number, part: Bytes): boolean {
  const { length } = part;
  if (at + length > octets.length) return false;
  if (length > SHORT) return Buffer.compare(octets.subarray(at, at + length), part) === 0;
  for (let i = 0; i < length; i++) if (octets[at + i] !== part[i]) return false;
  return true;
}

/** Whether two buffers have the same octets from one offset to another: as `equalFrom`, without a view of either. */
export function equalWithin(a: Buffer, b: Buffer, from: number, to: number): boolean {
  if (to > a.length || to > b.length) return false;
  if (to - from > SHORT) return a.compare(b, from, to, from, to) === 0;
  for (let i = from; i < to; i++) if (a[i] !== b[i]) return false;
  return true;
}

export function utf8(text: string): Bytes {
  return Buffer.from(text, 'utf8');
}

/**
 * Gives the memory of octets back that nobody looks at again: they have no length from then on. Left to the collector, megabytes of a
 * task lie about until a heap is marked, and count towards the next marking. Octets that share their memory with others stay.
 */
export function release(octets: Bytes): void {
  const { buffer } = octets;
  if (buffer instanceof ArrayBuffer && !buffer.detached && buffer.byteLength === octets.length)
    buffer.transfer(0);
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
