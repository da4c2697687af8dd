import { createHash, verify } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { copyFile, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Bytes } from '../../shared/codec/bytes.ts';
import { Refusal } from '../../shared/errors.ts';
import {
  decodeBatchManifest,
  type Part,
  type SignedBatchManifest,
} from '../../shared/ifpp-draft1/batch-manifest.ts';
import { bppBatchPrefix, decodeBppBatch, decodeBppItems } from '../../shared/ifpp-draft1/bpp-batch.ts';
import { present } from '../../shared/present.ts';
import { UsageError } from '../output/failure.ts';
import { keyFingerprint, keyOf } from './delivery-keys.ts';
import { byKind, secondSignatureHolds, textIfAny } from './second-signature.ts';

export const MANIFEST_FILE = 'manifest.der';
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

/** A large answer as files in a folder: the manifest (FF65) and its parts. */
async function readManifest(folder: string): Promise<SignedBatchManifest> {
  const manifest = await readFile(join(folder, MANIFEST_FILE)).catch((cause: unknown) => {
    throw new UsageError(`${folder} is no folder of smdpf pull: it has no ${MANIFEST_FILE}`, PULL, { cause });
  });
  return decodeBatchManifest(manifest);
}

const PULL = 'smdpf pull --request ID --out FOLDER fetches the answer into it, and goes on where it stopped.';

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
  /** Empty of an inline answer that is not what was pulled. */
  readonly requestId: string;
  readonly parts: number;
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
 * raw r‖s), where long-term keys are among them a second one by one of those (ML-DSA-65), each part's size and SHA-256, and that its index names exactly the bound items in it. The BPPs themselves
 * are for the eUICC to check. An answer that came inline has no manifest: it must be the octets that were pulled.
 */
export async function verifyBatch(
  folder: string,
  deliveryKeys: readonly Bytes[] | undefined,
): Promise<BatchVerdict> {
  if (await isInline(folder)) return await readInline(folder);
  const manifest = await readManifest(folder);
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
  const signedBy = signer && { signedBy: keyFingerprint(signer) };
  return {
    requestId,
    parts: parts.length,
    bound,
    failed,
    signature,
    ...present({ longTermSignature: second }),
    ...signedBy,
    problems,
  };
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
  const { requestId, chains, parts } = await readManifest(folder);
  const length = parts.reduce((sum, { size }) => sum + size, 0);
  const prefix = bppBatchPrefix(requestId, chains, length);
  await pipeline(async function* () {
    yield prefix;
    for (const index of parts.keys())
      yield* createReadStream(partFile(folder, index)) as AsyncIterable<Bytes>;
  }, createWriteStream(file));
}

/** The one of these keys that signed the manifest. */
export function signerOf(
  { signed, signature }: SignedBatchManifest,
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
