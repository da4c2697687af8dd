import { createHash } from 'node:crypto';
import { type Bytes, equal } from '../../shared/codec/bytes.ts';
import { decodeInteger } from '../coding.ts';
import { type EcPoint, verify } from '../curve.ts';
import { Fields, readAll, readOnly, SimError, tlv, tlvOf } from '../tlv.ts';
import { partItems } from './batch-manifest.ts';
import { VERSION } from './fields.ts';

// The manifest of an answer that is too large for one: a root (FF67) that is signed, and pages (FF68) that are proved to be under
// it. Written from RFC 9162 section 2.1, apart from the server's code.

const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);

const sha256 = (...octets: readonly Bytes[]): Bytes =>
  octets.reduce((hash, piece) => hash.update(piece), createHash('sha256')).digest();

export interface ManifestRoot {
  readonly requestId: Bytes;
  /** Items of the request. */
  readonly items: number;
  readonly parts: number;
  readonly pages: number;
  /** The elements as they came. */
  readonly raw: { readonly requestId: Bytes; readonly chains: Bytes };
  readonly hash: Bytes;
}

/** Reads a root (FF67); its signature is checked where delivery keys are known: one of them made it. */
export function readManifestRoot(der: Bytes, deliveryKeys?: readonly EcPoint[]): ManifestRoot {
  const fields = new Fields(readOnly(der, 0xff67).value);
  const version = fields.take(0x80);
  const requestId = fields.take(0x81);
  const chains = fields.take(0xa2);
  const items = fields.take(0x83);
  const parts = fields.take(0x84);
  const pages = fields.take(0x85);
  const root = fields.take(0x86);
  const signature = fields.take(0x87).value;
  fields.end();
  const signed = Buffer.concat(
    [version, requestId, chains, items, parts, pages, root].map(({ raw }) => raw) as Uint8Array[],
  );
  if (deliveryKeys !== undefined && !deliveryKeys.some((key) => verify(key, signed, signature)))
    throw new SimError('the root of the manifest is not signed by a delivery key');
  return {
    requestId: requestId.value,
    items: decodeInteger(items.value),
    raw: { requestId: requestId.raw, chains: chains.raw },
    parts: decodeInteger(parts.value),
    pages: decodeInteger(pages.value),
    hash: root.value,
  };
}

/** How many pages an answer has. */
export const pagesOf = (root: Bytes): number => readManifestRoot(root).pages;

/** The encoded parts of the page (FF68) at this place, once it is proved to be there; `before`: parts of the pages before it. */
export function provenParts(root: ManifestRoot, der: Bytes, place: number, before: number): readonly Bytes[] {
  const fields = new Fields(readOnly(der, 0xff68).value);
  const version = fields.take(0x80);
  const requestId = fields.take(0x81);
  const page = fields.take(0x82);
  const firstPart = fields.take(0x83);
  const parts = fields.take(0xa4);
  const proof = readAll(fields.take(0xa5).value).map(({ value }) => value);
  fields.end();
  const leaf = sha256(LEAF, version.raw, requestId.raw, page.raw, firstPart.raw, parts.raw);
  if (!equal(climb(leaf, place, root.pages, proof), root.hash))
    throw new SimError(`page ${place} is not under the root of the manifest`);
  if (
    !equal(requestId.value, root.requestId) ||
    decodeInteger(page.value) !== place ||
    decodeInteger(firstPart.value) !== before
  )
    throw new SimError(`page ${place} says that it is another one`);
  return readAll(parts.value).map(({ value }) => value);
}

/** From a leaf to the root, level by level: whoever has no neighbour on the right goes up as it is. */
function climb(leaf: Bytes, place: number, size: number, proof: readonly Bytes[]): Bytes {
  let [hash, at, width] = [leaf, place, size];
  const beside = [...proof];
  while (width > 1) {
    const isLast = at === width - 1;
    if (at % 2 === 1) hash = sha256(NODE, taken(beside), hash);
    else if (!isLast) hash = sha256(NODE, hash, taken(beside));
    at = Math.floor(at / 2);
    width = Math.ceil(width / 2);
  }
  if (beside.length > 0) throw new SimError('the proof of a page is too long');
  return hash;
}

function taken(beside: Bytes[]): Bytes {
  const hash = beside.shift();
  if (hash === undefined) throw new SimError('the proof of a page is too short');
  return hash;
}

/** The BppBatch (FF62) of an answer with pages, each checked under the root and each part under its page. */
export function assemblePagedBatch(
  root: Bytes,
  page: (place: number) => Bytes,
  part: (name: string) => Bytes,
  deliveryKey?: EcPoint,
): Bytes {
  const manifest = readManifestRoot(root, deliveryKey && [deliveryKey]);
  const items: Bytes[] = [];
  for (let place = 0; place < manifest.pages; place++)
    for (const entry of provenParts(manifest, page(place), place, items.length))
      items.push(partItems(entry, part));
  if (items.length !== manifest.parts) throw new SimError('the pages do not have all parts of the manifest');
  return tlv(0xff62, VERSION, manifest.raw.requestId, manifest.raw.chains, tlvOf(0xa3, items));
}
