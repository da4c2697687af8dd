import { type Bytes, equal } from '../codec/bytes.ts';
import { readSingle, TlvReader, tlv } from '../codec/tlv.ts';
import { refuse } from '../errors.ts';
import { encodePart, MAX_PARTS, type Part, readPart } from './batch-manifest.ts';
import { read, write } from './fields.ts';
import { leafHash, rootByProof } from './hash-tree.ts';
import type { ManifestRoot } from './manifest-root.ts';
import { TAG } from './tags.ts';

/** ManifestPage (FF68): some of the parts of a large answer, and the proof that they are under its root. */
const MANIFEST_PAGE = TAG.manifestPage;

/** Hashes of a proof; a tree of 2^40 leaves has no more. */
const MAX_PROOF = 40;

export interface ManifestPage {
  readonly requestId: string;
  /** Place among the pages, from 0. */
  readonly page: number;
  /** Place of its first part among all parts of the answer, from 0. */
  readonly firstPart: number;
  readonly parts: readonly Part[];
}

export interface ProvenManifestPage extends ManifestPage {
  readonly proof: readonly Bytes[];
  /** The encoded fields 0..4 as received, whose hash is a leaf of the tree. */
  readonly content: Bytes;
}

/** What a page says, without its proof: what the leaf of the tree is made of. */
export function manifestPageContent({ requestId, page, firstPart, parts }: ManifestPage): Bytes {
  return Buffer.concat([
    write.version(),
    write.id(1, requestId),
    write.integer(2, page),
    write.integer(3, firstPart),
    write.list(4, parts.map(encodePart)),
  ]);
}

export const encodeManifestPage = (content: Bytes, proof: readonly Bytes[]): Bytes =>
  tlv(
    MANIFEST_PAGE,
    content,
    write.list(
      5,
      proof.map((hash) => tlv(0x04, hash)),
    ),
  );

export function decodeManifestPage(der: Bytes): ProvenManifestPage {
  const fields = TlvReader.of(readSingle(der, MANIFEST_PAGE, 'ManifestPage'));
  read.version(fields);
  const page = {
    requestId: read.id(fields, 1, 'requestId'),
    page: read.integer(fields, 2, 'page'),
    firstPart: read.integer(fields, 3, 'firstPart'),
    parts: read.list(fields, 4, 'parts', MAX_PARTS, readPart),
  };
  const content = fields.readSoFar;
  const proof = read.list(fields, 5, 'proof', MAX_PROOF, (list) => list.octets(0x04, 'hash', 32));
  fields.end();
  return { ...page, proof, content };
}

/**
 * Refuses a page that is not the one at this place under this root: one that was changed, another page of the answer, or a page
 * of another answer.
 */
export function requirePageOf(root: ManifestRoot, page: ProvenManifestPage, place: number): void {
  const { content, proof } = page;
  const proven = rootByProof(leafHash(content), place, root.pages, proof);
  if (proven === undefined || !equal(proven, root.root))
    refuse('transferInvalid', `page ${place} is not under the root of the manifest`);
  if (
    page.page !== place ||
    page.requestId !== root.requestId ||
    page.firstPart + page.parts.length > root.parts
  )
    refuse('transferInvalid', `page ${place} says that it is another one`);
}
