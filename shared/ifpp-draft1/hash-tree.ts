import { createHash } from 'node:crypto';
import type { Bytes } from '../codec/bytes.ts';

/*
 * The hash tree of a large answer: RFC 9162 section 2.1 with SHA-256. A leaf is SHA-256(00 ‖ octets), a node
 * SHA-256(01 ‖ left ‖ right), and the left side of a node with n leaves has the largest power of two below n. Hashes have 32 octets.
 */

/** Leaves of a branch that is full. A power of two, so that full branches are nodes of every tree that has them. */
export const BRANCH = 1_024;

export const leafHash = (...octets: readonly Bytes[]): Bytes => digest(0, octets);

const nodeHash = (left: Bytes, right: Bytes): Bytes => digest(1, [left, right]);

function digest(kind: number, octets: readonly Bytes[]): Bytes {
  const hash = createHash('sha256').update(Uint8Array.of(kind));
  for (const piece of octets) hash.update(piece);
  return hash.digest();
}

/** The root over these leaves, or over the roots of the branches of so many leaves; there is at least one. */
export function treeRoot(hashes: readonly Bytes[]): Bytes {
  if (hashes.length <= 1) return hashes[0] ?? createHash('sha256').digest();
  const split = splitOf(hashes.length);
  return nodeHash(treeRoot(hashes.slice(0, split)), treeRoot(hashes.slice(split)));
}

/** The hashes beside the way from this leaf to the root, from below. */
export function inclusionProof(hashes: readonly Bytes[], index: number): readonly Bytes[] {
  if (hashes.length <= 1) return [];
  const split = splitOf(hashes.length);
  const [left, right] = [hashes.slice(0, split), hashes.slice(split)];
  return index < split
    ? [...inclusionProof(left, index), treeRoot(right)]
    : [...inclusionProof(right, index - split), treeRoot(left)];
}

/**
 * The root of a tree of `size` leaves in which this leaf stands at `index` beside these hashes (RFC 9162 section 2.1.3.2);
 * undefined where no such tree has a proof of this length.
 */
export function rootByProof(
  leaf: Bytes,
  index: number,
  size: number,
  proof: readonly Bytes[],
): Bytes | undefined {
  if (!(index >= 0 && index < size)) return undefined;
  let [at, last, root] = [index, size - 1, leaf];
  for (const beside of proof) {
    if (last === 0) return undefined;
    if (at % 2 === 1 || at === last) {
      root = nodeHash(beside, root);
      while (at % 2 === 0 && at !== 0) [at, last] = [at / 2, half(last)];
    } else root = nodeHash(root, beside);
    [at, last] = [half(at), half(last)];
  }
  return last === 0 ? root : undefined;
}

const half = (n: number) => Math.floor(n / 2);

/** The largest power of two below n. */
function splitOf(n: number): number {
  let split = 1;
  while (split * 2 < n) split *= 2;
  return split;
}
