import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { equal } from '../../shared/codec/bytes.ts';
import { mapConcurrently } from '../../shared/concurrency.ts';
import { Fault } from '../../shared/errors.ts';
import { Garbage } from '../../shared/garbage.ts';
import type { Part } from '../../shared/ifpp-draft1/batch-manifest.ts';
import { decodeManifestRoot, type SignedManifestRoot } from '../../shared/ifpp-draft1/manifest-root.ts';
import { present } from '../../shared/present.ts';
import {
  type ClientOptions,
  ConnectionFailure,
  FunctionClient,
  type JsonObject,
  LinkRefused,
  SimError,
  type TlsIdentity,
} from '../../sim/index.ts';
import { HintedError } from '../output/failure.ts';
import { isPart, partFile, SECOND_SIGNATURE_FILE, signerOf, storeBatch } from './batch-folder.ts';
import { type DeliveryKeys, keyFingerprint, spkisOf, storeKeys } from './delivery-keys.ts';
import { downloadPart, mayPass } from './download.ts';
import {
  decodeHead,
  hasPages,
  MANIFEST_FILE,
  type PartFile,
  pageFile,
  partsOf,
  partsOfPage,
  type SignedHead,
} from './pulled-manifest.ts';
import { byKind, secondSignatureHolds } from './second-signature.ts';

/** Attempts at one part; each goes on where the one before broke off, with a new link. */
const ATTEMPTS = 5;
/** Milliseconds between two of them, whatever the server asks for. */
const LONGEST_PAUSE_MS = 30_000;

export interface PullOptions {
  readonly client: ClientOptions;
  /** Hexadecimal. */
  readonly requestId: string;
  readonly folder: string;
  /** Trusted in place of those that the server names. */
  readonly pinned?: DeliveryKeys;
  /** Parts under way at once. */
  readonly parallel: number;
  /** Milliseconds to wait for the answer to be complete. */
  readonly timeoutMs: number;
  readonly onPart: (done: number, parts: number) => void;
}

export interface Pulled {
  readonly form: 'batch' | 'parts';
  readonly parts: number;
  /** Of a manifest that has pages. */
  readonly pages?: number;
  /** Parts that an earlier run had fetched whole. */
  readonly present: number;
  /** Of a manifest: the fingerprint of the delivery key that signed it, and what that key is trusted by. */
  readonly signedBy?: string;
  readonly keysFrom?: string;
}

/** Fetches the answer to a request into a folder, as far as it is not there yet. */
export async function pull(options: PullOptions): Promise<Pulled> {
  const { folder } = options;
  const client = new FunctionClient(options.client);
  await mkdir(folder, { recursive: true });
  for (let attempt = 1; ; attempt++) {
    const answer = await completeAnswer(client, options);
    if (typeof answer.bppBatch === 'string') {
      await storeBatch(folder, Buffer.from(answer.bppBatch, 'base64'));
      // an answer that was larger, before something in it was withheld
      await rm(join(folder, MANIFEST_FILE), { force: true });
      return { form: 'batch', parts: 0, present: 0 };
    }
    const { head, signedBy, keysFrom } = await takeHead(client, options, answer);
    const fetched = await fetchParts(client, options, head);
    if (fetched !== 'changed')
      return {
        form: 'parts',
        parts: partsOf(head),
        ...(hasPages(head) && { pages: head.pages }),
        present: fetched.present,
        signedBy,
        keysFrom,
      };
    // something was withheld in the meantime, so that the answer has another root now
    if (attempt === ATTEMPTS) throw new SimError('the answer changes all the time');
  }
}

/** The manifest of an answer, or the root of its pages, held against the keys and kept in the folder. */
async function takeHead(
  client: FunctionClient,
  options: PullOptions,
  answer: JsonObject,
): Promise<{ readonly head: SignedHead; readonly signedBy: string; readonly keysFrom: string }> {
  const { folder, requestId } = options;
  const der = Buffer.from(String(answer.manifestRoot ?? answer.manifest), 'base64');
  const head = decodeHead(der);
  const keys = options.pinned ?? (await serverKeys(client, options.client));
  const { delivery, longTerm } = byKind(keys.keys);
  const signer = signerOf(head, delivery);
  if (signer === undefined)
    throw new SimError(`the manifest is not signed by a delivery key from ${keys.from}`);
  const second = typeof answer.longTermSignature === 'string' ? answer.longTermSignature : undefined;
  if (longTerm.length > 0 && (second === undefined || !secondSignatureHolds(second, der, longTerm)))
    throw new SimError(`the manifest is not signed a second time by a long-term key from ${keys.from}`);
  if (head.requestId !== requestId.toLowerCase())
    throw new SimError('the manifest is that of another request');
  await storeKeys(folder, keys);
  await writeFile(join(folder, MANIFEST_FILE), der);
  if (second === undefined) await rm(join(folder, SECOND_SIGNATURE_FILE), { force: true });
  else await writeFile(join(folder, SECOND_SIGNATURE_FILE), second);
  return { head, signedBy: keyFingerprint(signer), keysFrom: keys.from };
}

/** All parts that are not there; page by page where the manifest has pages, so that memory does not grow with them. */
async function fetchParts(
  client: FunctionClient,
  options: PullOptions,
  head: SignedHead,
): Promise<{ readonly present: number } | 'changed'> {
  const { parallel, onPart } = options;
  const all = partsOf(head);
  const garbage = new Garbage();
  let [before, done] = [0, 0];
  const fetchAll = (parts: readonly PartFile[], first: number) =>
    mapConcurrently(parts, parallel, async (part, i) => {
      if (await fetchPart(client, options, part, first + i)) before += 1;
      // what it came in, up to 24 MB before V8 does by itself
      garbage.collect();
      onPart(++done, all);
    });
  if (!hasPages(head)) await fetchAll(head.parts, 0);
  else
    for (let page = 0, first = 0; page < head.pages; page++) {
      const parts = await fetchPage(client, options, head, page, first);
      if (parts === 'changed') return 'changed';
      const files = parts.map(({ name, size, sha256 }) => ({ name, size, sha256: sha256.slice() }));
      await fetchAll(files, first);
      first += files.length;
    }
  if (hasPages(head) && done !== all) throw new SimError('the pages do not have all parts of the manifest');
  return { present: before };
}

/** The parts of a page that is proved to be under the root, from the folder or from the server. */
async function fetchPage(
  client: FunctionClient,
  options: PullOptions,
  root: SignedManifestRoot,
  page: number,
  firstPart: number,
): Promise<readonly Part[] | 'changed'> {
  const file = pageFile(options.folder, page);
  const stored = await readFile(file).catch(() => undefined);
  const known = stored && partsOfPage(root, stored, page, firstPart);
  if (known !== undefined) return known;
  const answer = await completeAnswer(client, options, page);
  const der = Buffer.from(String(answer.manifestPage ?? ''), 'base64');
  const parts = partsOfPage(root, der, page, firstPart);
  if (parts === undefined) {
    const now = await completeAnswer(client, options);
    if (typeof now.manifestRoot !== 'string' || !isRoot(now.manifestRoot, root)) return 'changed';
    throw new SimError(`page ${page} is not the one under the root of the manifest`);
  }
  await writeFile(`${file}.partial`, der);
  await rename(`${file}.partial`, file);
  return parts;
}

const isRoot = (base64: string, { root }: SignedManifestRoot) =>
  equal(decodeManifestRoot(Buffer.from(base64, 'base64')).root, root);

/** True where an earlier run had fetched it whole. */
async function fetchPart(
  client: FunctionClient,
  { folder, requestId, client: reached }: PullOptions,
  part: PartFile,
  index: number,
): Promise<boolean> {
  const file = partFile(folder, index);
  if (await isPart(file, part)) return true;
  for (let attempt = 1; ; attempt++) {
    const link = await client.execute('esbpp', 'getTransfer', { requestId, name: part.name });
    try {
      await downloadPart(String(link.downloadUrl), file, part, tlsFor(link.downloadUrl, reached));
      return false;
    } catch (error) {
      if (attempt === ATTEMPTS || !mayPass(error)) throw ofPart(error, link.downloadUrl, reached);
      const asked = error instanceof LinkRefused ? error.retryAfterMs : undefined;
      const waitMs = Math.min(asked ?? 500 * 2 ** attempt, LONGEST_PAUSE_MS);
      reached.onWait?.((error as Error).message, waitMs);
      await pause(waitMs);
    }
  }
}

/** An error of a part with the way out, where that is another than of a call of the server. */
function ofPart(error: unknown, link: unknown, { baseUrl }: ClientOptions): unknown {
  if (error instanceof Fault)
    return new HintedError(
      error,
      'Run it again: it goes on where it stopped. If it comes to this each time, what the server stores is not what it has signed: tell its operator.',
    );
  const { host } = URL.parse(String(link)) ?? {};
  if (error instanceof ConnectionFailure && host !== URL.parse(baseUrl)?.host)
    return new HintedError(
      error,
      `${host} is the store that links of the server lead to: let this machine reach it, then run it again; it goes on where it stopped.`,
    );
  return error;
}

async function serverKeys(client: FunctionClient, { baseUrl, tls }: ClientOptions): Promise<DeliveryKeys> {
  const { deliveryKeys, longTermKeys } = await client.execute('esbpp', 'getServerKeys', {});
  if (!Array.isArray(deliveryKeys)) throw new SimError('getServerKeys answered no deliveryKeys');
  const by = !baseUrl.startsWith('https:') ? 'no TLS' : tls?.cert === undefined ? 'TLS' : 'mutual TLS';
  return {
    keys: spkisOf([...deliveryKeys, ...(Array.isArray(longTermKeys) ? longTermKeys : [])]),
    from: `${new URL(baseUrl).origin} by ${by}`,
  };
}

/** The party's TLS is for the SM-DPf; a link may lead to a store of its own, under a public certificate. */
function tlsFor(link: unknown, { baseUrl, tls = {} }: ClientOptions): TlsIdentity {
  return URL.parse(String(link))?.host === URL.parse(baseUrl)?.host ? tls : {};
}

async function completeAnswer(
  client: FunctionClient,
  { requestId, timeoutMs }: PullOptions,
  page?: number,
): Promise<JsonObject> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const answer = await client.execute('esbpp', 'getBppBatch', { requestId, ...present({ page }) });
    if (answer.state === 'Done') return answer;
    if (Date.now() > deadline)
      throw new Fault(
        'dispatcher',
        `the answer is not complete: ${answer.processed} of ${answer.items} items`,
        {
          retryable: true,
        },
      );
    await pause(1_000);
  }
}
