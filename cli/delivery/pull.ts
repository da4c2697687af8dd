import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { mapConcurrently } from '../../shared/concurrency.ts';
import { Fault } from '../../shared/errors.ts';
import { decodeBatchManifest } from '../../shared/ifpp-draft1/batch-manifest.ts';
import {
  type ClientOptions,
  FunctionClient,
  type JsonObject,
  SimError,
  type TlsIdentity,
} from '../../sim/index.ts';
import {
  isPart,
  MANIFEST_FILE,
  partFile,
  SECOND_SIGNATURE_FILE,
  signerOf,
  storeBatch,
} from './batch-folder.ts';
import { type DeliveryKeys, keyFingerprint, spkisOf, storeKeys } from './delivery-keys.ts';
import { downloadPart } from './download.ts';
import { byKind, secondSignatureHolds } from './second-signature.ts';

/** Attempts at one part; each goes on where the one before broke off, with a new link. */
const ATTEMPTS = 5;

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
  /** Parts that an earlier run had fetched whole. */
  readonly present: number;
  /** Of a manifest: the fingerprint of the delivery key that signed it, and what that key is trusted by. */
  readonly signedBy?: string;
  readonly keysFrom?: string;
}

/** Fetches the answer to a request into a folder, as far as it is not there yet. */
export async function pull(options: PullOptions): Promise<Pulled> {
  const { folder, requestId, parallel, onPart } = options;
  const client = new FunctionClient(options.client);
  await mkdir(folder, { recursive: true });
  const answer = await completeAnswer(client, options);
  if (typeof answer.bppBatch === 'string') {
    await storeBatch(folder, Buffer.from(answer.bppBatch, 'base64'));
    // an answer that was larger, before something in it was withheld
    await rm(join(folder, MANIFEST_FILE), { force: true });
    return { form: 'batch', parts: 0, present: 0 };
  }
  const der = Buffer.from(String(answer.manifest), 'base64');
  const manifest = decodeBatchManifest(der);
  const { parts } = manifest;
  const keys = options.pinned ?? (await serverKeys(client, options.client));
  const { delivery, longTerm } = byKind(keys.keys);
  const signer = signerOf(manifest, delivery);
  if (signer === undefined)
    throw new SimError(`the manifest is not signed by a delivery key from ${keys.from}`);
  const second = typeof answer.longTermSignature === 'string' ? answer.longTermSignature : undefined;
  if (longTerm.length > 0 && (second === undefined || !secondSignatureHolds(second, der, longTerm)))
    throw new SimError(`the manifest is not signed a second time by a long-term key from ${keys.from}`);
  if (manifest.requestId !== requestId.toLowerCase())
    throw new SimError('the manifest is that of another request');
  await storeKeys(folder, keys);
  await writeFile(join(folder, MANIFEST_FILE), der);
  if (second === undefined) await rm(join(folder, SECOND_SIGNATURE_FILE), { force: true });
  else await writeFile(join(folder, SECOND_SIGNATURE_FILE), second);
  let present = 0;
  let done = 0;
  await mapConcurrently(parts, parallel, async (part, index) => {
    const file = partFile(folder, index);
    if (await isPart(file, part)) present += 1;
    else {
      for (let attempt = 1; ; attempt++) {
        const link = await client.execute('esbpp', 'getTransfer', { requestId, name: part.name });
        try {
          await downloadPart(String(link.downloadUrl), file, part, tlsFor(link.downloadUrl, options.client));
          break;
        } catch (error) {
          if (attempt === ATTEMPTS || (error instanceof Fault && !error.retryable)) throw error;
          await pause(500 * 2 ** attempt);
        }
      }
    }
    onPart(++done, parts.length);
  });
  return {
    form: 'parts',
    parts: parts.length,
    present,
    signedBy: keyFingerprint(signer),
    keysFrom: keys.from,
  };
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
): Promise<JsonObject> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const answer = await client.execute('esbpp', 'getBppBatch', { requestId });
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
