import { createHash } from 'node:crypto';
import { type Bytes, fromHex, utf8 } from '../../codec/bytes.ts';
import { invariant, refuse } from '../../errors.ts';
import { batchManifestTbs, encodeBatchManifest, type Part } from '../../ifpp-draft1/batch-manifest.ts';
import { bppBatchPrefix } from '../../ifpp-draft1/bpp-batch.ts';
import type { Chain } from '../../ifpp-draft1/chain.ts';
import { Digest } from '../../keys/provider.ts';
import { changeItems, unchanged, writes } from '../../ledger/change.ts';
import type { ItemKey, Ledger, Write } from '../../ledger/ledger.ts';
import { present } from '../../present.ts';
import type { ObjectRef } from '../../vault/vault.ts';
import type { Caller } from '../api/caller.ts';
import type { BppAnswer, Delivery } from '../api/esbpp.ts';
import type { Context } from '../context.ts';
import { orderCountWrites } from '../counts/order-counts.ts';
import { deliveryKey, retiredDeliveryKeys } from '../keys/delivery-keys.ts';
import { longTermSignature, longTermStanding } from '../keys/long-term.ts';
import { readWhole } from '../life/checked-reads.ts';
import {
  chainsKey,
  chunkCount,
  chunkProgress,
  chunkRecord,
  type JobRecord,
  jobChains,
} from '../records/job.ts';
import { ledgerKeys } from '../records/keys.ts';
import { objectNames } from '../records/object-names.ts';
import { recordJob } from '../supply/draws.ts';
import type { Trust } from '../trust/trust.ts';
import { manifestAnswer, recordAnswer, recordedAnswer, type StoredManifest } from './answer-record.ts';
import { bindChunk } from './binding.ts';
import { finishChunk } from './commit.ts';
import { type DeliverableChunk, loadDeliverable } from './deliverable-chunk.ts';
import { FinishedAnswers } from './finished-answers.ts';
import { chunkProgresses, finishJob, slowedBy } from './job-progress.ts';
import type { InTime } from './just-in-time/just-in-time.ts';
import { readPart } from './just-in-time/sealed-part.ts';
import type { Requests } from './requests.ts';

const isSealed = (chunks: readonly DeliverableChunk[]) => chunks.some(({ partKey }) => partKey !== undefined);

/** Failed items that an answer lists beside the batch, which has them all. */
const LISTED = 1_000;

/**
 * Esbpp: requests for Bound Profile Packages and their answers. A job of one chunk is bound within the call, larger
 * ones by the dispatcher; what is committed goes out inline, or as parts with a signed manifest.
 */
export class DeliveryService implements Delivery {
  readonly #context: Context;
  readonly #trust: Trust;
  readonly #requests: Requests;
  readonly #inTime: InTime;
  readonly #finished: FinishedAnswers;

  constructor(context: Context, trust: Trust, requests: Requests, inTime: InTime) {
    this.#context = context;
    this.#trust = trust;
    this.#requests = requests;
    this.#inTime = inTime;
    this.#finished = new FinishedAnswers(context.now);
  }

  async requestBpp(
    caller: Caller,
    der: Bytes,
    confirmed: Promise<unknown> = Promise.resolve(),
  ): Promise<BppAnswer> {
    const received = this.#requests.receive(caller, der);
    const inTime = await this.#inTime.answer(received, confirmed);
    if (inTime !== undefined) return inTime;
    await confirmed;
    const { jobId, job } = await this.#requests.take(received);
    await this.#start(jobId, job);
    return await this.#answer(jobId, job);
  }

  async getBppBatch(caller: Caller, { requestId }: { requestId: string }): Promise<BppAnswer> {
    const taken = await this.#requests.find(caller, requestId);
    if (taken === undefined)
      refuse('requestUnknown', 'the caller has no request with this identifier', {
        subjectIdentifier: requestId,
      });
    return await this.#answer(taken.jobId, taken.job);
  }

  /** Also what a restart does for open work: everything here may be repeated. */
  async #start(jobId: string, job: JobRecord): Promise<void> {
    const open = await this.#context.ledger.get(ledgerKeys.openWork('job', jobId));
    if (open === undefined) return;
    await recordJob(this.#context, jobId, job);
    if (chunkCount(job) > 1)
      return await this.#context.dispatcher.submit({ kind: 'job', id: jobId, tasks: chunkCount(job) });
    await bindChunk(this.#context, this.#trust, jobId, 0);
    await finishJob(this.#context, jobId);
  }

  /** Brings a job to its end that was bound just in time, by an attempt that did not come so far. */
  async #finishInTime(jobId: string, job: JobRecord): Promise<void> {
    const commit = await this.#context.ledger.get(ledgerKeys.chunk(jobId, 0));
    if (commit !== undefined)
      await finishChunk(this.#context, { jobId, job, chunk: 0 }, chunkRecord.from(commit));
  }

  /** A job of one chunk is little to read; just in time needs every read that it can spare. */
  async #answer(jobId: string, job: JobRecord): Promise<BppAnswer> {
    if (job.request === undefined) await this.#finishInTime(jobId, job);
    if (chunkCount(job) === 1) return await this.#count(jobId, job);
    const { epoch } = await this.#trust.current();
    const standing = JSON.stringify([
      epoch,
      ...(await retiredDeliveryKeys(this.#context)),
      ...(await longTermStanding(this.#context)),
    ]);
    return await this.#finished.answer(
      jobId,
      standing,
      async () =>
        (await recordedAnswer(this.#context, jobId, job, standing)) ??
        (await this.#count(jobId, job, standing)),
    );
  }

  /** `standing`: what an answer in parts leans on, under which it is written down. */
  async #count(jobId: string, job: JobRecord, standing?: string): Promise<BppAnswer> {
    const progress = await chunkProgresses(this.#context, jobId);
    const finished = progress.filter((one) => one.finished);
    const processed = finished.reduce((sum, one) => sum + one.bound + one.refused, 0);
    const keysSlowed = slowedBy(finished);
    const common = {
      requestId: job.requestId,
      items: job.items,
      processed,
      ...present({ keysSlowed }),
    };
    if (finished.length < chunkCount(job)) return { ...common, state: 'Pending', failed: [] };

    const view = await this.#trust.current();
    const chunks: DeliverableChunk[] = [];
    for (let chunk = 0; chunk < chunkCount(job); chunk++)
      chunks.push(await loadDeliverable(this.#context, jobId, job, chunk, view));
    const failed = chunks.flatMap((chunk) => chunk.failed).slice(0, LISTED);
    const chains = await this.#chains(jobId, job, chunks);
    const size = chunks.reduce((sum, chunk) => sum + chunk.size, 0);
    const done = { ...common, state: 'Done', failed } as const;
    if (size <= this.#context.settings.inlineLimit || isSealed(chunks)) {
      const bppBatch = await this.#batch(job, chains, chunks);
      await this.#markDelivered(jobId, job);
      return { ...done, bppBatch };
    }
    const stored = await this.#manifest(jobId, job, chains, chunks);
    const answer = { ...done, ...(await manifestAnswer(this.#context, stored)) };
    await this.#markDelivered(jobId, job);
    if (standing !== undefined && chunks.every(({ withheld }) => withheld.length === 0))
      await recordAnswer(this.#context, jobId, standing, done, stored);
    return answer;
  }

  /** The part of an answer with this name, if it may go out now. */
  async partNamed(caller: Caller, requestId: string, name: string): Promise<ObjectRef> {
    const taken = await this.#requests.find(caller, requestId);
    const chunk = Number(/^parts\/[0-9a-f]+\/(\d+)-/.exec(name)?.[1] ?? Number.NaN);
    if (taken === undefined || !(chunk < chunkCount(taken.job)))
      refuse('requestUnknown', 'the caller has no such part', { subjectIdentifier: name });
    const { jobId, job } = taken;
    const deliverable = await loadDeliverable(this.#context, jobId, job, chunk, await this.#trust.current());
    if (isSealed([deliverable])) this.#noSuchPart(name);
    const part = await this.#part(jobId, chunk, deliverable);
    return part.name === name ? part : this.#noSuchPart(name);
  }

  #noSuchPart(name: string): never {
    refuse('requestUnknown', 'the answer has no such part now; fetch its manifest again', {
      subjectIdentifier: name,
    });
  }

  /** The stored part, or one without what is withheld. */
  async #part(jobId: string, chunk: number, deliverable: DeliverableChunk): Promise<ObjectRef> {
    const { vault } = this.#context;
    if (deliverable.withheld.length === 0) return deliverable.part;
    const without = createHash('sha256')
      .update(JSON.stringify(deliverable.withheld))
      .digest('hex')
      .slice(0, 16);
    const body = deliverable.assemble(await readWhole(this.#context, deliverable.part));
    return await vault.put(objectNames.partWithout(jobId, chunk, without), body, { lock: true });
  }

  async #batch(
    job: JobRecord,
    chains: readonly Chain[],
    chunks: readonly DeliverableChunk[],
  ): Promise<Bytes> {
    const bodies = await Promise.all(
      chunks.map(async (chunk) => chunk.assemble(await readPart(this.#context, chunk))),
    );
    const items = Buffer.concat(bodies as Uint8Array[]);
    return Buffer.concat([bppBatchPrefix(job.requestId, chains, items.length), items]);
  }

  /** The manifest is signed once and kept; with anything withheld, parts without it take the place of the stored ones. */
  async #manifest(
    jobId: string,
    job: JobRecord,
    chains: readonly Chain[],
    chunks: readonly DeliverableChunk[],
  ): Promise<StoredManifest> {
    const { vault } = this.#context;
    const parts: ObjectRef[] = [];
    for (const [i, chunk] of chunks.entries()) parts.push(await this.#part(jobId, i, chunk));
    // what a retired key has signed is signed anew
    const signedAnewAfter = await retiredDeliveryKeys(this.#context);
    const version = createHash('sha256')
      .update(JSON.stringify([...parts.map((part) => part.name), ...signedAnewAfter]))
      .digest('hex')
      .slice(0, 16);
    const name = objectNames.manifest(jobId, version);
    const known = await vault.head(name);
    if (known !== undefined) return await this.#twiceSigned(jobId, version, known, parts);
    const tbs = batchManifestTbs({
      requestId: job.requestId,
      chains,
      parts: chunks.map(
        (chunk, i): Part => ({
          name: parts[i]!.name,
          size: parts[i]!.size,
          sha256: fromHex(parts[i]!.sha256),
          index: chunk.index,
        }),
      ),
    });
    const key = await deliveryKey(this.#context);
    // the first manifest stays the manifest: a repeat is answered with the same octets
    const ref = await vault.put(name, encodeBatchManifest(tbs, await key.sign(Digest.of(tbs))), {
      lock: true,
    });
    return await this.#twiceSigned(jobId, version, ref, parts);
  }

  /** The manifest with its second signature, which is kept too: a repeat is answered with the same octets. */
  async #twiceSigned(
    jobId: string,
    version: string,
    manifest: ObjectRef,
    parts: readonly ObjectRef[],
  ): Promise<StoredManifest> {
    const { vault } = this.#context;
    const standing = await longTermStanding(this.#context);
    if (standing.length === 0) return { manifest, parts };
    const name = objectNames.manifestSignature(jobId, version, standing);
    let known = await vault.head(name);
    if (known === undefined) {
      const made = await longTermSignature(this.#context, await readWhole(this.#context, manifest));
      invariant(made !== undefined, 'a long-term key is in use');
      known = await vault.put(name, utf8(made), { lock: true });
    }
    return { manifest, longTermSignature: known, parts };
  }

  /** The chains that commits name. An attempt that lost may add others later, which would change the answer. */
  async #chains(
    jobId: string,
    job: JobRecord,
    chunks: readonly DeliverableChunk[],
  ): Promise<readonly Chain[]> {
    const item = await this.#context.ledger.get(chainsKey(jobId, job));
    const named = Math.max(0, ...chunks.map((chunk) => chunk.chains));
    return item === undefined ? [] : jobChains.from(item).chains.slice(0, named);
  }

  async #markDelivered(jobId: string, job: JobRecord): Promise<void> {
    const { ledger, now } = this.#context;
    const keys = Array.from({ length: chunkCount(job) }, (_, chunk) =>
      ledgerKeys.chunkProgress(jobId, chunk),
    );
    for (let first = 0; first < keys.length; first += MARKED)
      await markDelivered(ledger, job.orderId, keys.slice(first, first + MARKED), now());
  }
}

/** Chunks whose delivery is marked in one transaction. */
const MARKED = 50;

/** Marks chunks and counts their profiles, but for those that had a result before. */
async function markDelivered(
  ledger: Ledger,
  orderId: string,
  keys: readonly ItemKey[],
  deliveredAt: number,
): Promise<void> {
  await changeItems(ledger, async () => {
    const marked: Write[] = [];
    let delivered = 0;
    for (const item of await ledger.getMany(keys)) {
      if (item === undefined) continue;
      const progress = chunkProgress.from(item);
      if (progress.deliveredAt !== undefined) continue;
      delivered += progress.bound - (progress.settled ?? 0);
      const attributes = chunkProgress.to({ ...progress, deliveredAt });
      const { partition, sort, revision } = item;
      marked.push({ put: { partition, sort }, attributes, when: { revision } });
    }
    if (marked.length === 0) return unchanged();
    const changes = { Bound: -delivered, Delivered: delivered };
    return writes([...marked, ...(await orderCountWrites(ledger, orderId, changes, deliveredAt))]);
  });
}
