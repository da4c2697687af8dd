import { createHash } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { type Bytes, fromHex } from '../codec/bytes.ts';
import { Refusal, refuse } from '../errors.ts';
import {
  batchManifestTbs,
  encodeBatchManifest,
  type Part,
  type PartEntry,
} from '../ifpp-draft1/batch-manifest.ts';
import { bppBatchPrefix, encodeBppItem } from '../ifpp-draft1/bpp-batch.ts';
import { type BppRequest, decodeBppRequest } from '../ifpp-draft1/bpp-request.ts';
import type { Chain } from '../ifpp-draft1/chain.ts';
import { Digest } from '../keys/provider.ts';
import { STATUS_CODES } from '../status-codes.ts';
import type { ObjectRef } from '../vault/vault.ts';
import { auditWrite } from './audit.ts';
import { bindChunk } from './binding.ts';
import type { Context } from './context.ts';
import { deliveryKey, retiredDeliveryKeys } from './delivery-keys.ts';
import { recordJob } from './draws.ts';
import type { IngestService } from './ingest.ts';
import { euiccRecord } from './records/euicc.ts';
import {
  type ChunkProgress,
  type ChunkRecord,
  chunkCount,
  chunkProgress,
  chunkRecord,
  isBound,
  type JobRecord,
  jobChains,
  jobRecord,
  type KeysSlowed,
} from './records/job.ts';
import { ledgerKeys } from './records/keys.ts';
import { type OrderRecord, orderRecord, orderStateRecord } from './records/order.ts';
import type { BppAnswer, Caller, Delivery, FailedItem } from './services.ts';
import { planDraw } from './supply.ts';
import { jobIdOf, transactionId } from './transaction-id.ts';
import type { Trust, TrustView } from './trust.ts';
import { Turns } from './turns.ts';

/** Failed items that an answer lists beside the batch, which has them all. */
const LISTED = 1_000;
/** Runs of positions that a job may have: only orders drawn by single ICCIDs come near. */
const MAX_RUNS = 8_000;
const ATTEMPTS = 12;

/**
 * Esbpp: requests for Bound Profile Packages and their answers. A request becomes a job, which fixes for every item
 * what it gets; a job of one chunk is bound within the call, larger ones by the dispatcher.
 */
export class DeliveryService implements Delivery {
  readonly #context: Context;
  readonly #trust: Trust;
  readonly #ingest: IngestService;
  /** Requests of one process for one order, which would race for its supply. */
  readonly #turns = new Turns();

  constructor(context: Context, trust: Trust, ingest: IngestService) {
    this.#context = context;
    this.#trust = trust;
    this.#ingest = ingest;
  }

  async requestBpp(caller: Caller, der: Bytes): Promise<BppAnswer> {
    const request = decodeBppRequest(der);
    const jobId = jobIdOf(this.#context.settings.deployment, caller.identifier, request.requestId);
    const bodyHash = createHash('sha256').update(der).digest('hex');
    const job =
      (await this.#existing(jobId, bodyHash)) ?? (await this.#submit(caller, jobId, request, der, bodyHash));
    await this.#start(jobId, job);
    return await this.#answer(jobId, job);
  }

  async getBppBatch(caller: Caller, { requestId }: { requestId: string }): Promise<BppAnswer> {
    const jobId = jobIdOf(this.#context.settings.deployment, caller.identifier, requestId);
    const item = await this.#context.ledger.get(ledgerKeys.job(jobId));
    if (item === undefined)
      refuse('requestUnknown', 'the caller has no request with this identifier', {
        subjectIdentifier: requestId,
      });
    return await this.#answer(jobId, jobRecord.from(item));
  }

  async #existing(jobId: string, bodyHash: string): Promise<JobRecord | undefined> {
    const item = await this.#context.ledger.get(ledgerKeys.job(jobId));
    if (item === undefined) return undefined;
    const job = jobRecord.from(item);
    if (job.bodyHash !== bodyHash) {
      refuse('requestChanged', 'the requestId was used before with another request', {
        subjectIdentifier: job.requestId,
      });
    }
    return job;
  }

  /** Takes the request on: positions, job and open work come into being in one transaction. */
  async #submit(
    caller: Caller,
    jobId: string,
    request: BppRequest,
    der: Bytes,
    bodyHash: string,
  ): Promise<JobRecord> {
    const { ledger, vault, settings, now } = this.#context;
    const { shares } = await this.#requireMayDraw(caller, request.orderId);
    const rejected =
      request.euiccData === undefined ? [] : await this.#ingest.acceptForwarded(caller, request.euiccData);
    const stored = await vault.put(`requests/${jobId}-${bodyHash.slice(0, 16)}`, der);
    const chunkOffsets = [
      ...request.itemOffsets.filter((_, i) => i % settings.chunkSize === 0),
      request.itemsEnd,
    ];
    const wishes = await this.#wishes(request);
    const drawer = {
      maker: caller.identifier,
      share: shares?.[caller.identifier],
      eids: request.items.map(({ eid }) => eid),
    };
    const create = async (): Promise<JobRecord | undefined> => {
      const known = await this.#existing(jobId, bodyHash);
      if (known !== undefined) return known;
      const draw = await planDraw(this.#context, request.orderId, wishes, drawer);
      if (draw.runs.length > MAX_RUNS)
        refuse('tooLarge', `a request can name at most some ${MAX_RUNS} ICCIDs`);
      const job: JobRecord = {
        party: caller.identifier,
        requestId: request.requestId,
        bodyHash,
        orderId: request.orderId,
        items: request.items.length,
        chunkSize: settings.chunkSize,
        request: stored,
        chunkOffsets,
        runs: draw.runs,
        refusedData: rejected
          .slice(0, LISTED)
          .map(({ eid, code, message }) => ({ eid, refusal: code, message })),
        createdAt: now(),
      };
      const { done } = await ledger.transact([
        ...draw.writes,
        { put: ledgerKeys.job(jobId), attributes: jobRecord.to(job), when: 'absent' },
        { put: ledgerKeys.openWork('job', jobId), attributes: { tasks: chunkCount(job) }, when: 'absent' },
        auditWrite(
          {
            event: 'request.taken',
            by: caller.identifier,
            about: {
              request: request.requestId,
              order: request.orderId,
              job: jobId,
              items: job.items,
              body: bodyHash,
            },
          },
          `job-${jobId}`,
          job.createdAt,
        ),
      ]);
      return done ? job : undefined;
    };
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const job = await this.#turns.take(request.orderId, create);
      if (job !== undefined) return job;
      // another process was faster: wait a while that differs from its own
      await setTimeout(Math.random() * Math.min(1_000, 10 * 2 ** attempt));
    }
    return refuse('providerUnavailable', 'the order is in great demand; send the same request again');
  }

  /** An order that the caller may not draw from is as good as none. */
  async #requireMayDraw(caller: Caller, orderId: string): Promise<OrderRecord> {
    const [order, state] = await this.#context.ledger.getMany([
      ledgerKeys.order(orderId),
      ledgerKeys.orderState(orderId),
    ]);
    const record = order && orderRecord.from(order);
    if (record === undefined || state === undefined || !record.requesterDms.includes(caller.identifier)) {
      refuse('orderUnknown', 'no such order', { subjectIdentifier: orderId });
    }
    const { state: now } = orderStateRecord.from(state);
    if (now === 'Preparing')
      refuse('profileTypeExhausted', 'the profiles of the order are still being prepared');
    if (now !== 'Open') refuse('orderExpired', `the order is ${now}`, { subjectIdentifier: orderId });
    return record;
  }

  /** The position that each item asks for by ICCID; −1, which no supply has, for one that is not of this order. */
  async #wishes({ orderId, items }: BppRequest): Promise<(number | undefined)[]> {
    const named = items.flatMap(({ iccid }) => iccid ?? []);
    const owners = await this.#context.ledger.getMany(named.map((iccid) => ledgerKeys.iccid(iccid)));
    const positions = new Map(
      owners.map((owner, i) => [
        named[i]!,
        owner?.attributes.orderId === orderId ? Number(owner.attributes.position) : -1,
      ]),
    );
    return items.map(({ iccid }) => (iccid === undefined ? undefined : positions.get(iccid)));
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

  async #answer(jobId: string, job: JobRecord): Promise<BppAnswer> {
    const progress = await chunkProgresses(this.#context, jobId);
    const finished = progress.filter((one) => one.finished);
    const processed = finished.reduce((sum, one) => sum + one.bound + one.refused, 0);
    const keysSlowed = slowedBy(finished);
    const common = {
      requestId: job.requestId,
      items: job.items,
      processed,
      ...(keysSlowed === undefined ? {} : { keysSlowed }),
    };
    if (finished.length < chunkCount(job)) return { ...common, state: 'Pending', failed: [] };

    const view = await this.#trust.current();
    const chunks: DeliverableChunk[] = [];
    for (let chunk = 0; chunk < chunkCount(job); chunk++)
      chunks.push(await this.#deliverable(jobId, job, chunk, view));
    const failed = chunks.flatMap((chunk) => chunk.failed).slice(0, LISTED);
    const chains = await this.#chains(jobId, chunks);
    const size = chunks.reduce((sum, chunk) => sum + chunk.size, 0);
    const answer: BppAnswer =
      size <= this.#context.settings.inlineLimit
        ? { ...common, state: 'Done', failed, bppBatch: await this.#batch(job, chains, chunks) }
        : { ...common, state: 'Done', failed, ...(await this.#manifest(jobId, job, chains, chunks)) };
    await this.#markDelivered(jobId, job);
    return answer;
  }

  /** The part of an answer with this name, if it may go out now. */
  async partNamed(caller: Caller, requestId: string, name: string): Promise<ObjectRef> {
    const jobId = jobIdOf(this.#context.settings.deployment, caller.identifier, requestId);
    const item = await this.#context.ledger.get(ledgerKeys.job(jobId));
    const job = item && jobRecord.from(item);
    const chunk = Number(/^parts\/[0-9a-f]+\/(\d+)-/.exec(name)?.[1] ?? Number.NaN);
    if (job === undefined || !(chunk < chunkCount(job)))
      refuse('requestUnknown', 'the caller has no such part', { subjectIdentifier: name });
    const deliverable = await this.#deliverable(jobId, job, chunk, await this.#trust.current());
    const part = await this.#part(jobId, chunk, deliverable);
    if (part.name !== name)
      refuse('requestUnknown', 'the answer has no such part now; fetch its manifest again', {
        subjectIdentifier: name,
      });
    return part;
  }

  /** A committed chunk as it may go out now: rechecked against revocations since its commit (I6). */
  async #deliverable(
    jobId: string,
    job: JobRecord,
    chunk: number,
    view: TrustView,
  ): Promise<DeliverableChunk> {
    const { ledger } = this.#context;
    const [item, progress] = await ledger.getMany([
      ledgerKeys.chunk(jobId, chunk),
      ledgerKeys.chunkProgress(jobId, chunk),
    ]);
    if (item === undefined || progress === undefined || !chunkProgress.from(progress).finished) {
      refuse('providerUnavailable', 'the answer is not complete');
    }
    const record = chunkRecord.from(item);
    const withheld = new Map<number, Refusal>();
    if (record.trustEpoch !== view.epoch) {
      const bound = record.outcomes.flatMap((outcome, i) => (isBound(outcome) ? [{ outcome, i }] : []));
      const euiccs = await ledger.getMany(bound.map(({ outcome }) => ledgerKeys.euicc(outcome.eid)));
      const certificates = await ledger.getMany(
        bound.map(({ outcome }) => ledgerKeys.euiccCertificate(outcome.eid)),
      );
      for (const [n, { i, outcome }] of bound.entries()) {
        try {
          const euicc = euiccs[n];
          // bound before the ledger was restored, and not registered again yet: nobody could say whether it is revoked
          if (euicc === undefined || certificates[n] === undefined)
            refuse('eidUnknown', 'the eUICC is to be registered again');
          const { ciPkId, revokedAt } = euiccRecord.from(euicc);
          if (revokedAt !== undefined)
            refuse('euiccCertificateExpired', 'the eUICC was revoked on this server');
          const eum = await view.eumOf(outcome.eumChain, fromHex(ciPkId));
          eum.verified.recheckEuicc(certificates[n]?.attributes.der as Bytes);
        } catch (error) {
          if (!(error instanceof Refusal)) throw error;
          withheld.set(i, error);
        }
      }
    }
    return deliverableChunk(jobId, chunk * job.chunkSize, record, withheld);
  }

  /** The stored part, or one without what is withheld. */
  async #part(jobId: string, chunk: number, deliverable: DeliverableChunk): Promise<ObjectRef> {
    const { vault } = this.#context;
    if (deliverable.withheld.length === 0) return deliverable.part;
    const without = createHash('sha256')
      .update(JSON.stringify(deliverable.withheld))
      .digest('hex')
      .slice(0, 16);
    const body = deliverable.assemble(await vault.get(deliverable.part));
    return await vault.put(`parts/${jobId}/${chunk}-without-${without}`, body, { lock: true });
  }

  async #batch(
    job: JobRecord,
    chains: readonly Chain[],
    chunks: readonly DeliverableChunk[],
  ): Promise<Bytes> {
    const bodies = await Promise.all(
      chunks.map(async (chunk) => chunk.assemble(await this.#context.vault.get(chunk.part))),
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
  ): Promise<{ manifest: Bytes; parts: readonly ObjectRef[] }> {
    const { vault } = this.#context;
    const parts: ObjectRef[] = [];
    for (const [i, chunk] of chunks.entries()) parts.push(await this.#part(jobId, i, chunk));
    // what a retired key has signed is signed anew
    const signedAnewAfter = await retiredDeliveryKeys(this.#context);
    const version = createHash('sha256')
      .update(JSON.stringify([...parts.map((part) => part.name), ...signedAnewAfter]))
      .digest('hex')
      .slice(0, 16);
    const name = `manifests/${jobId}-${version}`;
    const known = await vault.head(name);
    if (known !== undefined) return { manifest: await vault.get(known), parts };
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
    return { manifest: await vault.get(ref), parts };
  }

  /** The chains that commits name. An attempt that lost may add others later, which would change the answer. */
  async #chains(jobId: string, chunks: readonly DeliverableChunk[]): Promise<readonly Chain[]> {
    const item = await this.#context.ledger.get(ledgerKeys.jobChains(jobId));
    const named = Math.max(0, ...chunks.map((chunk) => chunk.chains));
    return item === undefined ? [] : jobChains.from(item).chains.slice(0, named);
  }

  async #markDelivered(jobId: string, job: JobRecord): Promise<void> {
    const { ledger, now } = this.#context;
    const keys = Array.from({ length: chunkCount(job) }, (_, chunk) =>
      ledgerKeys.chunkProgress(jobId, chunk),
    );
    const items = await ledger.getMany(keys);
    await ledger.writeMany(
      items.flatMap((item) => {
        if (item === undefined) return [];
        const progress = chunkProgress.from(item);
        if (progress.deliveredAt !== undefined) return [];
        const attributes = chunkProgress.to({ ...progress, deliveredAt: now() });
        return [
          {
            put: { partition: item.partition, sort: item.sort },
            attributes,
            when: { revision: item.revision },
          },
        ];
      }),
    );
  }
}

/** A chunk on its way out, with what is withheld replaced by its refusal. */
interface DeliverableChunk {
  readonly part: ObjectRef;
  readonly size: number;
  readonly failed: readonly FailedItem[];
  readonly withheld: readonly { readonly item: number; readonly code: string; readonly message: string }[];
  /** How many of the job's chains its bound items name. */
  readonly chains: number;
  readonly index: readonly PartEntry[];
  assemble(part: Bytes): Bytes;
}

function deliverableChunk(
  jobId: string,
  first: number,
  record: ChunkRecord,
  withheld: ReadonlyMap<number, Refusal>,
): DeliverableChunk {
  const failed: FailedItem[] = [];
  const index: PartEntry[] = [];
  const replaced = new Map<number, Bytes>();
  let at = 0;
  for (const [i, outcome] of record.outcomes.entries()) {
    const refusal = withheld.get(i);
    const code = refusal?.code ?? ('refusal' in outcome ? outcome.refusal : undefined);
    const message = refusal?.message ?? ('message' in outcome ? outcome.message : '');
    let length = record.offsets[i + 1]! - record.offsets[i]!;
    if (code !== undefined) {
      const { subject: subjectCode, reason: reasonCode } = STATUS_CODES[code];
      failed.push({ itemId: outcome.itemId, code, subjectCode, reasonCode, message });
      if (refusal !== undefined) {
        const element = encodeBppItem({
          itemId: outcome.itemId,
          eid: outcome.eid,
          outcome: { kind: 'failed', subjectCode, reasonCode, message },
        });
        replaced.set(i, element);
        length = element.length;
      }
    } else
      index.push({ eid: outcome.eid, transactionId: transactionId(jobId, first + i), offset: at, length });
    at += length;
  }
  return {
    part: record.part,
    size: at,
    failed,
    withheld: [...withheld].map(([item, { code, message }]) => ({ item, code, message })),
    chains: record.outcomes.reduce(
      (count, outcome) => (isBound(outcome) ? Math.max(count, outcome.chain + 1) : count),
      0,
    ),
    index,
    assemble(part) {
      if (replaced.size === 0) return part;
      return Buffer.concat(
        record.outcomes.map(
          (_, i) => replaced.get(i) ?? part.subarray(record.offsets[i]!, record.offsets[i + 1]!),
        ) as Uint8Array[],
      );
    },
  };
}

function slowedBy(progress: readonly ChunkProgress[]): KeysSlowed | undefined {
  const slowed = progress.flatMap(({ keysSlowed }) => keysSlowed ?? []);
  if (slowed.length === 0) return undefined;
  return {
    times: slowed.reduce((sum, { times }) => sum + times, 0),
    waitedMs: slowed.reduce((sum, { waitedMs }) => sum + waitedMs, 0),
  };
}

export async function chunkProgresses({ ledger }: Context, jobId: string): Promise<ChunkProgress[]> {
  const progress: ChunkProgress[] = [];
  let cursor: string | undefined;
  do {
    const page = await ledger.query(`job#${jobId}`, {
      prefix: 'progress#',
      ...(cursor === undefined ? {} : { cursor }),
    });
    progress.push(...page.items.map(chunkProgress.from));
    cursor = page.cursor;
  } while (cursor !== undefined);
  return progress;
}

/** Takes a job off the open list once every chunk is committed and finished. */
export async function finishJob(context: Context, jobId: string): Promise<boolean> {
  const { ledger } = context;
  const jobItem = await ledger.get(ledgerKeys.job(jobId));
  if (jobItem === undefined) return true;
  const finished = (await chunkProgresses(context, jobId)).filter((one) => one.finished).length;
  if (finished < chunkCount(jobRecord.from(jobItem))) return false;
  const open = await ledger.get(ledgerKeys.openWork('job', jobId));
  if (open !== undefined) await ledger.write({ remove: open, when: { revision: open.revision } });
  return true;
}
