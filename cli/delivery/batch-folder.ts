import { createHash, createPublicKey, verify } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Bytes } from '../../shared/codec/bytes.ts';
import { Refusal } from '../../shared/errors.ts';
import {
  decodeBatchManifest,
  type Part,
  type SignedBatchManifest,
} from '../../shared/ifpp-draft1/batch-manifest.ts';
import { bppBatchPrefix, decodeBppItems } from '../../shared/ifpp-draft1/bpp-batch.ts';

export const MANIFEST_FILE = 'manifest.der';
/** An answer that came inline is a BppBatch (FF62) already. */
export const BATCH_FILE = 'batch.der';

/** Parts are named by their place in the manifest: the server's names are not for a file system. */
export const partFile = (folder: string, index: number) =>
  join(folder, `part-${String(index).padStart(5, '0')}.der`);

/** A large answer as files in a folder: the manifest (FF65) and its parts. */
export async function readManifest(folder: string): Promise<SignedBatchManifest> {
  return decodeBatchManifest(await readFile(join(folder, MANIFEST_FILE)));
}

/** Whether the file is the part, by size and SHA-256. */
export async function isPart(file: string, { size, sha256 }: Part): Promise<boolean> {
  const found = await stat(file).catch(() => undefined);
  return found?.size === size && Buffer.from(await sha256Of(file)).equals(sha256);
}

async function sha256Of(file: string): Promise<Bytes> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk as Bytes);
  return hash.digest();
}

export interface BatchProblem {
  /** Place of the part in the manifest; absent where it is the manifest. */
  readonly part?: number;
  readonly problem: string;
}

export interface BatchVerdict {
  readonly requestId: string;
  readonly parts: number;
  readonly bound: number;
  readonly failed: number;
  /** `unchecked` where no delivery key was given. */
  readonly signature: 'holds' | 'fails' | 'unchecked';
  readonly problems: readonly BatchProblem[];
}

/**
 * Checks a folder with no network: the manifest's signature by the delivery key (P-256, over SHA-256 of fields 0..3,
 * raw r‖s), each part's size and SHA-256, and that its index names exactly the bound items in it. The BPPs themselves
 * are for the eUICC to check.
 */
export async function verifyBatch(folder: string, deliveryKey: Bytes | undefined): Promise<BatchVerdict> {
  const manifest = await readManifest(folder);
  const signature =
    deliveryKey === undefined ? 'unchecked' : isSigned(manifest, deliveryKey) ? 'holds' : 'fails';
  const problems: BatchProblem[] =
    signature === 'fails' ? [{ problem: 'the signature is not by this delivery key' }] : [];
  let bound = 0;
  let failed = 0;
  for (const [index, part] of manifest.parts.entries()) {
    const file = partFile(folder, index);
    if (!(await isPart(file, part))) {
      problems.push({ part: index, problem: 'missing, incomplete or changed; pull again' });
      continue;
    }
    const items = itemsOf(await readFile(file), manifest.chains.length);
    if (items === undefined || !isIndexOf(items, part)) {
      problems.push({ part: index, problem: 'the index of the manifest is not that of the part' });
      continue;
    }
    bound += part.index.length;
    failed += items.length - part.index.length;
  }
  const { requestId, parts } = manifest;
  return { requestId, parts: parts.length, bound, failed, signature, problems };
}

/** Writes the folder as one BppBatch (FF62), which carries every part as it is. Parts must have been verified. */
export async function packBatch(folder: string, file: string): Promise<number> {
  const { requestId, chains, parts } = await readManifest(folder);
  const length = parts.reduce((sum, { size }) => sum + size, 0);
  const prefix = bppBatchPrefix(requestId, chains, length);
  await pipeline(async function* () {
    yield prefix;
    for (const index of parts.keys())
      yield* createReadStream(partFile(folder, index)) as AsyncIterable<Bytes>;
  }, createWriteStream(file));
  return prefix.length + length;
}

function isSigned({ signed, signature }: SignedBatchManifest, spki: Bytes): boolean {
  const key = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
  return verify('sha256', signed, { key, dsaEncoding: 'ieee-p1363' }, signature);
}

interface ItemAt {
  readonly eid: string;
  readonly transactionId: string | undefined;
}

function itemsOf(octets: Bytes, chains: number): readonly ItemAt[] | undefined {
  try {
    return decodeBppItems(octets, chains).map(({ eid, outcome }) => ({
      eid,
      transactionId: outcome.kind === 'bound' ? outcome.transactionId : undefined,
    }));
  } catch (error) {
    if (error instanceof Refusal) return undefined;
    throw error;
  }
}

function isIndexOf(items: readonly ItemAt[], { index }: Part): boolean {
  const bound = items.filter(({ transactionId }) => transactionId !== undefined);
  return (
    bound.length === index.length &&
    bound.every(
      ({ eid, transactionId }, i) => index[i]!.eid === eid && index[i]!.transactionId === transactionId,
    )
  );
}
