import type { Bytes } from '../codec/bytes.ts';
import { readSingle, TlvReader, tlv } from '../codec/tlv.ts';
import { type Chain, encodeChain, readChain } from './chain.ts';
import { LIMITS, read, write } from './fields.ts';
import { TAG } from './tags.ts';

/** ManifestRoot (FF67): stands for the manifest of an answer that is too large for one, and signs all its pages by their hash tree. */
const MANIFEST_ROOT = TAG.manifestRoot;

export interface ManifestRoot {
  readonly requestId: string;
  readonly chains: readonly Chain[];
  /** Items of the request. */
  readonly items: number;
  /** Parts that the pages name together. */
  readonly parts: number;
  /** Leaves of the tree. */
  readonly pages: number;
  /** 32 octets; see hash-tree.ts. */
  readonly root: Bytes;
}

export interface SignedManifestRoot extends ManifestRoot {
  /** Raw r‖s by the delivery key over `signed`. */
  readonly signature: Bytes;
  /** The encoded fields 0..6 as received. */
  readonly signed: Bytes;
}

/** The octets that the delivery key signs. */
export function manifestRootTbs({ requestId, chains, items, parts, pages, root }: ManifestRoot): Bytes {
  return Buffer.concat([
    write.version(),
    write.id(1, requestId),
    write.list(2, chains.map(encodeChain)),
    write.integer(3, items),
    write.integer(4, parts),
    write.integer(5, pages),
    write.octets(6, root),
  ]);
}

export const encodeManifestRoot = (tbs: Bytes, signature: Bytes): Bytes =>
  tlv(MANIFEST_ROOT, tbs, write.octets(7, signature));

export function decodeManifestRoot(der: Bytes): SignedManifestRoot {
  const fields = TlvReader.of(readSingle(der, MANIFEST_ROOT, 'ManifestRoot'));
  read.version(fields);
  const manifest = {
    requestId: read.id(fields, 1, 'requestId'),
    chains: read.list(fields, 2, 'chains', LIMITS.chains, readChain),
    items: read.integer(fields, 3, 'items'),
    parts: read.integer(fields, 4, 'parts'),
    pages: read.integer(fields, 5, 'pages'),
    root: read.octets(fields, 6, 'root', 32),
  };
  const signed = fields.readSoFar;
  const signature = read.signature(fields, 7, 'signature');
  fields.end();
  return { ...manifest, signature, signed };
}
