import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Bytes } from '../../shared/codec/bytes.ts';
import { readTlvHeader } from '../../shared/codec/tlv.ts';
import { unlessRefused } from '../../shared/errors.ts';
import {
  decodeBatchManifest,
  type Part,
  type SignedBatchManifest,
} from '../../shared/ifpp-draft1/batch-manifest.ts';
import { decodeManifestPage, requirePageOf } from '../../shared/ifpp-draft1/manifest-page.ts';
import { decodeManifestRoot, type SignedManifestRoot } from '../../shared/ifpp-draft1/manifest-root.ts';
import { TAG } from '../../shared/ifpp-draft1/tags.ts';
import { UsageError } from '../output/failure.ts';

export const MANIFEST_FILE = 'manifest.der';

/** A manifest (FF65), or the root of one with pages (FF67): both say whose answer it is, and are signed alike. */
export type SignedHead = SignedBatchManifest | SignedManifestRoot;

export const decodeHead = (der: Bytes): SignedHead =>
  readTlvHeader(der).tag === TAG.manifestRoot ? decodeManifestRoot(der) : decodeBatchManifest(der);

export const hasPages = (head: SignedHead): head is SignedManifestRoot => 'root' in head;

export const partsOf = (head: SignedHead): number => (hasPages(head) ? head.parts : head.parts.length);

/** What a part is fetched and known by. Its index, of 250 items, is for whoever reads it. */
export type PartFile = Omit<Part, 'index'>;

/** A page of the manifest (FF68), by its place. */
export const pageFile = (folder: string, page: number) =>
  join(folder, `page-${String(page).padStart(5, '0')}.der`);

const PULL = 'smdpf pull --request ID --out FOLDER fetches the answer into it, and goes on where it stopped.';

export async function readHead(folder: string): Promise<SignedHead> {
  const manifest = await readFile(join(folder, MANIFEST_FILE)).catch((cause: unknown) => {
    throw new UsageError(`${folder} is no folder of smdpf pull: it has no ${MANIFEST_FILE}`, PULL, { cause });
  });
  return decodeHead(manifest);
}

/** Some parts of an answer, the first of them at `firstPart`: all of them, or those of a page; undefined of a page that cannot be used. */
export interface Stretch {
  readonly page?: number;
  readonly firstPart: number;
  readonly parts: readonly Part[] | undefined;
}

/** The parts that the folder's manifest names, in their order; of one with pages never more than those of a page in memory. */
export async function* stretches(folder: string, head: SignedHead): AsyncGenerator<Stretch> {
  if (!hasPages(head)) {
    yield { firstPart: 0, parts: head.parts };
    return;
  }
  let next = 0;
  for (let page = 0; page < head.pages; page++) {
    const der = await readFile(pageFile(folder, page)).catch(() => undefined);
    const parts = der && partsOfPage(head, der, page, next);
    yield { page, firstPart: next, parts };
    if (parts === undefined) return;
    next += parts.length;
  }
  // a root that counts other parts than its pages have
  if (next !== head.parts) yield { page: head.pages, firstPart: next, parts: undefined };
}

/** The parts of a page once it is proved to be this one under the root; undefined of anything else. */
export function partsOfPage(
  root: SignedManifestRoot,
  der: Bytes,
  page: number,
  firstPart: number,
): readonly Part[] | undefined {
  return unlessRefused(() => {
    const decoded = decodeManifestPage(der);
    requirePageOf(root, decoded, page);
    return decoded.firstPart === firstPart ? decoded.parts : undefined;
  });
}
