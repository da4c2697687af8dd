import type { Bytes } from '../../codec/bytes.ts';
import { refuse } from '../../errors.ts';
import { batchManifestTbs, encodeBatchManifest } from '../../ifpp-draft1/batch-manifest.ts';
import { bppBatchPrefix } from '../../ifpp-draft1/bpp-batch.ts';
import type { Chain } from '../../ifpp-draft1/chain.ts';
import { present } from '../../present.ts';
import type { ObjectRef } from '../../vault/vault.ts';
import type { Caller } from '../api/caller.ts';
import type { BppAnswer, Delivery } from '../api/esbpp.ts';
import type { Context } from '../context.ts';
import { slowedTogether } from '../counts/job-counts.ts';
import { retiredDeliveryKeys } from '../keys/delivery-keys.ts';
import { longTermStanding } from '../keys/long-term.ts';
import { chunkCount, chunkRecord, type JobRecord } from '../records/job.ts';
import { ledgerKeys } from '../records/keys.ts';
import { openWorkOf } from '../records/work.ts';
import { recordJob } from '../supply/draws.ts';
import type { Trust } from '../trust/trust.ts';
import { manifestAnswer, recordAnswer, recordedAnswer, type StoredManifest } from './answer-record.ts';
import { bindChunk } from './binding.ts';
import { finishChunk } from './commit.ts';
import {
  type DeliverableChunk,
  deliverablePart,
  loadDeliverable,
  manifestPart,
} from './deliverable-chunk.ts';
import { FinishedAnswers } from './finished-answers.ts';
import { chainsOf } from './job-chains.ts';
import { chunkProgresses, finishJob } from './job-progress.ts';
import { JustInTime } from './just-in-time/just-in-time.ts';
import { readPart } from './just-in-time/sealed-part.ts';
import { planningAnswer } from './large-requests.ts';
import { isPaged } from './manifest-tree.ts';
import { markDelivered } from './mark-delivered.ts';
import { pagedAnswer } from './paged-answer.ts';
import type { Requests } from './requests.ts';
import { signedManifest } from './signed-manifest.ts';

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
  readonly #justInTime: JustInTime;
  readonly #finished: FinishedAnswers;

  constructor(context: Context, trust: Trust, requests: Requests) {
    this.#context = context;
    this.#trust = trust;
    this.#requests = requests;
    this.#justInTime = new JustInTime(context, trust, requests);
    this.#finished = new FinishedAnswers(context.now);
  }

  async requestBpp(
    caller: Caller,
    content: Bytes | ObjectRef,
    confirmed: Promise<unknown> = Promise.resolve(),
  ): Promise<BppAnswer> {
    const received = await this.#requests.receive(caller, content);
    const isLarge = 'upload' in received;
    const inTime = isLarge ? undefined : await this.#justInTime.answer(received, confirmed);
    if (inTime !== undefined) return inTime;
    await confirmed;
    const { jobId, job } = await this.#requests.take(received);
    await this.#start(jobId, job);
    return await this.#answer(jobId, job);
  }

  async getBppBatch(
    caller: Caller,
    { requestId, page }: Parameters<Delivery['getBppBatch']>[1],
  ): Promise<BppAnswer> {
    const taken = await this.#requests.find(caller, requestId);
    if (taken === undefined)
      refuse('requestUnknown', 'the caller has no request with this identifier', {
        subjectIdentifier: requestId,
      });
    const { jobId, job } = taken;
    if (job.planning !== undefined) return planningAnswer(job);
    if (page === undefined) return await this.#answer(jobId, job);
    if (!isPaged(this.#context, job))
      refuse('requestUnknown', 'the answer has no pages; ask for it without one', {
        subjectIdentifier: String(page),
      });
    return await pagedAnswer(this.#context, this.#trust, jobId, job, page);
  }

  /** Also what a restart does for open work: everything here may be repeated. */
  async #start(jobId: string, job: JobRecord): Promise<void> {
    if (job.planning !== undefined) return await this.#plan(jobId, job);
    const open = await this.#context.ledger.get(ledgerKeys.openWork('job', jobId));
    if (open === undefined) return;
    // the plan of a large one was recorded before it was a job
    if (job.slices === undefined) await recordJob(this.#context, jobId, job);
    if (chunkCount(job) > 1)
      return await this.#context.dispatcher.submit({ kind: 'job', id: jobId, tasks: chunkCount(job) });
    await bindChunk(this.#context, this.#trust, jobId, 0);
    await finishJob(this.#context, jobId);
  }

  async #plan(jobId: string, { planning }: JobRecord): Promise<void> {
    if (planning?.refused !== undefined) return;
    const { ledger, dispatcher } = this.#context;
    const keys = [ledgerKeys.openWork('request', jobId), ledgerKeys.openWork('euiccData', jobId)];
    for (const open of await ledger.getMany(keys))
      if (open !== undefined) await dispatcher.submit(openWorkOf(open));
  }

  /** Brings a job to its end that was bound just in time, by an attempt that did not come so far. */
  async #finishInTime(jobId: string, job: JobRecord): Promise<void> {
    const commit = await this.#context.ledger.get(ledgerKeys.chunk(jobId, 0));
    if (commit !== undefined)
      await finishChunk(this.#context, { jobId, job, chunk: 0 }, chunkRecord.from(commit));
  }

  /** A job of one chunk is little to read; just in time needs every read that it can spare. */
  async #answer(jobId: string, job: JobRecord): Promise<BppAnswer> {
    if (job.planning !== undefined) return planningAnswer(job);
    if (job.request === undefined) await this.#finishInTime(jobId, job);
    if (chunkCount(job) === 1) return await this.#count(jobId, job);
    const { epoch } = await this.#trust.current();
    const standing = JSON.stringify([
      epoch,
      ...(await retiredDeliveryKeys(this.#context)),
      ...(await longTermStanding(this.#context)),
    ]);
    return await this.#finished.answer(jobId, standing, async () =>
      isPaged(this.#context, job)
        ? await pagedAnswer(this.#context, this.#trust, jobId, job)
        : ((await recordedAnswer(this.#context, jobId, job, standing)) ??
          (await this.#count(jobId, job, standing))),
    );
  }

  /** `standing`: what an answer in parts leans on, under which it is written down. */
  async #count(jobId: string, job: JobRecord, standing?: string): Promise<BppAnswer> {
    const progress = await chunkProgresses(this.#context, jobId);
    const finished = progress.filter((one) => one.finished);
    const processed = finished.reduce((sum, one) => sum + one.bound + one.refused, 0);
    const keysSlowed = slowedTogether(finished.map((one) => one.keysSlowed));
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
    const chains = await chainsOf(
      this.#context,
      jobId,
      job,
      Math.max(0, ...chunks.map((chunk) => chunk.chains)),
    );
    const size = chunks.reduce((sum, chunk) => sum + chunk.size, 0);
    const done = { ...common, state: 'Done', failed } as const;
    if (size <= this.#context.settings.inlineLimit || isSealed(chunks)) {
      const bppBatch = await this.#batch(job, chains, chunks);
      await markDelivered(this.#context, jobId, job, 0, chunkCount(job));
      return { ...done, bppBatch };
    }
    const stored = await this.#manifest(jobId, job, chains, chunks);
    const answer = { ...done, ...(await manifestAnswer(this.#context, stored)) };
    await markDelivered(this.#context, jobId, job, 0, chunkCount(job));
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
    const part = await deliverablePart(this.#context, jobId, chunk, deliverable);
    return part.name === name ? part : this.#noSuchPart(name);
  }

  #noSuchPart(name: string): never {
    refuse('requestUnknown', 'the answer has no such part now; fetch its manifest again', {
      subjectIdentifier: name,
    });
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
    const parts: ObjectRef[] = [];
    for (const [i, chunk] of chunks.entries())
      parts.push(await deliverablePart(this.#context, jobId, i, chunk));
    const names = parts.map(({ name }) => name);
    const toBeSigned = () =>
      batchManifestTbs({
        requestId: job.requestId,
        chains,
        parts: chunks.map((chunk, i) => manifestPart(parts[i]!, chunk)),
      });
    return { ...(await signedManifest(this.#context, jobId, names, toBeSigned, encodeBatchManifest)), parts };
  }
}
