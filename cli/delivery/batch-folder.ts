import { createHash, verify } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { copyFile, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { type Bytes, release } from '../../shared/codec/bytes.ts';
import { unlessRefused } from '../../shared/errors.ts';
import type { Part } from '../../shared/ifpp-draft1/batch-manifest.ts';
import { bppBatchPrefix, decodeBppBatch, decodeBppItems } from '../../shared/ifpp-draft1/bpp-batch.ts';
import { present } from '../../shared/present.ts';
import { keyFingerprint, keyOf } from './delivery-keys.ts';
import {
  hasPages,
  MANIFEST_FILE,
  type PartFile,
  partsOf,
  readHead,
  type SignedHead,
  stretches,
} from './pulled-manifest.ts';
import { byKind, secondSignatureHolds, textIfAny } from './second-signature.ts';

/** The second signature over the manifest, of a server that signs twice. */
export const SECOND_SIGNATURE_FILE = 'manifest.jws';
/** An answer that came inline is a BppBatch (FF62) already. */
export const BATCH_FILE = 'batch.der';
/** SHA-256 of that answer as it came, in hexadecimal: no signature of the server covers it. */
const BATCH_HASH_FILE = 'batch.sha256';

const hashLine = (hash: string) => `${hash}\n`;

/** Keeps an inline answer, and by which octets it is known from then on. */
export async function storeBatch(folder: string, batch: Bytes): Promise<void> {
  const hash = createHash('sha256').update(batch).digest('hex');
  await writeFile(join(folder, BATCH_HASH_FILE), hashLine(hash));
  await writeFile(join(folder, BATCH_FILE), batch);
}

/** Parts are named by their place in the manifest: the server's names are not for a file system. */
export const partFile = (folder: string, index: number) =>
  join(folder, `part-${String(index).padStart(5, '0')}.der`);

/** Whether the file is the part, by size and SHA-256. */
export async function isPart(file: string, { size, sha256 }: PartFile): Promise<boolean> {
  const found = await stat(file).catch(() => undefined);
  return found?.size === size && Buffer.from(await sha256Of(file)).equals(sha256);
}

async function sha256Of(file: string): Promise<Bytes> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file) as AsyncIterable<Bytes>) {
    hash.update(chunk);
    release(chunk);
  }
  return hash.digest();
}

export interface BatchProblem {
  /** Place of the part in the manifest; absent where it is the manifest, or a page of it. */
  readonly part?: number;
  readonly page?: number;
  readonly problem: string;
}

export interface BatchVerdict {
  /** Empty of an inline answer that is not what was pulled. */
  readonly requestId: string;
  readonly parts: number;
  /** Of a manifest that has pages. */
  readonly pages?: number;
  readonly bound: number;
  readonly failed: number;
  /** `unchecked` where there was no delivery key; `none` of an inline answer, which carries none. */
  readonly signature: 'holds' | 'fails' | 'unchecked' | 'none';
  /** By a long-term key, where one is known: then it must hold as well. */
  readonly longTermSignature?: 'holds' | 'fails';
  /** Fingerprint of the key by which the signature holds. */
  readonly signedBy?: string;
  /** Of an inline answer: to be compared with what the puller saw. */
  readonly sha256?: string;
  readonly problems: readonly BatchProblem[];
}

/**
 * Checks a folder with no network: the manifest's signature by one of the delivery keys (P-256, over SHA-256 of fields 0..3,
 * raw r‖s; of one with pages its root, over fields 0..6, and each page under it), where long-term keys are among them a second one by one of those (ML-DSA-65), each part's size and SHA-256, and that its index names exactly the bound items in it. The BPPs themselves
 * are for the eUICC to check. An answer that came inline has no manifest: it must be the octets that were pulled.
 */
export async function verifyBatch(
  folder: string,
  deliveryKeys: readonly Bytes[] | undefined,
): Promise<BatchVerdict> {
  if (await isInline(folder)) return await readInline(folder);
  const manifest = await readHead(folder);
  const { delivery, longTerm } = byKind(deliveryKeys ?? []);
  const signer = deliveryKeys && signerOf(manifest, delivery);
  const signature = deliveryKeys === undefined ? 'unchecked' : signer === undefined ? 'fails' : 'holds';
  const problems: BatchProblem[] =
    signature === 'fails' ? [{ problem: 'the signature is not by a delivery key that is known here' }] : [];
  const second = longTerm.length === 0 ? undefined : await secondSignature(folder, longTerm);
  if (second === 'fails')
    problems.push({ problem: 'there is no second signature by a long-term key that is known here' });
  let bound = 0;
  let failed = 0;
  for await (const { page, firstPart, parts } of stretches(folder, manifest)) {
    if (parts === undefined) problems.push({ ...present({ page }), problem: BAD_PAGE });
    for (const [i, part] of (parts ?? []).entries()) {
      const items = await checkedPart(folder, firstPart + i, part, manifest.chains.length);
      if ('problem' in items) problems.push(items);
      else {
        bound += part.index.length;
        failed += items.count - part.index.length;
      }
    }
  }
  const { requestId } = manifest;
  const signedBy = signer && { signedBy: keyFingerprint(signer) };
  return {
    requestId,
    parts: partsOf(manifest),
    ...(hasPages(manifest) && { pages: manifest.pages }),
    bound,
    failed,
    signature,
    ...present({ longTermSignature: second }),
    ...signedBy,
    problems,
  };
}

const BAD_PAGE = 'missing, changed, or of another answer, and so are those after it; pull again';

/** How many items a part has that is what the manifest says, or what is wrong with it. */
async function checkedPart(
  folder: string,
  index: number,
  part: Part,
  chains: number,
): Promise<{ readonly count: number } | BatchProblem> {
  const file = partFile(folder, index);
  if (!(await isPart(file, part)))
    return { part: index, problem: 'missing, incomplete or changed; pull again' };
  const items = itemsOf(await readFile(file), chains);
  if (items === undefined || !isIndexOf(items, part))
    return { part: index, problem: 'the index of the manifest is not that of the part' };
  return { count: items.length };
}

async function secondSignature(folder: string, longTerm: readonly Bytes[]): Promise<'holds' | 'fails'> {
  const jws = await textIfAny(join(folder, SECOND_SIGNATURE_FILE));
  const manifest = await readFile(join(folder, MANIFEST_FILE));
  return jws !== undefined && secondSignatureHolds(jws, manifest, longTerm) ? 'holds' : 'fails';
}

const exists = (file: string) =>
  stat(file).then(
    () => true,
    () => false,
  );

const isInline = async (folder: string) =>
  !(await exists(join(folder, MANIFEST_FILE))) && (await exists(join(folder, BATCH_FILE)));

/** One that was changed since it came is a problem whatever it looks like; so is one that nobody pulled. */
async function readInline(folder: string): Promise<BatchVerdict> {
  const batch = await readFile(join(folder, BATCH_FILE));
  const sha256 = createHash('sha256').update(batch).digest('hex');
  const received = await textIfAny(join(folder, BATCH_HASH_FILE));
  // to the octet, as pull wrote it
  if (received !== hashLine(sha256)) {
    const problem =
      received === undefined
        ? `there is no ${BATCH_HASH_FILE} of a pull: nothing says that it is what the server sent; pull again`
        : 'not the octets that were pulled: changed since, or incomplete; pull again';
    return {
      requestId: '',
      parts: 0,
      bound: 0,
      failed: 0,
      signature: 'none',
      sha256,
      problems: [{ problem }],
    };
  }
  const { requestId, items } = decodeBppBatch(batch);
  const bound = items.filter(({ outcome }) => outcome.kind === 'bound').length;
  const failed = items.length - bound;
  return { requestId, parts: 0, bound, failed, signature: 'none', sha256, problems: [] };
}

/**
 * Writes the folder as one BppBatch (FF62), which carries every part as it is. Parts must have been verified. The file
 * has its name once it is whole.
 */
export async function packBatch(folder: string, file: string): Promise<number> {
  const partial = `${file}.partial`;
  if (await isInline(folder)) await copyFile(join(folder, BATCH_FILE), partial);
  else await packParts(folder, partial);
  const { size } = await stat(partial);
  await rename(partial, file);
  return size;
}

async function packParts(folder: string, file: string): Promise<void> {
  const head = await readHead(folder);
  const { requestId, chains } = head;
  const count = partsOf(head);
  let length = 0;
  for (let index = 0; index < count; index++) length += (await stat(partFile(folder, index))).size;
  const prefix = bppBatchPrefix(requestId, chains, length);
  await pipeline(async function* () {
    yield prefix;
    for (let index = 0; index < count; index++)
      yield* createReadStream(partFile(folder, index)) as AsyncIterable<Bytes>;
  }, createWriteStream(file));
}

/** The one of these keys that signed the manifest. */
export function signerOf(
  { signed, signature }: Pick<SignedHead, 'signed' | 'signature'>,
  spkis: readonly Bytes[],
): Bytes | undefined {
  return spkis.find((spki) =>
    verify('sha256', signed, { key: keyOf(spki), dsaEncoding: 'ieee-p1363' }, signature),
  );
}

interface ItemAt {
  readonly eid: string;
  readonly transactionId: string | undefined;
}

function itemsOf(octets: Bytes, chains: number): readonly ItemAt[] | undefined {
  return unlessRefused(() =>
    decodeBppItems(octets, chains).map(({ eid, outcome }) => ({
      eid,
      transactionId: outcome.kind === 'bound' ? outcome.transactionId : undefined,
    })),
  );
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
