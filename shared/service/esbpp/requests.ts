import { randomUUID } from 'node:crypto';
import type { Bytes } from '../../codec/bytes.ts';
import { together, untilDone } from '../../concurrency.ts';
import { refuse } from '../../errors.ts';
import { decodeBppRequest, type RequestItem } from '../../ifpp-draft1/bpp-request.ts';
import { type BppRequestFrame, frameOfRequest } from '../../ifpp-draft1/bpp-request-scan.ts';
import { changeItems, writes as changes, unchanged } from '../../ledger/change.ts';
import type { Attributes, Item, Write } from '../../ledger/ledger.ts';
import { ownMember } from '../../own-member.ts';
import { present } from '../../present.ts';
import { DamagedObject, type ObjectRef } from '../../vault/vault.ts';
import type { Caller } from '../api/caller.ts';
import { auditWrite } from '../audit/line.ts';
import type { Context } from '../context.ts';
import { listedWrite } from '../counts/listed.ts';
import type { IngestService } from '../esed1/ingest.ts';
import { type Attempt, abandonAttempt, beginAttempt } from '../life/attempts.ts';
import { type Body, receivedBody } from '../life/bodies.ts';
import { streamWhole } from '../life/checked-reads.ts';
import { ingestRecord } from '../records/ingest.ts';
import { chunkCount, type JobRecord, jobRecord } from '../records/job.ts';
import { ledgerKeys } from '../records/keys.ts';
import { objectNames } from '../records/object-names.ts';
import { jobIdOf } from '../records/transaction-id.ts';
import { openWorkRecord } from '../records/work.ts';
import { type Drawer, planDraw } from '../supply/supply.ts';
import { Turns } from '../turns.ts';
import { type LargeRequest, readLargeHead, requireSame, takeLarge } from './large-requests.ts';
import { requireMayDraw } from './may-draw.ts';
import { wishesOf } from './wishes.ts';

/** Runs of positions that a job may have: only orders drawn by single ICCIDs come near. */
const MAX_RUNS = 8_000;

/** A request that was taken on, which is a job for ever. */
export interface AcceptedRequest {
  readonly jobId: string;
  readonly job: JobRecord;
}

/** A request as it came. */
export interface ReceivedRequest {
  readonly caller: Caller;
  readonly body: Body;
  readonly frame: BppRequestFrame;
  /** The only item of a request that fits into a call. */
  readonly single?: RequestItem;
  readonly jobId: string;
}

/** A request that may be taken on, with all that does not depend on what the supply has left. */
interface Submission
  extends Pick<JobRecord, 'refusedData' | 'chunkHashes'>,
    Pick<ReceivedRequest, 'jobId' | 'frame' | 'body'> {
  /** The attempt that stored the request. */
  readonly written: Attempt;
  readonly stored: ObjectRef;
  /** The position that each item asks for. */
  readonly wishes: readonly (number | undefined)[];
  readonly drawer: Drawer;
}

/**
 * Takes requests for Bound Profile Packages on. A request becomes a job, known by party and requestId, which fixes for
 * every item what it gets; the same request again is the same job (I4).
 */
export class Requests {
  readonly #context: Context;
  readonly #ingest: IngestService;
  /** Requests of one process for one order, which would race for its supply. */
  readonly #turns = new Turns();

  constructor(context: Context, ingest: IngestService) {
    this.#context = context;
    this.#ingest = ingest;
  }

  /** Reads a request: as a whole one that would fit into a call, of a larger one the head. */
  async receive(caller: Caller, sent: Bytes | ObjectRef): Promise<ReceivedRequest | LargeRequest> {
    const { chunkSize } = this.#context.settings;
    const { body, octets, upload } = await receivedBody(this.#context, sent);
    if (upload !== undefined) {
      const head = await readLargeHead(body);
      return { caller, body, upload, jobId: this.#jobIdOf(caller, head.requestId), ...head };
    }
    const request = decodeBppRequest(octets);
    const frame = frameOfRequest(octets, request, chunkSize);
    const single = request.items.length === 1 ? request.items[0] : undefined;
    return { caller, body, frame, ...present({ single }), jobId: this.#jobIdOf(caller, frame.requestId) };
  }

  /**
   * Takes in the eUICC data that came with a new request. False where that is the business of `take`: the request is known,
   * or some of the data is refused.
   */
  async takeForwarded({ caller, jobId, body, frame }: ReceivedRequest): Promise<boolean> {
    if (frame.euiccData === undefined) return true;
    if ((await this.#context.ledger.get(ledgerKeys.job(jobId))) !== undefined) return false;
    await requireMayDraw(this.#context, caller, frame.orderId);
    return (await this.#ingest.acceptForwarded(caller, body, frame.euiccData)).length === 0;
  }

  async take(received: ReceivedRequest | LargeRequest): Promise<AcceptedRequest> {
    const { jobId, body } = received;
    if ('upload' in received) {
      const { job, isKnown } = await takeLarge(this.#context, received);
      if (isKnown) await this.#repair(jobId, job, body);
      return { jobId, job };
    }
    const known = await this.#existing(jobId, body.sha256);
    if (known !== undefined) await this.#repair(jobId, known, body);
    return { jobId, job: known ?? (await this.#submit(received)) };
  }

  /** Stores a request again that is damaged or gone, as long as something of it is still to be read; a large one only where it is gone. */
  async #repair(jobId: string, { request, slices }: JobRecord, body: Body): Promise<void> {
    const { ledger, vault } = this.#context;
    if (request === undefined) return;
    const readers = [ledgerKeys.openWork('job', jobId), ledgerKeys.openWork('euiccData', jobId)];
    if ((await ledger.getMany(readers)).every((open) => open === undefined)) return;
    const isThere = (await vault.head(request.name)) !== undefined;
    if (isThere && (slices !== undefined || !(await this.#isDamaged(request)))) return;
    const stored = await body.store(request.name);
    await changeItems(ledger, async () => {
      const [job, data] = await ledger.getMany([ledgerKeys.job(jobId), ledgerKeys.ingest(jobId)]);
      if (job === undefined) return unchanged();
      return changes([
        putAgain(job, jobRecord.to({ ...jobRecord.from(job), request: stored })),
        // its eUICC data is read where it lies in the request
        ...(data === undefined
          ? []
          : [putAgain(data, ingestRecord.to({ ...ingestRecord.from(data), batch: stored }))]),
      ]);
    });
  }

  async #isDamaged(request: ObjectRef): Promise<boolean> {
    try {
      for await (const _ of streamWhole(this.#context, request));
      return false;
    } catch (error) {
      if (error instanceof DamagedObject) return true;
      throw error;
    }
  }

  /** One that was taken on before; undefined where the caller has none with this identifier. */
  async find(caller: Caller, requestId: string): Promise<AcceptedRequest | undefined> {
    const jobId = this.#jobIdOf(caller, requestId);
    const item = await this.#context.ledger.get(ledgerKeys.job(jobId));
    return item && { jobId, job: jobRecord.from(item) };
  }

  #jobIdOf(caller: Caller, requestId: string): string {
    return jobIdOf(this.#context.settings.deployment, caller.identifier, requestId);
  }

  async #existing(jobId: string, bodyHash: string): Promise<JobRecord | undefined> {
    const item = await this.#context.ledger.get(ledgerKeys.job(jobId));
    if (item === undefined) return undefined;
    const job = jobRecord.from(item);
    requireSame(job, bodyHash);
    return job;
  }

  async #submit({ caller, jobId, body, frame }: ReceivedRequest): Promise<JobRecord> {
    const { orderId, euiccData, eidOf } = frame;
    const { shares } = await requireMayDraw(this.#context, caller, orderId);
    const rejected =
      euiccData === undefined ? [] : await this.#ingest.acceptForwarded(caller, body, euiccData);
    const attempt = randomUUID();
    const name = objectNames.request(jobId, attempt);
    const [written, wishes] = await together(
      beginAttempt(this.#context, 'request', attempt, { objects: [name], holder: ledgerKeys.job(jobId) }),
      wishesOf(this.#context, orderId, frame.iccids),
    );
    const submission: Submission = {
      jobId,
      frame,
      body,
      wishes: Array.from({ length: frame.items }, (_, index) => wishes.get(index)),
      drawer: { maker: caller.identifier, share: ownMember(shares, caller.identifier), eidOf },
      stored: await body.store(name),
      written,
      chunkHashes: await body.hashes(frame.chunkOffsets),
      refusedData: rejected.map(({ eid, code, message }) => ({ eid, refusal: code, message })),
    };
    // not `changeItems`: requests of this process take turns, so that only another process can be faster
    const created = await untilDone(
      async () => {
        const job = await this.#turns.take(orderId, () => this.#create(submission));
        return job && { value: job };
      },
      () => refuse('providerUnavailable', 'the order is in great demand; send the same request again'),
    );
    if (created.request?.name !== name) await abandonAttempt(this.#context, written);
    return created;
  }

  /** Positions, job and open work come into being in one transaction; undefined if somebody else was faster. */
  async #create(submission: Submission): Promise<JobRecord | undefined> {
    const { ledger } = this.#context;
    const { jobId, frame, body, wishes, drawer } = submission;
    const { requestId, orderId } = frame;
    const known = await this.#existing(jobId, body.sha256);
    if (known !== undefined) return known;
    const draw = await planDraw(this.#context, orderId, wishes, drawer);
    if (draw.runs.length > MAX_RUNS) refuse('tooLarge', `a request can name at most some ${MAX_RUNS} ICCIDs`);
    const job = this.#jobOf(submission, draw.runs);
    const about = { request: requestId, order: orderId, job: jobId, items: job.items, body: body.sha256 };
    const line = { event: 'request.taken', by: drawer.maker, about } as const;
    const writes: Write[] = [
      ...draw.writes,
      submission.written.settled,
      { put: ledgerKeys.job(jobId), attributes: jobRecord.to(job), when: 'absent' },
      {
        put: ledgerKeys.openWork('job', jobId),
        attributes: openWorkRecord.to({ tasks: chunkCount(job), since: job.createdAt }),
        when: 'absent',
      },
      listedWrite('job', job.createdAt, jobId, { party: drawer.maker, name: requestId }),
      auditWrite(line, `job-${jobId}`, job.createdAt),
    ];
    const { done } = await ledger.transact(writes, { contended: true });
    return done ? job : undefined;
  }

  #jobOf({ frame, body, drawer, ...submission }: Submission, runs: JobRecord['runs']): JobRecord {
    const { requestId, orderId, items, chunkOffsets } = frame;
    return {
      party: drawer.maker,
      requestId,
      bodyHash: body.sha256,
      orderId,
      items,
      chunkSize: this.#context.settings.chunkSize,
      request: submission.stored,
      chunkOffsets,
      chunkHashes: submission.chunkHashes,
      runs,
      refusedData: submission.refusedData,
      createdAt: this.#context.now(),
    };
  }
}

const putAgain = (item: Item, attributes: Attributes): Write => ({
  put: item,
  attributes,
  when: { revision: item.revision },
});
