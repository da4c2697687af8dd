import { createHash } from 'node:crypto';
import { type Chain, type Part, readChain, readPart } from './parts.ts';
import { type Curve, verify } from './signing.ts';
import {
  children,
  content,
  contents,
  DerError,
  encode,
  type Octets,
  readInteger,
  readPrivate,
  toHex,
} from './tlv.ts';

/** Stands for the manifest of an answer that is too large for one: its pages are the leaves of a hash tree (RFC 9162 section 2.1). */
export interface ManifestRoot {
  readonly requestId: string;
  readonly chains: readonly Chain[];
  /** Items of the request. */
  readonly items: number;
  /** Parts of all pages together. */
  readonly parts: number;
  readonly pages: number;
  readonly root: Octets;
  readonly signature: Octets;
  /** The encoded fields 0 to 6, over which the signature is. */
  readonly signed: Octets;
}

/** Reads a ManifestRoot (FF67). Hold its signature against the delivery keys before its pages are used. */
export function decodeManifestRoot(der: Octets): ManifestRoot {
  const fields = readPrivate(der, 103, 'ManifestRoot');
  const taken = [0, 1, 2, 3, 4, 5, 6].map((n) => fields.take(n));
  const signature = content(fields.take(7));
  fields.end();
  const [, requestId, chains, items, parts, pages, root] = taken;
  return {
    requestId: toHex(content(requestId!)),
    chains: children(chains!, 'chains').map(readChain),
    items: readInteger(items!),
    parts: readInteger(parts!),
    pages: readInteger(pages!),
    root: content(root!),
    signature,
    signed: Buffer.concat(taken.map(encode)),
  };
}

/** Whether one of the points (04 ‖ X ‖ Y) of `getServerKeys`, the key in use first, has signed the root. */
export const verifyRoot = (root: ManifestRoot, points: readonly Octets[], curve: Curve = 'p256'): boolean =>
  points.some((point) => verify(curve, point, root.signed, root.signature));

/**
 * The parts of a ManifestPage (FF68). A DerError unless it is the page at this place under the root, with so many parts on the
 * pages before it.
 */
export function readManifestPage(root: ManifestRoot, page: number, partsBefore: number, der: Octets): Part[] {
  const fields = readPrivate(der, 104, 'ManifestPage');
  const taken = [0, 1, 2, 3, 4].map((n) => fields.take(n));
  const proof = contents(fields.take(5), 'proof');
  fields.end();
  const leaf = sha256(0, ...taken.map(encode));
  const found = climb(leaf, page, root.pages, proof);
  if (found === undefined || !Buffer.from(found).equals(root.root))
    throw new DerError(`page ${page} is not under the root of the manifest`);
  const [, requestId, place, firstPart, parts] = taken;
  if (
    toHex(content(requestId!)) !== root.requestId ||
    readInteger(place!) !== page ||
    readInteger(firstPart!) !== partsBefore
  )
    throw new DerError(`page ${page} says that it is another one`);
  return children(parts!, 'parts').map(readPart);
}

function sha256(kind: number, ...octets: readonly Octets[]): Octets {
  return createHash('sha256')
    .update(Buffer.concat([Buffer.of(kind), ...octets]))
    .digest();
}

/** The root above a leaf, level by level: whoever has no neighbour on the right goes up as it is. */
function climb(leaf: Octets, place: number, size: number, proof: readonly Octets[]): Octets | undefined {
  let hash = leaf;
  let next = 0;
  for (let at = place, width = size; width > 1; at >>= 1, width = Math.ceil(width / 2)) {
    if (at % 2 === 0 && at === width - 1) continue;
    const beside = proof[next++];
    if (beside === undefined) return undefined;
    hash = at % 2 === 1 ? sha256(1, beside, hash) : sha256(1, hash, beside);
  }
  return next === proof.length ? hash : undefined;
}
