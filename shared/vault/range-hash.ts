import { createHash } from 'node:crypto';
import { type Bytes, equal } from '../codec/bytes.ts';
import { DamagedObject, type ObjectRef, type Vault } from './vault.ts';

/**
 * Hashes of stretches of an object, for who reads a stretch and not the whole: the first 16 octets of the SHA-256 of
 * each, one after the other. Half of the digest keeps a second preimage at 2^128 and the record small.
 */
const LENGTH = 16;

export function rangeHash(octets: Bytes): Bytes {
  return createHash('sha256').update(octets).digest().subarray(0, LENGTH);
}

/** Of each stretch between two neighbours of `offsets`, which ascend. */
export function rangeHashes(octets: Bytes, offsets: readonly number[]): Bytes {
  return Buffer.concat(
    offsets.slice(1).map((end, i) => rangeHash(octets.subarray(offsets[i], end)) as Uint8Array),
  );
}

/** The same of an object that is read as it arrives; it must reach to the last of the offsets. */
export async function rangeHashesOf(
  octets: AsyncIterable<Bytes>,
  offsets: readonly number[],
): Promise<Bytes> {
  const hashes: Uint8Array[] = [];
  let hash = createHash('sha256');
  let at = 0;
  let next = 0;
  for await (const chunk of octets) {
    for (let from = 0; from < chunk.length && next < offsets.length; ) {
      const end = Math.min(chunk.length, from + offsets[next]! - at);
      if (next > 0) hash.update(chunk.subarray(from, end));
      at += end - from;
      from = end;
      for (; at === offsets[next]; next++) {
        if (next > 0) hashes.push(hash.digest().subarray(0, LENGTH));
        hash = createHash('sha256');
      }
    }
  }
  return Buffer.concat(hashes);
}

/** The stretch with this number, once its octets are known to be those that were hashed. */
export async function readRange(
  vault: Pick<Vault, 'get'>,
  ref: ObjectRef,
  { offsets, hashes }: { readonly offsets: readonly number[]; readonly hashes: Bytes },
  number: number,
): Promise<Bytes> {
  const [start, end] = offsets.slice(number, number + 2) as [number, number];
  const octets = await vault.get(ref, { offset: start, length: end - start });
  const expected = hashes.subarray(number * LENGTH, (number + 1) * LENGTH);
  if (expected.length !== LENGTH || !equal(rangeHash(octets), expected)) throw new DamagedObject(ref.name);
  return octets;
}

/** All the stretches, which follow each other, by one read. */
export async function readRanges(
  vault: Pick<Vault, 'get'>,
  ref: ObjectRef,
  { offsets, hashes }: { readonly offsets: readonly number[]; readonly hashes: Bytes },
): Promise<Bytes> {
  const [offset, end] = [offsets.at(0) ?? 0, offsets.at(-1) ?? 0];
  const octets = await vault.get(ref, { offset, length: end - offset });
  const within = offsets.map((one) => one - offset);
  if (!equal(rangeHashes(octets, within), hashes)) throw new DamagedObject(ref.name);
  return octets;
}
